// SPDX-License-Identifier: Apache-2.0
import Quantization
import TensorCore
import Testing

@Suite("Quantized weights")
struct WeightQuantizationTests {
  private let matrix = Tensor([0.25, -0.4, 0.1, 1, 0.3, -0.6] as [Float], shape: [2, 3])

  @Test("Rows of the worked example have these scales and codes")
  func perRow() {
    let quantized = WeightQuantizer().quantized(matrix, axis: 0)
    #expect(abs(quantized.scales[0] - 0.00314961) < 1e-8)
    #expect(abs(quantized.scales[1] - 0.00787402) < 1e-8)
    #expect(quantized.codes.integers() == [79, -127, 32, 127, 38, -76])
    #expect(quantized.codes.elementType == .int8)
  }

  @Test("A dynamic product of the worked example")
  func dynamicProduct() {
    let weights = WeightQuantizer().quantized(matrix, axis: 0)
    let input = AffineCode.affine(from: -1.2, to: 3, codes: -128...127)
    #expect(abs(input.scale - 0.0164706) < 1e-7)
    #expect(input.zeroPoint == -55)
    let codes = [0.5, -1.2, 3].map { input.code(of: $0) }
    #expect(codes == [-25, -128, 127])
    let sums = IntegerProduct.accumulators(
      CodeMatrix(codes, rows: 1, columns: 3, zeroPoint: -55),
      CodeMatrix([79, 127, -127, 38, 32, -76], rows: 3, columns: 2, zeroPoint: 0))
    #expect(sums == [17465, -12796])
    #expect(abs(Float(sums[0]) * input.scale * weights.scales[0] - 0.906012) < 1e-5)
    #expect(abs(Float(sums[1]) * input.scale * weights.scales[1] + 1.659509) < 1e-5)
  }

  @Test(
    "No weight is further than half a step from its code",
    arguments: [ElementType.int8, .uint8, .int16, .uint16], [true, false])
  func error(type: ElementType, isSymmetric: Bool) {
    for granularity in Granularity.allCases {
      let quantizer = WeightQuantizer(
        elementType: type, granularity: granularity, isSymmetric: isSymmetric)
      let quantized = quantizer.quantized(matrix, axis: 1)
      let greatest = quantized.scales.max() ?? 0
      for (one, other) in zip(quantized.reals(), matrix.floats()) {
        // Half a step, and the rounding of the scale in Float over at most 2¹⁶ steps.
        #expect(abs(one - other) <= greatest * 0.51)
      }
    }
  }

  @Test("A channel of zeros has the scale 1 and keeps its zeros")
  func zeros() {
    let quantized = WeightQuantizer().quantized(
      Tensor([0, 0, 1, -1] as [Float], shape: [2, 2]), axis: 0)
    #expect(quantized.scales == [1, 1 / 127])
    #expect(quantized.reals() == [0, 0, 1, -1])
  }
}
