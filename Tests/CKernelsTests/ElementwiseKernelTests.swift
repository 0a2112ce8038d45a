// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The elementwise kernels")
struct ElementwiseKernelTests {
  @Test(
    "add quantized operands as the reference does", arguments: [SWK_U8, SWK_S8],
    [SWK_U8, SWK_S8, SWK_F32])
  func add(left: swk_type, right: swk_type) {
    var random = RandomSource(seed: 31)
    let count = 75, middle = 22
    for type in storedTypes {
      for activation in exactActivations {
        var leftFormat = random.format(left)
        var rightFormat = random.format(right)
        var epilogue = random.epilogue(type, activation)
        let a = random.elements(left, count: count), b = random.elements(right, count: count)
        #expect(
          written(type, count: count) {
            swk_add_quantized(&leftFormat, a, &rightFormat, b, &epilogue, $0, 0, middle)
            swk_add_quantized(&leftFormat, a, &rightFormat, b, &epilogue, $0, middle, count)
          }
            == written(type, count: count) {
              swk_add_quantized_reference(&leftFormat, a, &rightFormat, b, &epilogue, $0, 0, count)
            }, "\(type), \(activation)")
      }
    }
  }

  /// 2·(3 − 1) + 0.5·(7 + 1) = 8; with output scale 4 and zero point 5: 2 + 5.
  @Test("add as worked by hand")
  func addByHand() {
    var a = swk_format(type: SWK_U8, scale: 2, zero_point: 1)
    var b = swk_format(type: SWK_S8, scale: 0.5, zero_point: -1)
    var epilogue = swk_epilogue(
      type: SWK_S8, activation: SWK_NONE, alpha: 0, beta: 0, inverse_scale: 0.25, zero_point: 5)
    let sum = written(SWK_S8, count: 1) {
      swk_add_quantized(&a, [3] as [UInt8], &b, [7] as [Int8], &epilogue, $0, 0, 1)
    }
    #expect(sum[0] == 7)
  }

  @Test("approach the reference within its tolerance for silu")
  func silu() {
    var random = RandomSource(seed: 32)
    var format = swk_format(type: SWK_U8, scale: 0.5, zero_point: 128)
    var epilogue = random.epilogue(SWK_F32, SWK_SILU)
    let codes = random.elements(SWK_U8, count: 200)
    var fast = [Float](repeating: 0, count: 200), exact = fast
    swk_add_quantized(&format, codes, &format, codes.reversed(), &epilogue, &fast, 0, 200)
    swk_add_quantized_reference(
      &format, codes, &format, codes.reversed(), &epilogue, &exact, 0, 200)
    for (value, expected) in zip(fast, exact) {
      #expect(abs(value - expected) <= 4 * expected.ulp + 2e-36)
    }
  }

  @Test("multiply channels by factors as the reference does", arguments: storedTypes, storedTypes)
  func channels(type: swk_type, factorType: swk_type) {
    var random = RandomSource(seed: 33)
    let batch = 2, pixels = 5, middle = 4
    for channels in [1, 21, 64, 600] {
      let count = batch * pixels * channels
      var format = random.format(type), factorFormat = random.format(factorType)
      let x = random.elements(type, count: count)
      let factors = random.elements(factorType, count: batch * channels)
      for result in storedTypes {
        var epilogue = random.epilogue(result, SWK_HARD_SWISH)
        #expect(
          written(result, count: count) {
            swk_mul_channels(
              &format, x, &factorFormat, factors, &epilogue, $0, channels, pixels, 0, middle)
            swk_mul_channels(
              &format, x, &factorFormat, factors, &epilogue, $0, channels, pixels, middle,
              batch * pixels)
          }
            == written(result, count: count) {
              swk_mul_channels_reference(
                &format, x, &factorFormat, factors, &epilogue, $0, channels, pixels, 0,
                batch * pixels)
            }, "\(channels) channels to \(result)")
      }
    }
  }

  @Test("look bytes up in a table", arguments: [0, 1, 63, 64, 65, 300])
  func lookup(count: Int) {
    var random = RandomSource(seed: 34)
    let table = random.elements(SWK_U8, count: 256), codes = random.elements(SWK_U8, count: count)
    let mapped = written(SWK_U8, count: count) { out in
      swk_lookup(table, codes, out.assumingMemoryBound(to: UInt8.self), count)
    }
    #expect(Array(mapped.prefix(count)) == codes.map { table[Int($0)] })
    #expect(mapped.suffix(64).allSatisfy { $0 == 0xA5 })
  }

  @Test("write rows of channels between others", arguments: storedTypes, storedTypes)
  func concat(source: swk_type, destination: swk_type) {
    var random = RandomSource(seed: 35)
    let channels = 19, stride = 30, rows = 4
    var from = random.format(source), to = random.format(destination)
    let elements = random.elements(source, count: channels * rows)
    #expect(
      written(destination, count: stride * rows) {
        swk_concat_rows(&from, elements, &to, $0, channels, stride, 0, 1)
        swk_concat_rows(&from, elements, &to, $0, channels, stride, 1, rows)
      }
        == written(destination, count: stride * rows) {
          swk_concat_rows_reference(&from, elements, &to, $0, channels, stride, 0, rows)
        })
  }

  static let operations = [SWK_ADD, SWK_MUL, SWK_SUB, SWK_DIV, SWK_MIN, SWK_MAX]

  @Test(
    "compute f32 operations with every broadcast", arguments: operations,
    [SWK_SAME, SWK_PER_CHANNEL, SWK_SCALAR])
  func binary(operation: swk_binary, broadcast: swk_broadcast) {
    var random = RandomSource(seed: 36)
    let rows = 3, channels = 23
    let a = random.reals(count: rows * channels), b = random.reals(count: rows * channels)
    for (swapped, relu) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
      var arguments = swk_binary_args(
        operation: operation, broadcast: broadcast, swapped: Int32(swapped), relu: Int32(relu),
        channels: channels)
      var fast = [Float](repeating: 0, count: a.count), expected = fast
      swk_binary_f32(&arguments, a, b, &fast, 0, 2)
      swk_binary_f32(&arguments, a, b, &fast, 2, rows)
      swk_binary_f32_reference(&arguments, a, b, &expected, 0, rows)
      #expect(fast == expected)
    }
  }
}
