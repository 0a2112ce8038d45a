// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

/// What is checked of the kernels of training, on whichever instruction set is in use.
enum TrainingKernelCases {
  static let types: [swk_type] = [SWK_F32, SWK_BF16]
  static let activations: [swk_training_activation] = [
    SWK_TRAINING_NONE, SWK_TRAINING_RELU, SWK_TRAINING_RELU6, SWK_TRAINING_HARD_SWISH,
  ]
  /// Rows and channels: whole vectors, parts of them, and what spans blocks and tables.
  static let sizes = [
    (0, 5), (1, 1), (1, 16), (15, 3), (16, 8), (17, 21), (127, 24), (129, 10), (300, 16),
    (131, 64), (40, 75), (3, 530),
  ]

  /// Some of everything.
  static func all() {
    for type in types {
      for (rows, channels) in [(17, 21), (129, 10), (131, 64), (3, 530)] {
        statistics(type, rows: rows, channels: channels)
        channelSum(type, rows: rows, channels: channels)
        dropout(type, rows: rows, channels: channels)
        elements(type, count: rows * channels)
        channelScale(type, pixels: rows, channels: channels)
        for activation in activations {
          apply(type, activation, rows: rows, channels: channels)
          gradient(type, activation, rows: rows, channels: channels)
        }
      }
      for window in PoolKernelTests.windows.prefix(3) {
        for channels in [21, 64] { pools(type, window, channels: channels) }
      }
      for classes in [10, 101] { crossEntropy(type, classes: classes) }
    }
    for shape in AdderKernelTests.cases.prefix(5) { AdderKernelTests.check(shape) }
    for count in [15, 100] {
      updates(count: count)
      sums(count: count)
    }
  }

  static func statistics(_ type: swk_type, rows: Int, channels: Int) {
    var random = RandomSource(seed: 61)
    let x = random.elements(type, count: (rows + 2) * channels)
    var fast = [Double](repeating: 7, count: 2 * channels), expected = fast
    swk_batchnorm_statistics(type, x, &fast, channels, 1, rows + 1)
    swk_batchnorm_statistics_reference(type, x, &expected, channels, 1, rows + 1)
    #expect(fast == expected, "\(type), \(rows) × \(channels)")
  }

  static func channelSum(_ type: swk_type, rows: Int, channels: Int) {
    var random = RandomSource(seed: 62)
    let x = random.elements(type, count: (rows + 2) * channels)
    var fast = [Double](repeating: 7, count: channels), expected = fast
    swk_channel_sum(type, x, &fast, channels, 1, rows + 1)
    swk_channel_sum_reference(type, x, &expected, channels, 1, rows + 1)
    #expect(fast == expected, "\(type), \(rows) × \(channels)")
  }

  static func apply(
    _ type: swk_type, _ activation: swk_training_activation, rows: Int, channels: Int
  ) {
    var random = RandomSource(seed: 63)
    let count = rows * channels
    let x = random.elements(type, count: count), addend = random.elements(type, count: count)
    let factor = random.reals(count: channels).map { $0 * 0.02 }
    let offset = random.reals(count: channels).map { $0 * 0.1 }
    for added in [addend, nil] {
      let expected = written(type, count: count) { y in
        swk_batchnorm_apply_reference(
          type, activation, x, factor, offset, added, y, channels, 0, rows)
      }
      let fast = written(type, count: count) { y in
        for (begin, end) in [(0, rows / 3), (rows / 3, rows)] {
          swk_batchnorm_apply(
            type, activation, x, factor, offset, added, y, channels, begin, end)
        }
      }
      #expect(fast == expected, "\(type), \(activation), \(rows) × \(channels)")
      let inPlace = changed(x) {
        swk_batchnorm_apply(type, activation, $0, factor, offset, added, $0, channels, 0, rows)
      }
      #expect(inPlace == Array(expected.prefix(x.count)), "in place of x")
    }
    let inPlace = changed(addend) {
      swk_batchnorm_apply(type, activation, x, factor, offset, $0, $0, channels, 0, rows)
    }
    let apart = written(type, count: count) { y in
      swk_batchnorm_apply(type, activation, x, factor, offset, addend, y, channels, 0, rows)
    }
    #expect(inPlace == Array(apart.prefix(addend.count)), "in place of the addend")
  }

  static func gradient(
    _ type: swk_type, _ activation: swk_training_activation, rows: Int, channels: Int
  ) {
    var random = RandomSource(seed: 64)
    let count = rows * channels
    let arrays = (0..<4).map { _ in random.elements(type, count: count) }
    let parameters = (0..<6).map { _ in random.reals(count: channels).map { $0 * 0.05 } }
    let factors = parameters[3...].flatMap { $0 }
    let comment: Comment = "\(type), \(activation), \(rows) × \(channels)"
    for hasResult in [true, false] {
      withArguments(type, activation, channels, arrays, parameters, second: true) { arguments in
        let arguments = hasResult ? arguments : arguments.withoutResult
        withUnsafePointer(to: arguments) { args in
          var partial = [Double](repeating: 7, count: 2 * channels), expectedPartial = partial
          let g = written(type, count: count) {
            swk_batchnorm_gradient_sums_reference(args, $0, &expectedPartial, 0, rows)
          }
          let fast = written(type, count: count) {
            swk_batchnorm_gradient_sums(args, $0, &partial, 0, rows)
          }
          #expect(fast == g && partial == expectedPartial, comment)
          swk_batchnorm_gradient_sums(args, nil, &partial, 0, rows)
          #expect(partial == expectedPartial, comment)

          let expected = written(type, count: count) {
            swk_batchnorm_gradient_apply_reference(args, factors, $0, 0, rows)
          }
          let dx = written(type, count: count) {
            swk_batchnorm_gradient_apply(args, factors, $0, 0, rows / 3)
            swk_batchnorm_gradient_apply(args, factors, $0, rows / 3, rows)
          }
          #expect(dx == expected, comment)
        }
      }
      withArguments(type, activation, channels, arrays, parameters, second: false) { arguments in
        let arguments = hasResult ? arguments : arguments.withoutResult
        withUnsafePointer(to: arguments) { args in
          var partial = [Double](repeating: 7, count: 2 * channels), expectedPartial = partial
          swk_batchnorm_gradient_sums_reference(args, nil, &expectedPartial, 0, rows)
          swk_batchnorm_gradient_sums(args, nil, &partial, 0, rows)
          #expect(partial == expectedPartial, comment)
        }
      }
    }
    gradientInPlace(type, activation, channels, rows, arrays, parameters)
  }

  /// Each array that the result may replace, replaced.
  private static func gradientInPlace(
    _ type: swk_type, _ activation: swk_training_activation, _ channels: Int, _ rows: Int,
    _ arrays: [[UInt8]], _ parameters: [[Float]]
  ) {
    let factors = parameters[3...].flatMap { $0 }
    let count = rows * channels
    for replaced in arrays.indices {
      withArguments(type, activation, channels, arrays, parameters, second: true) { arguments in
        let size = arrays[replaced].count
        let dx = written(type, count: count) { inputGradient(arguments, factors, $0, rows) }
        let dxInPlace = changed(arrays[replaced]) {
          inputGradient(arguments.replacing(replaced, by: $0), factors, $0, rows)
        }
        #expect(dxInPlace == Array(dx.prefix(size)), "dx in place of array \(replaced)")
        let g = written(type, count: count) { maskedGradient(arguments, $0, rows) }
        let gInPlace = changed(arrays[replaced]) {
          maskedGradient(arguments.replacing(replaced, by: $0), $0, rows)
        }
        #expect(
          replaced == 2 || gInPlace == Array(g.prefix(size)), "g in place of array \(replaced)")
      }
    }
  }

  private static func inputGradient(
    _ arguments: swk_batchnorm_gradient, _ factors: [Float], _ dx: UnsafeMutableRawPointer,
    _ rows: Int
  ) {
    var arguments = arguments
    swk_batchnorm_gradient_apply(&arguments, factors, dx, 0, rows)
  }

  private static func maskedGradient(
    _ arguments: swk_batchnorm_gradient, _ g: UnsafeMutableRawPointer, _ rows: Int
  ) {
    var arguments = arguments
    var partial = [Double](repeating: 0, count: 2 * arguments.channels)
    swk_batchnorm_gradient_sums(&arguments, g, &partial, 0, rows)
  }

  private static func withArguments(
    _ type: swk_type, _ activation: swk_training_activation, _ channels: Int,
    _ arrays: [[UInt8]], _ parameters: [[Float]], second: Bool,
    _ body: (swk_batchnorm_gradient) -> Void
  ) {
    // A buffer of no elements has no address; the kernels want one even where they read nothing.
    let arrays = arrays.map { $0 + [0, 0, 0, 0] }
    arrays[0].withUnsafeBytes { dy in
      arrays[1].withUnsafeBytes { dy2 in
        arrays[2].withUnsafeBytes { x in
          arrays[3].withUnsafeBytes { y in
            parameters[0].withUnsafeBufferPointer { mean in
              parameters[1].withUnsafeBufferPointer { factor in
                parameters[2].withUnsafeBufferPointer { offset in
                  guard let dy = dy.baseAddress, let x = x.baseAddress,
                    let mean = mean.baseAddress
                  else { return }
                  body(
                    swk_batchnorm_gradient(
                      type: type, activation: activation, channels: channels, dy: dy,
                      dy2: second ? dy2.baseAddress : nil, x: x, y: y.baseAddress, mean: mean,
                      factor: factor.baseAddress, offset: offset.baseAddress))
                }
              }
            }
          }
        }
      }
    }
  }
}

extension swk_batchnorm_gradient {
  /// With the argument of the activation in place of its result.
  var withoutResult: Self {
    var arguments = self
    arguments.y = nil
    return arguments
  }

  /// With its array at `index` (dY, second dY, X, Y) elsewhere.
  func replacing(_ index: Int, by array: UnsafeMutableRawPointer) -> Self {
    var arguments = self
    switch index {
    case 0: arguments.dy = UnsafeRawPointer(array)
    case 1: arguments.dy2 = UnsafeRawPointer(array)
    case 2: arguments.x = UnsafeRawPointer(array)
    default: arguments.y = UnsafeRawPointer(array)
    }
    return arguments
  }
}

/// What `change` makes of a copy of some bytes.
func changed(_ bytes: [UInt8], by change: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
  var copy = bytes + [0, 0, 0, 0]
  copy.withUnsafeMutableBytes { buffer in
    if let base = buffer.baseAddress { change(base) }
  }
  return Array(copy.dropLast(4))
}
