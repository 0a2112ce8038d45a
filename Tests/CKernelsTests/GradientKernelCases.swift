// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

extension TrainingKernelCases {
  /// Functions whose gradients are the same bytes on every instruction set, with their bounds.
  static let exactFunctions: [(swk_gradient_function, Float, Float)] = [
    (SWK_GRADIENT_CLIP, -3, 6), (SWK_GRADIENT_CLIP, 0, .infinity),
    (SWK_GRADIENT_HARD_SIGMOID, 0.2, 0.5), (SWK_GRADIENT_HARD_SWISH, 0, 0),
    (SWK_GRADIENT_LEAKY_RELU, 0.01, 0),
  ]
  static let smoothFunctions: [swk_gradient_function] = [
    SWK_GRADIENT_SIGMOID, SWK_GRADIENT_TANH, SWK_GRADIENT_SILU,
  ]

  static func elements(_ type: swk_type, count: Int) {
    var random = RandomSource(seed: 71)
    let a = random.elements(type, count: count), b = random.elements(type, count: count)
    let sum = written(type, count: count) { swk_add_real_reference(type, a, b, $0, 0, count) }
    #expect(
      written(type, count: count) {
        swk_add_real(type, a, b, $0, 0, count / 3)
        swk_add_real(type, a, b, $0, count / 3, count)
      } == sum, "\(type), \(count) elements")
    #expect(changed(a) { swk_add_real(type, $0, b, $0, 0, count) } == Array(sum.prefix(a.count)))
    for (function, alpha, beta) in exactFunctions {
      var args = swk_unary_gradient_args(
        type: type, function: function, alpha: alpha, beta: beta)
      let expected = written(type, count: count) {
        swk_unary_gradient_reference(&args, a, b, $0, 0, count)
      }
      #expect(
        written(type, count: count) {
          swk_unary_gradient(&args, a, b, $0, 0, count / 3)
          swk_unary_gradient(&args, a, b, $0, count / 3, count)
        } == expected, "\(type), \(function)")
      #expect(
        changed(b) { swk_unary_gradient(&args, a, $0, $0, 0, count) }
          == Array(expected.prefix(b.count)), "in place of x")
    }
    smooth(count: count)
  }

  private static func smooth(count: Int) {
    var random = RandomSource(seed: 72)
    let dy = random.reals(count: count), x = random.reals(count: count)
    for function in smoothFunctions {
      var args = swk_unary_gradient_args(type: SWK_F32, function: function, alpha: 0, beta: 0)
      var fast = [Float](repeating: 0, count: count), exact = fast
      swk_unary_gradient(&args, dy, x, &fast, 0, count)
      swk_unary_gradient_reference(&args, dy, x, &exact, 0, count)
      for index in fast.indices {
        // The stated 1e-6 of the factor, times dy; rounding the product adds less than that.
        #expect(abs(fast[index] - exact[index]) <= abs(dy[index]) * 2e-6, "\(function)")
      }
    }
  }

  static func channelScale(_ type: swk_type, pixels: Int, channels: Int) {
    var random = RandomSource(seed: 73)
    let images = 2, count = images * pixels * channels
    let dy = random.elements(type, count: count), x = random.elements(type, count: count)
    let factor = random.elements(type, count: images * channels)
    var expectedFactor: [UInt8] = [], fastFactor: [UInt8] = []
    let expected = written(type, count: count) { dx in
      expectedFactor = written(type, count: images * channels) {
        swk_channel_scale_gradient_reference(
          type, dy, x, factor, dx, $0, channels, pixels, 0, images)
      }
    }
    let fast = written(type, count: count) { dx in
      fastFactor = written(type, count: images * channels) {
        swk_channel_scale_gradient(type, dy, x, factor, dx, $0, channels, pixels, 0, 1)
        swk_channel_scale_gradient(type, dy, x, factor, dx, $0, channels, pixels, 1, images)
      }
    }
    #expect(fast == expected && fastFactor == expectedFactor, "\(type), \(pixels) × \(channels)")
    let inPlace = changed(x) { array in
      fastFactor = written(type, count: images * channels) {
        swk_channel_scale_gradient(
          type, dy, array, factor, array, $0, channels, pixels, 0, images)
      }
    }
    #expect(inPlace == Array(expected.prefix(x.count)) && fastFactor == expectedFactor)
    #expect(
      written(type, count: count) {
        swk_global_average_gradient(type, factor, $0, channels, pixels, 0, 1)
        swk_global_average_gradient(type, factor, $0, channels, pixels, 1, images)
      }
        == written(type, count: count) {
          swk_global_average_gradient_reference(type, factor, $0, channels, pixels, 0, images)
        }, "\(type), \(pixels) × \(channels)")
  }

  static func dropout(_ type: swk_type, rows: Int, channels: Int) {
    var random = RandomSource(seed: 74)
    let count = 2 * rows * channels, x = random.elements(type, count: count)
    for ratio: Float in [0, 0.25, 0.9] {
      var args = swk_dropout_args(
        type: type, ratio: ratio, seed: 99, channels: channels, pixels: max(rows, 1))
      let expected = written(type, count: count) {
        swk_dropout_reference(&args, x, $0, 0, 2 * rows)
      }
      #expect(
        written(type, count: count) {
          swk_dropout(&args, x, $0, 0, rows / 3)
          swk_dropout(&args, x, $0, rows / 3, 2 * rows)
        } == expected, "\(type), \(rows) × \(channels), \(ratio)")
      #expect(
        changed(x) { swk_dropout(&args, $0, $0, 0, 2 * rows) } == Array(expected.prefix(x.count)))
    }
  }

  static func pools(_ type: swk_type, _ window: (Int, Int, Int, Int), channels: Int) {
    var random = RandomSource(seed: 75)
    var args = PoolKernelTests.pool(window, channels: channels, type: type)
    let images = 2, count = images * 9 * 8 * channels
    // Few different values, so that windows have several greatest ones.
    let x = random.elements(type, count: count, from: [-2, -1, 0, 1, 2])
    let outputs = images * args.output_height * args.output_width * channels
    let dy = random.elements(type, count: outputs)
    let size = swk_max_pool_gradient_scratch_size(&args)
    var scratch = [UInt16](repeating: 0, count: size / 2)
    #expect(
      written(type, count: count) {
        swk_max_pool_gradient(&args, dy, x, $0, &scratch, 0, 1)
        swk_max_pool_gradient(&args, dy, x, $0, &scratch, 1, images)
      }
        == written(type, count: count) {
          swk_max_pool_gradient_reference(&args, dy, x, $0, &scratch, 0, images)
        }, "max, \(type), \(window), \(channels)")
    for countsPadding: Int32 in [0, 1] {
      #expect(
        written(type, count: count) {
          swk_average_pool_gradient(&args, countsPadding, dy, $0, 0, 4)
          swk_average_pool_gradient(&args, countsPadding, dy, $0, 4, images * 9)
        }
          == written(type, count: count) {
            swk_average_pool_gradient_reference(&args, countsPadding, dy, $0, 0, images * 9)
          }, "average, \(type), \(window), \(channels)")
    }
  }

  static func crossEntropy(_ type: swk_type, classes: Int) {
    var random = RandomSource(seed: 76)
    let rows = 5, count = rows * classes
    let logits = random.elements(type, count: count)
    let targets = (0..<count).map { $0 % 3 == 0 ? Float(random.nextUniform()) : 0 }
    var fast = [Float](repeating: 0, count: count), exact = fast
    var losses = [Double](repeating: 0, count: rows), exactLosses = losses
    swk_softmax_cross_entropy(type, logits, targets, &fast, &losses, classes, 0, 2)
    swk_softmax_cross_entropy(type, logits, targets, &fast, &losses, classes, 2, rows)
    swk_softmax_cross_entropy_reference(
      type, logits, targets, &exact, &exactLosses, classes, 0, rows)
    for index in fast.indices {
      // Logits lie within ±20: the header's (8 + d) · 2⁻²⁴, with d up to 40.
      let tolerance = exact[index] * 48 * 0x1p-24 + 2e-36
      #expect(abs(fast[index] - exact[index]) <= tolerance, "\(classes) classes")
    }
    for row in losses.indices {
      #expect(abs(losses[row] - exactLosses[row]) <= 1e-6 * max(exactLosses[row], 1))
    }
    #expect(
      written(type, count: count) {
        swk_softmax_cross_entropy_gradient(type, exact, targets, 0.2, $0, classes, 0, 2)
        swk_softmax_cross_entropy_gradient(type, exact, targets, 0.2, $0, classes, 2, rows)
      }
        == written(type, count: count) {
          swk_softmax_cross_entropy_gradient_reference(
            type, exact, targets, 0.2, $0, classes, 0, rows)
        })
  }

  static func updates(count: Int) {
    var random = RandomSource(seed: 77)
    let weights = random.reals(count: count), gradient = random.reals(count: count)
    let state = random.reals(count: count).map { abs($0) }
    func check(
      _ name: Comment, _ fast: (inout [Float], inout [Float], inout [Float], Int, Int) -> Void,
      _ reference: (inout [Float], inout [Float], inout [Float], Int, Int) -> Void
    ) {
      var w = weights, first = state, second = state
      fast(&w, &first, &second, 0, count / 3)
      fast(&w, &first, &second, count / 3, count)
      var expected = (weights, state, state)
      reference(&expected.0, &expected.1, &expected.2, 0, count)
      #expect(w == expected.0 && first == expected.1 && second == expected.2, name)
    }
    for flag: Int32 in [0, 1] {
      var sgd = swk_sgd(
        rate: 0.1, momentum: 0.9, decay: 1e-4, gradient_scale: 0.5, nesterov: flag)
      check(
        "SGD", { swk_sgd_update(&sgd, &$0, gradient, &$1, $3, $4) },
        { swk_sgd_update_reference(&sgd, &$0, gradient, &$1, $3, $4) })
      var adam = swk_adam(
        rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01, gradient_scale: 0.5,
        step: 3, decouples_decay: flag)
      check(
        "Adam", { swk_adam_update(&adam, &$0, gradient, &$1, &$2, $3, $4) },
        { swk_adam_update_reference(&adam, &$0, gradient, &$1, &$2, $3, $4) })
    }
    var rmsprop = swk_rmsprop(
      rate: 0.1, smoothing: 0.9, epsilon: 1e-8, momentum: 0.5, decay: 0.01, gradient_scale: 0.5)
    check(
      "RMSProp", { swk_rmsprop_update(&rmsprop, &$0, gradient, &$1, &$2, $3, $4) },
      { swk_rmsprop_update_reference(&rmsprop, &$0, gradient, &$1, &$2, $3, $4) })
    check(
      "average", { w, _, _, begin, end in swk_average_update(0.99, &w, gradient, begin, end) },
      { w, _, _, begin, end in swk_average_update_reference(0.99, &w, gradient, begin, end) })
  }

  static func sums(count: Int) {
    var random = RandomSource(seed: 78)
    let values = random.reals(count: 3 * count + 5)
    for partials in [0, 1, 3] {
      var fast = [Float](repeating: 7, count: count), expected = fast
      swk_sum_partials(values, partials, count, &fast, 0, count / 3)
      swk_sum_partials(values, partials, count, &fast, count / 3, count)
      swk_sum_partials_reference(values, partials, count, &expected, 0, count)
      #expect(fast == expected)
    }
    #expect(swk_sum_squares(values, count) == swk_sum_squares_reference(values, count))
    var fast = [UInt16](repeating: 7, count: count), expected = fast
    swk_f32_to_bf16(values, &fast, count)
    swk_f32_to_bf16_reference(values, &expected, count)
    #expect(fast == expected)
    var wide = [Float](repeating: 7, count: count), expectedWide = wide
    swk_bf16_to_f32(fast, &wide, count)
    swk_bf16_to_f32_reference(fast, &expectedWide, count)
    #expect(wide == expectedWide)
  }
}

extension RandomSource {
  /// The bytes of `count` reals out of a few.
  mutating func elements(_ type: swk_type, count: Int, from values: [Float]) -> [UInt8] {
    let chosen = (0..<count).map { _ in values[nextIndex(below: values.count)] }
    guard type == SWK_BF16 else { return chosen.withUnsafeBytes { Array($0) } }
    let bits = chosen.map { UInt16($0.bitPattern >> 16) }
    return bits.withUnsafeBytes { Array($0) }
  }
}
