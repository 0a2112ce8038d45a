// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
  /// The unsigned little-endian integer of `width` bytes at `offset`, or `nil` beyond the end.
  func littleEndian(at offset: Int, width: Int) -> UInt64? {
    guard offset >= 0, offset <= count - width else { return nil }
    var value: UInt64 = 0
    for index in stride(from: width - 1, through: 0, by: -1) {
      value = value << 8 | UInt64(self[offset + index])
    }
    return value
  }

  /// The unsigned big-endian integer of four bytes at `offset`, or `nil` beyond the end.
  func bigEndian32(at offset: Int) -> Int? {
    guard offset >= 0, offset <= count - 4 else { return nil }
    return self[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
  }

  /// Appends the low `width` bytes of `value`, little-endian.
  mutating func append(littleEndian value: UInt64, width: Int) {
    for index in 0..<width { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
  }
}
