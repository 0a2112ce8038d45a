// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Rounds to the levels of a table, which need not be evenly spaced.
///
/// Inputs X, `least` `[n]` and `levels` `[n]`, n a power of two; output `Y = levels[i]` with the
/// greatest i for which `X ≥ least[i]`, or 0 if there is none. `least` does not fall; its first
/// element is not read. NaN becomes the first level.
public struct RoundToLevels: Op {
  public var kind: String { "RoundToLevels" }
  public var domain: String { "swiftlet" }

  public init() {}

  /// The place of a value's level: a search by halves.
  ///
  /// - Parameter least: As many as a power of two.
  @inline(__always)
  public static func place(of x: Float, in least: [Float]) -> Int {
    var place = 0
    var step = least.count / 2
    while step > 0 {
      if x >= least[place + step] { place += step }
      step /= 2
    }
    return place
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    let least = try operands.required(1, "least").type
    let levels = try operands.required(2, "levels").type
    let type = try ElementTypeRule.only(.float32).common(
      [("X", x), ("least", least), ("levels", levels)])
    var count: Int?
    for (name, table) in [("least", least), ("levels", levels)] {
      guard let shape = table?.shape else { continue }
      guard shape.count == 1, (1...65_536).contains(shape[0]), shape[0] & (shape[0] - 1) == 0,
        count ?? shape[0] == shape[0]
      else {
        throw .invalidShape(
          input: name, found: shape, expected: "\(count.map(String.init) ?? "1, 2, 4, … 65536")")
      }
      count = shape[0]
    }
    return [type.map { TensorType($0, x?.dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let levels = try inputs.required(2, "levels").floats()
    let values = try inputs.required(0, "X").floats()
    let least = try inputs.required(1, "least").floats()
    let rounded = values.map { levels[RoundToLevels.place(of: $0, in: least)] }
    return [Tensor(rounded, shape: results[0].shape)]
  }
}
