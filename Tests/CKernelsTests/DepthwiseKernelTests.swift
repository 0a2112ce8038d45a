// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

/// A shape of a depthwise convolution, square in kernel, stride and padding.
struct DepthwiseShape: Sendable, CustomTestStringConvertible {
  var channels: Int
  var height: Int
  var width: Int
  var kernel: Int
  var stride: Int
  var padding: Int
  var dilation = 1

  var testDescription: String {
    "\(channels)×\(height)×\(width) k\(kernel) s\(stride) p\(padding) d\(dilation)"
  }

  func arguments(
    _ source: swk_type, zeroPoint: Int32, _ epilogue: swk_epilogue, batch: Int = 2
  ) -> swk_depthwise {
    let extent = (kernel - 1) * dilation + 1
    return swk_depthwise(
      batch: batch, channels: channels, height: height, width: width,
      output_height: (height + 2 * padding - extent) / stride + 1,
      output_width: (width + 2 * padding - extent) / stride + 1,
      kernel_height: kernel, kernel_width: kernel, stride_height: stride, stride_width: stride,
      dilation_height: dilation, dilation_width: dilation, pad_top: padding, pad_left: padding,
      src_type: source, src_zero_point: zeroPoint, epilogue: epilogue)
  }
}

/// Weights, scales and biases for a shape.
struct DepthwiseNumbers {
  var weights: [Int8]
  var scale: [Float]
  var bias: [Float]

  init(_ shape: DepthwiseShape, from random: inout RandomSource) {
    weights = (0..<shape.kernel * shape.kernel * shape.channels).map { _ in
      Int8(truncatingIfNeeded: random.next())
    }
    scale = (0..<shape.channels).map { _ in Float(random.nextUniform() + 0.1) * 1e-4 }
    bias = random.reals(count: shape.channels).map { $0 * 0.1 }
  }

  /// The output bytes; `ranges` are the parts in which the rows are computed.
  func output(_ arguments: swk_depthwise, _ source: [UInt8], ranges: [Range<Int>]) -> [UInt8] {
    var arguments = arguments
    let packed = UnsafeMutableRawPointer.allocate(
      byteCount: swk_depthwise_packed_size(&arguments), alignment: 64)
    defer { packed.deallocate() }
    swk_depthwise_pack(&arguments, weights, scale, bias, packed)
    return written(arguments.epilogue.type, count: count(arguments)) { out in
      for rows in ranges {
        swk_depthwise_conv(&arguments, packed, source, out, rows.lowerBound, rows.upperBound)
      }
    }
  }

  func reference(_ arguments: swk_depthwise, _ source: [UInt8]) -> [UInt8] {
    var arguments = arguments
    let rows = arguments.batch * arguments.output_height
    return written(arguments.epilogue.type, count: count(arguments)) { out in
      swk_depthwise_conv_reference(&arguments, weights, scale, bias, source, out, 0, rows)
    }
  }

  private func count(_ a: swk_depthwise) -> Int {
    a.batch * a.output_height * a.output_width * a.channels
  }
}

@Suite("The depthwise convolution kernel")
struct DepthwiseKernelTests {
  static let shapes = [
    DepthwiseShape(channels: 1, height: 5, width: 6, kernel: 3, stride: 1, padding: 1),
    DepthwiseShape(channels: 24, height: 7, width: 19, kernel: 3, stride: 1, padding: 1),
    DepthwiseShape(channels: 48, height: 8, width: 11, kernel: 3, stride: 1, padding: 0),
    DepthwiseShape(channels: 72, height: 7, width: 7, kernel: 3, stride: 1, padding: 1),
    DepthwiseShape(channels: 35, height: 9, width: 9, kernel: 3, stride: 2, padding: 1),
    DepthwiseShape(channels: 112, height: 6, width: 13, kernel: 3, stride: 2, padding: 1),
    DepthwiseShape(channels: 88, height: 7, width: 9, kernel: 5, stride: 1, padding: 2),
    DepthwiseShape(channels: 17, height: 8, width: 20, kernel: 5, stride: 1, padding: 2),
    DepthwiseShape(channels: 113, height: 9, width: 10, kernel: 5, stride: 2, padding: 2),
    DepthwiseShape(channels: 65, height: 9, width: 8, kernel: 7, stride: 1, padding: 3),
    DepthwiseShape(
      channels: 40, height: 9, width: 9, kernel: 3, stride: 1, padding: 2, dilation: 2),
    DepthwiseShape(channels: 33, height: 4, width: 4, kernel: 2, stride: 2, padding: 0),
    DepthwiseShape(channels: 19, height: 3, width: 5, kernel: 1, stride: 1, padding: 0),
  ]

  @Test("gives the reference's bytes for every kind of source and result", arguments: shapes)
  func kinds(shape: DepthwiseShape) {
    var random = RandomSource(seed: 11)
    let numbers = DepthwiseNumbers(shape, from: &random)
    for source in [SWK_U8, SWK_S8] {
      for type in storedTypes {
        let arguments = shape.arguments(
          source, zeroPoint: random.zeroPoint(of: source), random.epilogue(type, SWK_RELU))
        let pixels = random.elements(source, count: 2 * shape.height * shape.width * shape.channels)
        let rows = 0..<arguments.batch * arguments.output_height
        #expect(
          numbers.output(arguments, pixels, ranges: [rows])
            == numbers.reference(arguments, pixels), "\(source) to \(type)")
      }
    }
  }

  @Test("gives the reference's bytes for every exact activation", arguments: exactActivations)
  func activations(activation: swk_activation) {
    var random = RandomSource(seed: 12)
    for shape in [Self.shapes[3], Self.shapes[9]] {
      let numbers = DepthwiseNumbers(shape, from: &random)
      for type in [SWK_U8, SWK_S8, SWK_F32] {
        let arguments = shape.arguments(
          SWK_U8, zeroPoint: 100, random.epilogue(type, activation))
        let pixels = random.elements(SWK_U8, count: 2 * shape.height * shape.width * shape.channels)
        let rows = 0..<arguments.batch * arguments.output_height
        #expect(
          numbers.output(arguments, pixels, ranges: [rows])
            == numbers.reference(arguments, pixels), "\(type)")
      }
    }
  }

  @Test("does not depend on how the rows are split", arguments: [1, 2, 3, 5])
  func splits(size: Int) {
    var random = RandomSource(seed: 13)
    for shape in [Self.shapes[1], Self.shapes[6], Self.shapes[8]] {
      let numbers = DepthwiseNumbers(shape, from: &random)
      let arguments = shape.arguments(SWK_U8, zeroPoint: 7, random.epilogue(SWK_U8, SWK_NONE))
      let pixels = random.elements(SWK_U8, count: 2 * shape.height * shape.width * shape.channels)
      let rows = arguments.batch * arguments.output_height
      let parts = stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
      #expect(
        numbers.output(arguments, pixels, ranges: parts.reversed())
          == numbers.output(arguments, pixels, ranges: [0..<rows]))
    }
  }

  @Test("clamps values far beyond the range of integers")
  func overflow() {
    var random = RandomSource(seed: 14)
    let shape = Self.shapes[2]
    var numbers = DepthwiseNumbers(shape, from: &random)
    numbers.scale = numbers.scale.map { $0 * 1e12 }
    numbers.bias[0] = .nan
    numbers.bias[1] = .infinity
    let arguments = shape.arguments(SWK_S8, zeroPoint: 3, random.epilogue(SWK_U8, SWK_NONE))
    let pixels = random.elements(SWK_S8, count: 2 * shape.height * shape.width * shape.channels)
    let rows = 0..<arguments.batch * arguments.output_height
    #expect(
      numbers.output(arguments, pixels, ranges: [rows]) == numbers.reference(arguments, pixels))
  }

  /// One channel, 2 × 2 pixels 1 2 / 3 4 (zero point 1: real 0 1 / 2 3), kernel 3 × 3 of taps
  /// 1...9, padding 1.
  ///
  /// The centre tap 5 lies on the output pixel: output (0, 0) is
  /// 5·0 + 6·1 + 8·2 + 9·3 = 49, (0, 1) is 4·0 + 5·1 + 7·2 + 8·3 = 43,
  /// (1, 0) is 2·0 + 3·1 + 5·2 + 6·3 = 31, (1, 1) is 1·0 + 2·1 + 4·2 + 5·3 = 25.
  @Test("agrees with a convolution worked by hand")
  func byHand() {
    var random = RandomSource(seed: 15)
    let shape = DepthwiseShape(channels: 1, height: 2, width: 2, kernel: 3, stride: 1, padding: 1)
    var numbers = DepthwiseNumbers(shape, from: &random)
    numbers.weights = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    numbers.scale = [1]
    numbers.bias = [-1]
    let epilogue = swk_epilogue(
      type: SWK_U8, activation: SWK_NONE, alpha: 0, beta: 0, inverse_scale: 0.5, zero_point: 10)
    let arguments = shape.arguments(SWK_U8, zeroPoint: 1, epilogue, batch: 1)
    let out = numbers.output(arguments, [1, 2, 3, 4], ranges: [0..<2])
    #expect(Array(out.prefix(4)) == [34, 31, 25, 22])
  }
}
