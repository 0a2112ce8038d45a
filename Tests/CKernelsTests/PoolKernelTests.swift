// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The pooling kernels")
struct PoolKernelTests {
  /// Windows over a 9 × 8 source: kernel, stride, padding, dilation.
  static let windows = [(2, 2, 0, 1), (3, 2, 1, 1), (3, 1, 1, 1), (3, 1, 2, 2), (4, 3, 1, 1)]

  static func pool(_ window: (Int, Int, Int, Int), channels: Int, type: swk_type) -> swk_pool {
    let (kernel, stride, padding, dilation) = window
    let extent = (kernel - 1) * dilation + 1
    return swk_pool(
      channels: channels, height: 9, width: 8,
      output_height: (9 + 2 * padding - extent) / stride + 1,
      output_width: (8 + 2 * padding - extent) / stride + 1,
      kernel_height: kernel, kernel_width: kernel, stride_height: stride, stride_width: stride,
      dilation_height: dilation, dilation_width: dilation, pad_top: padding, pad_left: padding,
      type: type)
  }

  @Test(
    "take the maximum of each window as the reference does", arguments: [SWK_U8, SWK_S8],
    [1, 15, 64, 75])
  func maximum(type: swk_type, channels: Int) {
    var random = RandomSource(seed: 41)
    for window in Self.windows {
      var arguments = Self.pool(window, channels: channels, type: type)
      let pixels = random.elements(type, count: 2 * 9 * 8 * channels)
      let rows = 2 * arguments.output_height
      let count = rows * arguments.output_width * channels
      #expect(
        written(type, count: count) {
          swk_max_pool(&arguments, pixels, $0, 0, 3)
          swk_max_pool(&arguments, pixels, $0, 3, rows)
        }
          == written(type, count: count) {
            swk_max_pool_reference(&arguments, pixels, $0, 0, rows)
          }, "\(window)")
    }
  }

  @Test(
    "average each window as the reference does", arguments: [SWK_U8, SWK_S8], [1, 17, 70])
  func average(type: swk_type, channels: Int) {
    var random = RandomSource(seed: 42)
    for window in Self.windows {
      for (index, result) in storedTypes.enumerated() {
        let countsPadding = Int32(index % 2)
        var arguments = Self.pool(window, channels: channels, type: type)
        var format = random.format(type)
        var epilogue = random.epilogue(result, SWK_NONE)
        let pixels = random.elements(type, count: 2 * 9 * 8 * channels)
        let rows = 2 * arguments.output_height
        let count = rows * arguments.output_width * channels
        #expect(
          written(result, count: count) {
            swk_average_pool(&arguments, countsPadding, &format, pixels, &epilogue, $0, 0, 3)
            swk_average_pool(&arguments, countsPadding, &format, pixels, &epilogue, $0, 3, rows)
          }
            == written(result, count: count) {
              swk_average_pool_reference(
                &arguments, countsPadding, &format, pixels, &epilogue, $0, 0, rows)
            }, "\(window) to \(result)")
      }
    }
  }

  @Test(
    "average whole images as the reference does", arguments: storedTypes, [1, 15, 64, 83, 600])
  func global(type: swk_type, channels: Int) {
    var random = RandomSource(seed: 43)
    let batch = 2, pixels = 10
    for result in storedTypes {
      var format = random.format(type)
      var epilogue = random.epilogue(result, SWK_RELU)
      let elements = random.elements(type, count: batch * pixels * channels)
      #expect(
        written(result, count: batch * channels) {
          swk_global_average(&format, elements, &epilogue, $0, channels, pixels, 1, 2)
          swk_global_average(&format, elements, &epilogue, $0, channels, pixels, 0, 1)
        }
          == written(result, count: batch * channels) {
            swk_global_average_reference(
              &format, elements, &epilogue, $0, channels, pixels, 0, batch)
          }, "to \(result)")
    }
  }

  /// Codes 2, 4, 9 and zero point 1: real (1 + 3 + 8) · 0.5 / 3 = 2.
  @Test("average codes as worked by hand")
  func byHand() {
    var format = swk_format(type: SWK_U8, scale: 0.5, zero_point: 1)
    var epilogue = swk_epilogue(
      type: SWK_F32, activation: SWK_NONE, alpha: 0, beta: 0, inverse_scale: 1, zero_point: 0)
    var mean: [Float] = [0]
    swk_global_average(&format, [2, 4, 9] as [UInt8], &epilogue, &mean, 1, 3, 0, 1)
    #expect(mean == [2])
  }
}
