// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The adder convolution kernels")
struct AdderKernelTests {
  /// Channels, outputs, kernel, stride, padding of convolutions over 7 × 9 pixels.
  static let cases = [
    (3, 5, 3, 1, 1), (16, 16, 3, 1, 1), (8, 24, 3, 2, 1), (20, 70, 1, 2, 0), (33, 7, 2, 3, 0),
    (530, 4, 1, 1, 1), (4, 530, 1, 1, 0), (6, 6, 5, 2, 3),
  ]

  static func check(_ shape: (Int, Int, Int, Int, Int)) {
    let (channels, outputs, kernel, stride, padding) = shape
    var random = RandomSource(seed: 81)
    let images = 2, height = 7, width = 9
    var args = swk_adder(
      channels: channels, outputs: outputs, height: height, width: width,
      output_height: (height + 2 * padding - kernel) / stride + 1,
      output_width: (width + 2 * padding - kernel) / stride + 1, kernel_height: kernel,
      kernel_width: kernel, stride_height: stride, stride_width: stride, pad_top: padding,
      pad_left: padding)
    func units(_ count: Int) -> [Float] { random.reals(count: count).map { $0 / 20 } }
    let rows = images * args.output_height
    let x = units(images * height * width * channels)
    let dY = units(rows * args.output_width * outputs)
    let weights = units(outputs * channels * kernel * kernel)
    var forward = weights, backward = weights
    swk_adder_pack(&args, weights, &forward, &backward)

    let y = written(SWK_F32, count: dY.count) {
      let y = $0.assumingMemoryBound(to: Float.self)
      swk_adder_conv(&args, x, forward, y, 0, 3)
      swk_adder_conv(&args, x, forward, y, 3, rows)
    }
    let expectedY = written(SWK_F32, count: dY.count) {
      let y = $0.assumingMemoryBound(to: Float.self)
      swk_adder_conv_reference(&args, x, forward, y, 0, rows)
    }
    #expect(y == expectedY, "\(shape)")
    let dX = written(SWK_F32, count: x.count) {
      let dX = $0.assumingMemoryBound(to: Float.self)
      swk_adder_input_gradient(&args, dY, x, backward, dX, 0, 3)
      swk_adder_input_gradient(&args, dY, x, backward, dX, 3, images * height)
    }
    let expectedDX = written(SWK_F32, count: x.count) {
      let dX = $0.assumingMemoryBound(to: Float.self)
      swk_adder_input_gradient_reference(&args, dY, x, backward, dX, 0, images * height)
    }
    #expect(dX == expectedDX, "\(shape)")
    let sums = written(SWK_F32, count: weights.count) {
      let sums = $0.assumingMemoryBound(to: Float.self)
      swk_adder_weight_sums(&args, dY, x, sums, 0, images)
    }
    let expectedSums = written(SWK_F32, count: weights.count) {
      let sums = $0.assumingMemoryBound(to: Float.self)
      swk_adder_weight_sums_reference(&args, dY, x, sums, 0, images)
    }
    #expect(sums == expectedSums, "\(shape)")
  }

  @Test("do what their scalar twins do", arguments: cases.indices)
  func twins(_ index: Int) { Self.check(Self.cases[index]) }

  /// x = (1, −2, 0.5), f = (0.5, −1, 2): y = −3, ∂y/∂x = (−0.5, 1, 1), ∂y/∂f = (0.5, −1, −1.5), and
  /// with η = 0.2 the scaled gradient is 0.2 · √3 · g / ‖g‖ = (0.092582, −0.185164, −0.277746).
  @Test("compute one window as worked by hand")
  func byHand() {
    var args = swk_adder(
      channels: 3, outputs: 1, height: 1, width: 1, output_height: 1, output_width: 1,
      kernel_height: 1, kernel_width: 1, stride_height: 1, stride_width: 1, pad_top: 0,
      pad_left: 0)
    let x: [Float] = [1, -2, 0.5], f: [Float] = [0.5, -1, 2]
    var forward = f, backward = f, y: [Float] = [0], dX = x, sums = f, dW = f
    swk_adder_pack(&args, f, &forward, &backward)
    swk_adder_conv(&args, x, forward, &y, 0, 1)
    #expect(y == [-3])
    swk_adder_input_gradient(&args, [1], x, backward, &dX, 0, 1)
    #expect(dX == [-0.5, 1, 1])
    swk_adder_weight_sums(&args, [1], x, &sums, 0, 1)
    swk_adder_weight_gradient(&args, sums, [1], f, 0, &dW)
    #expect(dW == [0.5, -1, -1.5])
    swk_adder_weight_gradient(&args, sums, [1], f, 0.2, &dW)
    for (value, expected) in zip(dW, [0.092582, -0.185164, -0.277746] as [Float]) {
      #expect(abs(value - expected) <= 1e-6)
    }
  }

  @Test("count padding as zeros, which lie at a distance from the weights")
  func padding() {
    var args = swk_adder(
      channels: 1, outputs: 1, height: 1, width: 1, output_height: 1, output_width: 1,
      kernel_height: 1, kernel_width: 3, stride_height: 1, stride_width: 1, pad_top: 0,
      pad_left: 1)
    var y: [Float] = [0], sums: [Float] = [0, 0, 0], dW = sums
    swk_adder_conv(&args, [4], [1, 2, 3], &y, 0, 1)
    #expect(y == [-6])
    swk_adder_weight_sums(&args, [1], [4], &sums, 0, 1)
    swk_adder_weight_gradient(&args, sums, [1], [1, 2, 3], 0, &dW)
    #expect(dW == [-1, 2, -3])
  }

  @Test("leave a gradient of zeros as it is")
  func zeros() {
    var args = swk_adder(
      channels: 2, outputs: 1, height: 1, width: 1, output_height: 1, output_width: 1,
      kernel_height: 1, kernel_width: 1, stride_height: 1, stride_width: 1, pad_top: 0,
      pad_left: 0)
    var dW: [Float] = [7, 7]
    swk_adder_weight_gradient(&args, [0, 0], [0], [1, 2], 0.2, &dW)
    #expect(dW == [0, 0])
  }
}
