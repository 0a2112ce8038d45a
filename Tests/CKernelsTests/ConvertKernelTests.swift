// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The conversion kernels")
struct ConvertKernelTests {
  static let sourceTypes = storedTypes + [SWK_S32]
  static let counts = [0, 1, 7, 16, 33, 130]

  @Test(
    "convert every kind to every other as the reference does", arguments: sourceTypes, storedTypes)
  func convert(source: swk_type, destination: swk_type) {
    var random = RandomSource(seed: 21)
    for count in Self.counts {
      var from = random.format(source)
      var to = random.format(destination)
      let elements = random.elements(source, count: count)
      #expect(
        written(destination, count: count) { swk_convert(&from, elements, &to, $0, count) }
          == written(destination, count: count) {
            swk_convert_reference(&from, elements, &to, $0, count)
          }, "\(count)")
    }
  }

  @Test("copy the codes where both formats are the same", arguments: [SWK_U8, SWK_S8])
  func same(type: swk_type) {
    var random = RandomSource(seed: 22)
    var format = random.format(type)
    let codes = random.elements(type, count: 100)
    let copy = written(type, count: 100) { swk_convert(&format, codes, &format, $0, 100) }
    #expect(Array(copy.prefix(100)) == codes)
  }

  @Test("round ties to even, saturate, and give NaN the lowest code")
  func rounding() {
    var from = swk_format(type: SWK_F32, scale: 1, zero_point: 0)
    var to = swk_format(type: SWK_U8, scale: 2, zero_point: 10)
    let reals: [Float] = [1, 3, 5, -1, -3, 1e30, -1e30, .infinity, -.infinity, .nan, 480, 490.9]
    let codes = written(SWK_U8, count: reals.count) {
      swk_convert(&from, reals, &to, $0, reals.count)
    }
    let expected: [UInt8] = [10, 12, 12, 10, 8, 255, 0, 255, 0, 0, 250, 255]
    #expect(Array(codes.prefix(reals.count)) == expected)
  }

  /// 1 + 2⁻⁸ lies halfway between two bf16 values, as does 1 + 3·2⁻⁸: the even one wins.
  @Test("round bf16 to nearest, ties to even, and keep NaN and infinities")
  func bfloat16() {
    var from = swk_format(type: SWK_F32, scale: 1, zero_point: 0)
    var to = swk_format(type: SWK_BF16, scale: 1, zero_point: 0)
    let reals: [Float] = [1 + 0x1p-8, 1 + 0x3p-8, .infinity, .greatestFiniteMagnitude, .nan, -0.0]
    var bits = [UInt16](repeating: 0, count: reals.count)
    swk_convert(&from, reals, &to, &bits, reals.count)
    #expect(bits == [0x3F80, 0x3F82, 0x7F80, 0x7F80, 0x7FC0, 0x8000])
  }

  @Test(
    "change the layout both ways as the reference does, however the pixels are split",
    arguments: [1, 3, 5, 16, 40], [1, 13, 70])
  func layouts(channels: Int, pixels: Int) {
    var random = RandomSource(seed: 23)
    let count = 2 * channels * pixels, middle = random.nextIndex(below: 2 * pixels)
    for type in storedTypes {
      var format = random.format(type)
      let planes = random.reals(count: count)
      #expect(
        written(type, count: count) {
          swk_nchw_to_nhwc(planes, &format, $0, channels, pixels, 0, middle)
          swk_nchw_to_nhwc(planes, &format, $0, channels, pixels, middle, 2 * pixels)
        }
          == written(type, count: count) {
            swk_nchw_to_nhwc_reference(planes, &format, $0, channels, pixels, 0, 2 * pixels)
          }, "\(type) to channels last")
      let elements = random.elements(type, count: count)
      var parts = [Float](repeating: 0, count: count), whole = parts
      swk_nhwc_to_nchw(&format, elements, &parts, channels, pixels, 0, middle)
      swk_nhwc_to_nchw(&format, elements, &parts, channels, pixels, middle, 2 * pixels)
      swk_nhwc_to_nchw_reference(&format, elements, &whole, channels, pixels, 0, 2 * pixels)
      #expect(parts == whole, "\(type) to channels first")
    }
  }

  @Test("transpose as the reference does", arguments: [1, 2, 4, 8], [1, 6, 16, 67])
  func transpose(elementBytes: Int, rows: Int) {
    var random = RandomSource(seed: 24)
    let columns = 21, batch = 2
    let bytes = random.elements(SWK_U8, count: batch * rows * columns * elementBytes)
    let count = bytes.count, middle = 17
    #expect(
      written(SWK_U8, count: count) {
        swk_transpose(bytes, $0, rows, columns, elementBytes, 0, middle)
        swk_transpose(bytes, $0, rows, columns, elementBytes, middle, batch * columns)
      }
        == written(SWK_U8, count: count) {
          swk_transpose_reference(bytes, $0, rows, columns, elementBytes, 0, batch * columns)
        })
  }
}
