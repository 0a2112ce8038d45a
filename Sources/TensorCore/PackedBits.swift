// SPDX-License-Identifier: Apache-2.0

/// Packing of 2- and 4-bit integers into bytes, the first element in the lowest bits.
///
/// Source: ONNX, "Numeric types", storage of INT4 and INT2.
public enum PackedBits {
  /// The `count` integers that `bytes` hold, sign-extended for signed types.
  public static func unpacked(_ bytes: [UInt8], count: Int, as type: ElementType) -> [Int64] {
    let width = type.bitWidth
    let perByte = 8 / width
    let mask = UInt8((1 << width) - 1)
    let sign: Int64 = type.isSignedInteger ? 1 << (width - 1) : 0
    return (0..<count).map { index in
      let code = Int64((bytes[index / perByte] >> UInt8(index % perByte * width)) & mask)
      return (code ^ sign) - sign
    }
  }

  /// The integers, each cut to the type's width, packed; unused bits of the last byte are zero.
  public static func packed(_ integers: [Int64], as type: ElementType) -> [UInt8] {
    let width = type.bitWidth
    let perByte = 8 / width
    let mask = UInt8((1 << width) - 1)
    var bytes = [UInt8](repeating: 0, count: type.byteCount(of: integers.count))
    for (index, integer) in integers.enumerated() {
      bytes[index / perByte] |=
        (UInt8(truncatingIfNeeded: integer) & mask) << UInt8(index % perByte * width)
    }
    return bytes
  }
}
