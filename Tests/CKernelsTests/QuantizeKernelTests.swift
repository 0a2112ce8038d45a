// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The kernels of fake quantization")
struct QuantizeKernelTests {
  static let types = [SWK_F32, SWK_BF16]
  static let counts = [0, 1, 15, 16, 37, 2048, 5001]
  static let gradients = [SWK_STEP_NONE, SWK_STEP_LEARNED, SWK_STEP_CLIPPING]

  static func arguments(
    _ type: swk_type, _ gradient: swk_step_gradient, includesEnds: Bool
  ) -> swk_fake_quantize_args {
    swk_fake_quantize_args(
      type: type, step_gradient: gradient, includes_ends: includesEnds ? 1 : 0, low: -2, high: 5,
      step: 0.5, offset: gradient == SWK_STEP_NONE ? 0 : 0.25)
  }

  static func all() {
    for type in types {
      for count in counts {
        for gradient in gradients {
          quantization(type, gradient, count: count)
        }
        logarithm(type, count: count)
        extremes(type, count: count)
      }
    }
  }

  static func quantization(_ type: swk_type, _ gradient: swk_step_gradient, count: Int) {
    var random = RandomSource(seed: 5)
    let dy = random.elements(type, count: count), x = random.elements(type, count: count)
    for includesEnds in [false, true] {
      var args = arguments(type, gradient, includesEnds: includesEnds)
      let expected = written(type, count: count) {
        swk_fake_quantize_reference(&args, x, $0, 0, count)
      }
      #expect(
        written(type, count: count) {
          swk_fake_quantize(&args, x, $0, 0, count / 3)
          swk_fake_quantize(&args, x, $0, count / 3, count)
        } == expected, "\(type), \(count) elements")
      var sums = [0.0, 0.0], expectedSums = sums
      let dx = written(type, count: count) {
        swk_fake_quantize_gradient_reference(&args, dy, x, $0, &expectedSums, 0, count)
      }
      #expect(
        written(type, count: count) {
          swk_fake_quantize_gradient(&args, dy, x, $0, &sums, 0, count)
        } == dx, "\(type), \(gradient), \(count) elements")
      #expect(sums == expectedSums, "\(type), \(gradient), \(count) elements")
    }
  }

  static func logarithm(_ type: swk_type, count: Int) {
    var random = RandomSource(seed: 6)
    let x = random.elements(type, count: count)
    for (halves, least, greatest) in [(Int32(0), Int32(-3), Int32(1)), (1, -9, 4)] {
      var args = swk_log_quantize_args(
        type: type, halves: halves, least: least, greatest: greatest)
      let expected = written(type, count: count) {
        swk_log_quantize_reference(&args, x, $0, 0, count)
      }
      #expect(
        written(type, count: count) { swk_log_quantize(&args, x, $0, 0, count) } == expected)
    }
  }

  static func extremes(_ type: swk_type, count: Int) {
    var random = RandomSource(seed: 7)
    let x = random.elements(type, count: count)
    var range: [Float] = [0, 0], expected = range
    swk_minimum_maximum(type, x, &range, 0, count)
    swk_minimum_maximum_reference(type, x, &expected, 0, count)
    #expect(range == expected)
  }

  @Test("do on every instruction set what their scalar twins do")
  func everyTarget() async {
    await #expect(processExitsWith: .success) {
      var index = 0
      while swk_target_at(index) != nil {
        swk_use_target(index)
        QuantizeKernelTests.all()
        index += 1
      }
      #expect(index > 0)
    }
  }

  /// Step 0.5 and codes −2…1: −1.6 lies below, 0.9 above, ties go to the even code.
  @Test("round to codes as worked by hand, special values included")
  func worked() {
    var args = swk_fake_quantize_args(
      type: SWK_F32, step_gradient: SWK_STEP_LEARNED, includes_ends: 0, low: -2, high: 1,
      step: 0.5, offset: 0)
    let x: [Float] = [-1.6, -0.6, 0.2, 0.26, 0.74, 0.9, 0.25, .nan, .infinity, -.infinity]
    var y = [Float](repeating: 7, count: x.count)
    swk_fake_quantize(&args, x, &y, 0, x.count)
    #expect(y == [-1, -0.5, 0, 0.5, 0.5, 0.5, 0, -1, 0.5, -1])
  }

  @Test("round to powers of two as worked by hand")
  func worked2() {
    var args = swk_log_quantize_args(type: SWK_F32, halves: 0, least: -5, greatest: 1)
    let x: [Float] = [0, 0.02, 0.03, 0.1, 0.35, -0.36, 1, 1.4, 1.5, 3, .infinity, .nan, 0x1p-130]
    var y = [Float](repeating: 7, count: x.count)
    swk_log_quantize(&args, x, &y, 0, x.count)
    #expect(y == [0, 0, 0.03125, 0.125, 0.25, -0.5, 1, 1, 2, 2, 2, 0, 0])
  }
}
