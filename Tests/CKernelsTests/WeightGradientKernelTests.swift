// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The kernel of weight gradients")
struct WeightGradientKernelTests {
  /// Channels, outputs, kernel height and width, stride, padding.
  private static let cases = [
    (8, 16, 3, 3, 1, 1), (16, 16, 3, 3, 1, 1), (24, 48, 3, 3, 2, 1), (16, 32, 1, 3, 1, 0),
    (8, 16, 5, 3, 2, 2), (8, 32, 3, 3, 3, 0), (3, 16, 3, 3, 1, 1), (8, 10, 3, 3, 1, 1),
    (8, 16, 1, 1, 1, 0),
  ]

  private static func sizes(
    _ shape: (Int, Int, Int, Int, Int, Int), height: Int, width: Int
  ) -> swk_weight_gradient_args {
    let (channels, outputs, tall, wide, stride, padding) = shape
    return swk_weight_gradient_args(
      channels: channels, outputs: outputs, height: height, width: width,
      output_height: (height + 2 * padding - tall) / stride + 1,
      output_width: (width + 2 * padding - wide) / stride + 1, kernel_height: tall,
      kernel_width: wide, stride_height: stride, stride_width: stride, pad_top: padding,
      pad_left: padding)
  }

  @Test(
    "adds up what its scalar twin does, even and odd widths", arguments: cases.indices,
    [(8, 8), (7, 9), (5, 4)])
  func twins(_ index: Int, _ extent: (Int, Int)) {
    var args = Self.sizes(Self.cases[index], height: extent.0, width: extent.1)
    var random = RandomSource(seed: 83)
    func codes(_ count: Int) -> [UInt16] {
      random.reals(count: count).map { UInt16($0.bitPattern >> 16) }
    }
    let images = 3
    let x = codes(images * args.height * args.width * args.channels)
    let dY = codes(images * args.output_height * args.output_width * args.outputs)
    let count = args.kernel_height * args.kernel_width * args.channels * args.outputs
    var scratch = [UInt32](repeating: .max, count: swk_weight_gradient_scratch_size(&args) / 4 + 1)
    var sums = [Float](repeating: 7, count: count + 1)
    var expected = sums, magnitudes = sums
    swk_weight_gradient(&args, dY, x, &sums, &scratch, 1, images)
    swk_weight_gradient_reference(&args, dY, x, &expected, &scratch, 1, images)
    swk_weight_gradient_reference(
      &args, dY.map { $0 & 0x7FFF }, x.map { $0 & 0x7FFF }, &magnitudes, &scratch, 1, images)
    for place in 0..<count {
      let difference = abs(sums[place] - expected[place])
      #expect(difference <= 1e-5 * magnitudes[place], "\(args), \(place)")
    }
    // Nothing is written behind the sums or the scratch memory.
    #expect(sums[count] == 7 && scratch.last == .max)
  }

  /// x = (1, 2, 3) and dy = (10, 20, 30): the taps at −1, 0 and 1 see 20·1 + 30·2,
  /// 10·1 + 20·2 + 30·3 and 10·2 + 20·3.
  @Test("adds up one row as worked by hand, in the first channels", arguments: [1, 8])
  func byHand(channels: Int) {
    var args = Self.sizes((channels, 16, 1, 3, 1, 0), height: 1, width: 3)
    args.output_width = 3
    args.pad_left = 1
    func pixels(_ values: [Float], _ channels: Int) -> [UInt16] {
      values.flatMap { value in
        [UInt16(value.bitPattern >> 16)] + [UInt16](repeating: 0, count: channels - 1)
      }
    }
    var scratch = [UInt32](repeating: 0, count: swk_weight_gradient_scratch_size(&args) / 4)
    var sums = [Float](repeating: 7, count: 3 * channels * 16)
    swk_weight_gradient(
      &args, pixels([10, 20, 30], 16), pixels([1, 2, 3], channels), &sums, &scratch, 0, 1)
    #expect(sums.enumerated().allSatisfy { $0.offset % (channels * 16) == 0 || $0.element == 0 })
    #expect((0..<3).map { sums[$0 * channels * 16] } == [80, 140, 80])
  }

  @Test("has vectors for the widths that it says, where the processor has")
  func speed() {
    let multiplies = swk_cpu_features() & SWK_CPU_AVX512_BF16.rawValue != 0
    for shape in Self.cases {
      var args = Self.sizes(shape, height: 8, width: 8)
      let fits = shape.0 % 8 == 0 && shape.1 % 16 == 0 && shape.3 == 3
      if !fits || !multiplies { #expect(swk_weight_gradient_is_fast(&args) == 0) }
      #expect(
        (swk_weight_gradient_is_fast(&args) != 0) == (swk_weight_gradient_scratch_size(&args) > 0))
    }
  }
}
