// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore
import Testing

@Suite("The softmax kernel")
struct SoftmaxKernelTests {
  /// The exponentials differ by 4 ulp each, a sum of n terms of one sign by n/2 ulp more; a bf16
  /// may fall to the neighbour, 2⁻⁸ apart.
  @Test(
    "gives the weights of the reference, split anywhere",
    arguments: [1, 7, 16, 33, 128], [false, true])
  func rows(columns: Int, hasMask: Bool) {
    var random = RandomSource(seed: 11)
    let rows = 6
    let scores = (0..<(rows * columns)).map { _ in Float(random.nextUniform() * 40 - 20) }
    let mask = (0..<(2 * columns)).map {
      $0 % 5 == 3 ? -Float.infinity : Float(random.nextUniform())
    }
    let offsets = (0..<rows).map { $0 % 2 * columns }
    for type in [SWK_F32, SWK_BF16] {
      var args = swk_softmax(type: type, columns: columns, scale: 0.25, closed_is_zero: 0)
      var first = scores
      var second = scores
      let got = written(type, count: rows * columns) { target in
        for range in [(0, 2), (2, rows)] {
          swk_softmax_rows(
            &args, &first, hasMask ? mask : nil, hasMask ? offsets : nil, target, range.0, range.1)
        }
      }
      let want = written(type, count: rows * columns) { target in
        swk_softmax_rows_reference(
          &args, &second, hasMask ? mask : nil, hasMask ? offsets : nil, target, 0, rows)
      }
      let tolerance: Float = type == SWK_BF16 ? 1 / 256 : Float(columns / 2 + 8) * 0x1p-23
      for (a, b) in zip(values(got, type), values(want, type)) {
        #expect(abs(a - b) <= tolerance * abs(b) + 1e-37)
      }
    }
  }

  @Test("gives e^0 : e^1 : e^−∞ as worked by hand")
  func byHand() {
    var args = swk_softmax(type: SWK_F32, columns: 3, scale: 0.5, closed_is_zero: 0)
    var scores: [Float] = [0, 4, 8]
    var weights = [Float](repeating: -1, count: 3)
    swk_softmax_rows(&args, &scores, [0, -1, -.infinity] as [Float], [0], &weights, 0, 1)
    #expect(abs(weights[0] - 0.26894143) < 1e-6)
    #expect(abs(weights[1] - 0.7310586) < 1e-6)
    #expect(weights[2] == 0)
  }

  @Test("gives rows that are closed, undefined or infinite as its comment says", arguments: [0, 1])
  func special(closedIsZero: Int32) {
    var args = swk_softmax(type: SWK_F32, columns: 2, scale: 1, closed_is_zero: closedIsZero)
    for run in [swk_softmax_rows, swk_softmax_rows_reference] {
      var scores: [Float] = [-.infinity, -.infinity, 1, .nan, .infinity, 0]
      var weights = [Float](repeating: -1, count: 6)
      run(&args, &scores, nil, nil, &weights, 0, 3)
      let closed = weights[..<2].map { closedIsZero == 1 ? $0 == 0 : $0.isNaN }
      let undefined = weights[2...].map { $0.isNaN }
      #expect(closed == [true, true])
      #expect(undefined == [true, true, true, true])
    }
  }
}

/// The reals at the start of written bytes.
private func values(_ bytes: [UInt8], _ type: swk_type) -> [Float] {
  let payload = bytes.dropLast(64)
  return stride(from: payload.startIndex, to: payload.endIndex, by: byteCount(of: type)).map { at in
    var bits: UInt32 = 0
    for byte in 0..<byteCount(of: type) { bits |= UInt32(bytes[at + byte]) << (8 * byte) }
    return Float(bitPattern: type == SWK_BF16 ? bits << 16 : bits)
  }
}
