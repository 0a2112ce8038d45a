// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// A product with weights stored as codes of 2, 4 or 8 bits, a scale for each block of a column;
/// inputs A `[…, K]`, codes `[N, blocks, bytes]` with the low bits first, scales `[N, blocks]`, and
/// optionally zero points (packed alike, or real), an order of the rows (not accepted), and a bias.
///
/// Source: ONNX Runtime, contributed operator MatMulNBits. The codes must be constants.
public struct BlockQuantizedProduct: CompositeOp {
  public var domain: String { "com.microsoft" }
  public var kind: String { "MatMulNBits" }
  public var rows: Int
  public var columns: Int
  public var bits: Int
  public var blockSize: Int

  public init(rows: Int, columns: Int, bits: Int = 4, blockSize: Int) {
    self.rows = rows
    self.columns = columns
    self.bits = bits
    self.blockSize = blockSize
  }

  private var blocks: Int { (rows + blockSize - 1) / blockSize }

  private var codeType: ElementType? {
    switch bits {
    case 2: .uint2
    case 4: .uint4
    case 8: .uint8
    default: nil
    }
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(3...6)
    try checkOutputCount(outputCount, 1...1)
    guard let codeType else {
      throw .invalidAttribute(name: "bits", found: "\(bits)", expected: "2, 4 or 8")
    }
    let limit = Int(Int32.max)
    guard (1...limit).contains(rows), (1...limit).contains(columns),
      (1...limit).contains(blockSize), blockSize * bits % 8 == 0
    else {
      throw .invalidAttribute(
        name: "block_size", found: "\(blockSize)", expected: "whole bytes of codes")
    }
    try ResultLimit.check([columns, blocks, blockSize], .float64)
    guard inputs.optional(4) == nil else {
      throw .invalidValue(input: "g_idx", found: "an order of rows", expected: "none")
    }
    let a: ValueID = try inputs.required(0, "A")
    let type = try body.elementType(a)
    let scales = try body.transpose(
      body.reshape(inputs.required(2, "scales"), [columns, blocks]), [1, 0])
    let stored: ValueID = try inputs.required(1, "B")
    let codes = try unpacked(
      body.operand(stored), "B", perColumn: blocks * blockSize, kept: rows, codeType)
    let weight: ValueID
    if let zeros = inputs.optional(3), try body.elementType(zeros) != .uint8 {
      weight = try shifted(codes, by: zeros, scales: scales, &body)
    } else {
      var zeroPoint = Tensor(
        integers: Array(repeating: 1 << Int64(bits - 1), count: blocks * columns),
        shape: [blocks, columns], elementType: codeType)
      if let zeros = inputs.optional(3) {
        let perByte = 8 / bits
        zeroPoint = try unpacked(
          body.operand(zeros), "zero_points",
          perColumn: (blocks + perByte - 1) / perByte * perByte, kept: blocks, codeType)
      }
      weight = try body.add(
        DequantizeLinear(axis: 0, blockSize: blockSize), body.constant(codes), scales,
        body.constant(zeroPoint))
    }
    var product = try body.add(MatMul(), a, body.cast(weight, to: type))
    if let bias = inputs.optional(5) { product = try body.binary(.add, product, bias) }
    return [product]
  }

  /// Codes `[kept, N]` of bytes that hold `perColumn` codes of each column.
  private func unpacked(
    _ operand: Operand, _ name: String, perColumn: Int, kept: Int, _ type: ElementType
  ) throws(OpError) -> Tensor {
    guard let packed = operand.constant else {
      throw .notEvaluable(kind: "\(kind) of computed codes")
    }
    guard packed.elementType == .uint8, packed.count * 8 == perColumn * columns * bits else {
      throw .invalidShape(
        input: name, found: packed.shape,
        expected: "\(perColumn * columns * bits / 8) bytes of codes")
    }
    let perByte = 8 / bits
    let mask = UInt8(truncatingIfNeeded: (1 << bits) - 1)
    var codes = [Int64](repeating: 0, count: kept * columns)
    for column in 0..<columns {
      for row in 0..<kept {
        let position = column * perColumn + row
        let byte = packed.bytes[position / perByte]
        codes[row * columns + column] = Int64(byte >> UInt8(position % perByte * bits) & mask)
      }
    }
    return Tensor(integers: codes, shape: [kept, columns], elementType: type)
  }

  /// The weights where zero points are real.
  private func shifted(
    _ codes: Tensor, by zeros: ValueID, scales: ValueID, _ body: inout Composition
  ) throws(OpError) -> ValueID {
    let type = try body.elementType(scales)
    let zeroPoints = try body.transpose(
      body.reshape(body.cast(zeros, to: type), [columns, blocks]), [1, 0])
    let ofRow = body.constant(
      Tensor((0..<rows).map { Int64($0 / blockSize) }, shape: [rows]))
    let real = body.constant(codes.converted(to: type))
    let centered = try body.binary(
      .subtract, real, body.add(Gather(), zeroPoints, ofRow))
    return try body.binary(.multiply, centered, body.add(Gather(), scales, ofRow))
  }
}
