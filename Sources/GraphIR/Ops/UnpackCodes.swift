// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Integer codes of 1, 2 or 4 bits that are packed into bytes, low bits first.
///
/// Input `packed` uint8 `[bytes]`, as many bytes as the codes need; output the codes, of `shape`,
/// as int8 or uint8. Signed codes are two's complements.
public struct UnpackCodes: Op {
  public var kind: String { "UnpackCodes" }
  public var domain: String { "swiftlet" }

  /// 1, 2 or 4.
  public var bits: Int
  public var isSigned: Bool

  /// Of the codes; one extent at least, none of them 0.
  public var shape: [Int]

  public init(bits: Int, isSigned: Bool, shape: [Int]) {
    self.bits = bits
    self.isSigned = isSigned
    self.shape = shape
  }

  /// The bytes that hold codes.
  ///
  /// - Parameter codes: Of which the lowest `bits` count.
  public static func packed(_ codes: [Int64], bits: Int) -> [UInt8] {
    let perByte = 8 / bits
    let mask = (Int64(1) << bits) - 1
    var bytes = [UInt8](repeating: 0, count: (codes.count + perByte - 1) / perByte)
    for (index, code) in codes.enumerated() {
      bytes[index / perByte] |= UInt8(code & mask) << UInt8(index % perByte * bits)
    }
    return bytes
  }

  /// The number of codes.
  ///
  /// - Throws: `OpError.invalidAttribute`.
  private func count() throws(OpError) -> Int {
    guard [1, 2, 4].contains(bits) else {
      throw .invalidAttribute(name: "bits", found: "\(bits)", expected: "1, 2 or 4")
    }
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent > 0, !overflow, product <= Int.max / 8 else {
        throw .invalidAttribute(name: "shape", found: "\(shape)", expected: "extents above 0")
      }
      count = product
    }
    guard !shape.isEmpty else {
      throw .invalidAttribute(name: "shape", found: "[]", expected: "one extent at least")
    }
    return count
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let packed = try operands.required(0, "packed").type
    try ElementTypeRule.only(.uint8).check(packed, "packed")
    let bytes = (try count() * bits + 7) / 8
    if let found = packed?.shape, found != [bytes] {
      throw .invalidShape(input: "packed", found: found, expected: "\(bytes)")
    }
    return [TensorType(isSigned ? .int8 : .uint8, shape: shape)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let bytes = try inputs.required(0, "packed").bytes
    let perByte = 8 / bits
    let mask = (UInt8(1) << bits) - 1
    let sign: Int64 = isSigned ? 1 << (bits - 1) : 0
    let codes = (0..<(try count())).map { index in
      let code = Int64((bytes[index / perByte] >> UInt8(index % perByte * bits)) & mask)
      return (code ^ sign) - sign
    }
    return [Tensor(integers: codes, shape: shape, elementType: results[0].elementType)]
  }
}
