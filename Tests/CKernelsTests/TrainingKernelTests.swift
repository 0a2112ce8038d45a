// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The kernels of training")
struct TrainingKernelTests {
  typealias Cases = TrainingKernelCases

  @Test("do on every instruction set what their scalar twins do")
  func everyTarget() async {
    await #expect(processExitsWith: .success) {
      var index = 0
      while let name = swk_target_at(index) {
        swk_use_target(index)
        #expect(String(cString: swk_target_name()) == String(cString: name))
        TrainingKernelCases.all()
        index += 1
      }
      #expect(index > 0)
    }
  }

  @Test("take statistics as their scalar twins do", arguments: Cases.types)
  func statistics(type: swk_type) {
    for (rows, channels) in Cases.sizes {
      Cases.statistics(type, rows: rows, channels: channels)
      Cases.channelSum(type, rows: rows, channels: channels)
    }
  }

  @Test("normalize as their scalar twins do", arguments: Cases.types, Cases.activations)
  func normalization(type: swk_type, activation: swk_training_activation) {
    for (rows, channels) in Cases.sizes {
      Cases.apply(type, activation, rows: rows, channels: channels)
      Cases.gradient(type, activation, rows: rows, channels: channels)
    }
  }

  @Test("differentiate elementwise functions as their scalar twins do", arguments: Cases.types)
  func elements(type: swk_type) {
    for (rows, channels) in Cases.sizes {
      Cases.elements(type, count: rows * channels)
      Cases.channelScale(type, pixels: rows, channels: channels)
      Cases.dropout(type, rows: rows, channels: channels)
    }
  }

  @Test("differentiate pools as their scalar twins do", arguments: [1, 21, 64, 530])
  func pools(channels: Int) {
    for type in Cases.types {
      for window in PoolKernelTests.windows { Cases.pools(type, window, channels: channels) }
    }
  }

  @Test("compute the cross entropy within its tolerance", arguments: [1, 10, 1001])
  func crossEntropy(classes: Int) {
    for type in Cases.types { Cases.crossEntropy(type, classes: classes) }
  }

  @Test("update parameters as their scalar twins do", arguments: [0, 1, 15, 16, 17, 333])
  func updates(count: Int) {
    Cases.updates(count: count)
    Cases.sums(count: count)
  }

  /// Values 1, 2, 3, 6 in shards of 3 and 1: mean 3, squared deviations 4 + 1 + 0 + 9 = 14, so
  /// variance 3.5 and unbiased variance 14/3.
  @Test("combine statistics of shards as worked by hand")
  func combination() {
    var partials = [Double](repeating: 0, count: 4)
    swk_batchnorm_statistics(SWK_F32, [1, 2, 3, 6] as [Float], &partials, 1, 0, 3)
    #expect(partials[0] == 2 && partials[1] == 2)
    var last = [0.0, 0.0]
    swk_batchnorm_statistics(SWK_F32, [1, 2, 3, 6] as [Float], &last, 1, 3, 4)
    #expect(last == [6, 0])
    partials[2] = 6
    let results = combined(partials, rows: [3, 1])
    #expect(results[0] == [3])
    #expect(results[1] == [Float(1 / (3.5 + 0.5).squareRoot())])
    #expect(results[2] == [Float(10 * 0.75 + 3 * 0.25)])
    #expect(results[3] == [Float(2 * 0.75 + 14 / 3 * 0.25)])
    #expect(results[4] == [Float(4 * 0.5)])
    #expect(results[5] == [Float(1 - 3 * 2)])
  }

  @Test("keep running statistics where a batch is empty")
  func emptyBatch() {
    let results = combined([0, 0, 0, 0], rows: [0, 0])
    #expect(results[2] == [10] && results[3] == [2])
  }

  /// One channel with scale 4, bias 1, running mean 10, running variance 2, epsilon 0.5.
  private func combined(_ partials: [Double], rows: [Int]) -> [[Float]] {
    let given: [Float] = [4, 1, 10, 2]
    var results = [Float](repeating: -1, count: 6)
    given.withUnsafeBufferPointer { given in
      results.withUnsafeMutableBufferPointer { results in
        guard let given = given.baseAddress, let results = results.baseAddress else { return }
        var args = swk_batchnorm(
          channels: 1, epsilon: 0.5, momentum: 0.75, scale: given, bias: given + 1,
          running_mean: given + 2, running_variance: given + 3, mean: results,
          inverse_deviation: results + 1, updated_mean: results + 2,
          updated_variance: results + 3, factor: results + 4, offset: results + 5)
        swk_batchnorm_combine(&args, partials, rows, rows.count)
      }
    }
    return results.map { [$0] }
  }

  /// Deviations of ±1 around 10⁶: sums of squares in f32 would have lost the variance altogether.
  @Test("measure the variance far from zero")
  func farFromZero() {
    let x = (0..<4096).map { Float(1_000_000 + ($0 % 2 == 0 ? 1 : -1)) }
    var partial = [0.0, 0.0]
    swk_batchnorm_statistics(SWK_F32, x, &partial, 1, 0, x.count)
    #expect(partial == [1_000_000, 4096])
  }

  @Test("find no variance where all rows are equal", arguments: [3, 16, 500])
  func constant(rows: Int) {
    let x = [Float](repeating: 0.1, count: rows)
    var partial = [0.0, 0.0]
    swk_batchnorm_statistics(SWK_F32, x, &partial, 1, 0, rows)
    #expect(partial == [Double(0.1 as Float), 0])
  }

  /// d scale = Σ g·x̂ and d bias = Σ g; with one channel, g = (1, 0, 2), x̂ = (−1, 0, 1), scale 2
  /// and inverse deviation 0.5: dX = 2 · 0.5 · (g − 1 − x̂ / 3).
  @Test("give the gradients of a normalization as worked by hand")
  func gradientByHand() {
    let x: [Float] = [-2, 0, 2], dy: [Float] = [1, 5, 2], y: [Float] = [1, 0, 3]
    let mean: [Float] = [0]
    var partial = [0.0, 0.0], dScale: [Float] = [0], dBias: [Float] = [0]
    var factors: [Float] = [0, 0, 0], dx: [Float] = [0, 0, 0]
    x.withUnsafeBufferPointer { x in
      dy.withUnsafeBufferPointer { dy in
        y.withUnsafeBufferPointer { y in
          mean.withUnsafeBufferPointer { mean in
            guard let x = x.baseAddress, let dy = dy.baseAddress, let mean = mean.baseAddress
            else { return }
            var args = swk_batchnorm_gradient(
              type: SWK_F32, activation: SWK_TRAINING_RELU, channels: 1, dy: dy, dy2: nil, x: x,
              y: y.baseAddress, mean: mean, factor: nil, offset: nil)
            swk_batchnorm_gradient_sums(&args, nil, &partial, 0, 3)
            swk_batchnorm_gradient_combine(
              partial, 1, 3, 1, [2], [0.5], &dScale, &dBias, &factors)
            swk_batchnorm_gradient_apply(&args, factors, &dx, 0, 3)
          }
        }
      }
    }
    #expect(dScale == [1] && dBias == [3])
    for (value, expected) in zip(dx, [1.0 / 3, -1, 2.0 / 3] as [Float]) {
      // Three products and sums of numbers up to 2.
      #expect(abs(value - expected) <= 4 * Float(2).ulp)
    }
  }

  @Test("pass NaN on", arguments: Cases.activations)
  func notANumber(activation: swk_training_activation) {
    let x = [Float](repeating: .nan, count: 20), ones = [Float](repeating: 1, count: 20)
    var y = [Float](repeating: 0, count: 20)
    swk_batchnorm_apply(SWK_F32, activation, x, ones, ones, nil, &y, 20, 0, 1)
    #expect(y.allSatisfy { $0.isNaN })
    var losses = [0.0]
    swk_softmax_cross_entropy(SWK_F32, x, ones, &y, &losses, 20, 0, 1)
    #expect(y.allSatisfy { $0.isNaN } && losses[0].isNaN)
  }

  /// Logits (0, ln 3) are probabilities (1/4, 3/4); targets (1, 0): loss ln 4.
  @Test("give loss and gradient of a row as worked by hand")
  func crossEntropyByHand() {
    var p: [Float] = [0, 0], losses = [0.0], gradient: [Float] = [0, 0]
    let logits: [Float] = [0, 1.0986123], targets: [Float] = [1, 0]
    swk_softmax_cross_entropy(SWK_F32, logits, targets, &p, &losses, 2, 0, 1)
    #expect(abs(p[0] - 0.25) <= 2e-7 && abs(p[1] - 0.75) <= 2e-7)
    #expect(abs(losses[0] - 1.3862944) <= 1e-6)
    swk_softmax_cross_entropy_gradient(SWK_F32, [0.25, 0.75], targets, 2, &gradient, 2, 0, 1)
    #expect(gradient == [-1.5, 1.5])
  }

  @Test("drop the elements that the counted random numbers name", arguments: [0, 0.3, 0.75])
  func dropout(ratio: Float) {
    let channels = 5, pixels = 7, random = CounterRandom(stream: 3, step: 11)
    var args = swk_dropout_args(
      type: SWK_F32, ratio: ratio, seed: random.seed, channels: channels, pixels: pixels)
    let count = 2 * channels * pixels, x = (0..<count).map { Float($0 + 1) }
    var y = x
    swk_dropout(&args, x, &y, 0, 2 * pixels)
    for image in 0..<2 {
      for pixel in 0..<pixels {
        for channel in 0..<channels {
          let at = (image * pixels + pixel) * channels + channel
          let index = (image * channels + channel) * pixels + pixel
          let kept = random.uniform(at: index) >= ratio
          #expect(y[at] == (kept ? x[at] * (1 / (1 - ratio)) : 0))
        }
      }
    }
  }

  /// One step from rest with gradient 2 · 0.5 + 0.1 · 1: v = 1.1, w = 1 − 0.5 · (1.1 + 0.9 · 1.1).
  @Test("take the first step of each optimizer as worked by hand")
  func firstSteps() {
    var w: [Float] = [1], v: [Float] = [0], m: [Float] = [0]
    var sgd = swk_sgd(rate: 0.5, momentum: 0.9, decay: 0.1, gradient_scale: 0.5, nesterov: 1)
    swk_sgd_update(&sgd, &w, [2], &v, 0, 1)
    #expect(abs(w[0] - (1 - 0.5 * 2.09)) <= 1e-6 && abs(v[0] - 1.1) <= 1e-6)
    // Adam's first step has length `rate`, and decoupled decay takes `rate · decay · w`.
    w = [1]
    v = [0]
    var adam = swk_adam(
      rate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 0, decay: 0.1, gradient_scale: 1, step: 1,
      decouples_decay: 1)
    swk_adam_update(&adam, &w, [-3], &m, &v, 0, 1)
    #expect(abs(w[0] - (0.95 + 0.5)) <= 1e-6)
    // s = 0.25 · 4 = 1, so v = 2 / 1.
    w = [1]
    v = [0]
    m = [0]
    var rmsprop = swk_rmsprop(
      rate: 0.5, smoothing: 0.75, epsilon: 0, momentum: 0.9, decay: 0, gradient_scale: 1)
    swk_rmsprop_update(&rmsprop, &w, [2], &m, &v, 0, 1)
    #expect(w == [0] && m == [1] && v == [2])
    w = [1]
    swk_average_update(0.75, &w, [5], 0, 1)
    #expect(w == [2])
  }

  @Test("round to bf16 with ties to even, keep infinities and NaN")
  func rounding() {
    let values: [Float] = [1, 1.00390625, 1.01171875, -.infinity, .nan, 3.4e38, 0, -0.0]
    var bits = [UInt16](repeating: 0, count: values.count)
    swk_f32_to_bf16(values, &bits, values.count)
    #expect(bits[0] == 0x3F80 && bits[1] == 0x3F80 && bits[2] == 0x3F82)
    #expect(bits[3] == 0xFF80 && bits[4] & 0x7FC0 == 0x7FC0 && bits[5] == 0x7F80)
    #expect(bits[6] == 0 && bits[7] == 0x8000)
  }
}
