// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The slices along an axis, or the elements, whose condition holds; inputs data and conditions.
///
/// Conditions may be fewer than slices; those without one are left out.
public struct Compress: Op {
  public var kind: String { "Compress" }
  /// All elements in row-major order if `nil`.
  public var axis: Int?
  public init(axis: Int? = nil) { self.axis = axis }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...1)
    let data = try operands.required(0, "input").type
    let condition = try operands.required(1, "condition")
    try ElementTypeRule.only(.bool).check(condition.type, "condition")
    if let rank = condition.type?.rank, rank != 1 {
      throw .invalidRank(input: "condition", found: rank, expected: "1")
    }
    guard let data else { return [nil] }
    let count = Dimension.unknown
    let kept = condition.constant.map { Dimension.fixed($0.integers().count { $0 != 0 }) } ?? count
    guard let axis else { return [TensorType(data.elementType, [kept])] }
    guard var dimensions = data.dimensions else { return [data] }
    let place = try Axes.normalized(axis, rank: dimensions.count)
    try Self.check(condition.knownCount, against: dimensions[place].value)
    dimensions[place] = kept
    return [TensorType(data.elementType, dimensions)]
  }

  private static func check(_ count: Int?, against extent: Int?) throws(OpError) {
    guard let count, let extent, count > extent else { return }
    throw .invalidShape(input: "condition", found: [count], expected: "\(extent) at most")
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let shape = try resultTypes(inputs, outputCount: outputCount)[0].shape
    var data = try inputs.required(0, "input")
    let condition = try inputs.required(1, "condition")
    if axis == nil { data = try data.viewed(as: [data.count]) }
    let place = try Axes.normalized(axis ?? 0, rank: data.rank)
    try Self.check(condition.count, against: data.shape[place])
    let kept = condition.integers().enumerated().filter { $0.element != 0 }.map(\.offset)
    let inner = data.shape[(place + 1)...].reduce(1, *)
    let outer = data.shape[..<place].reduce(1, *)
    return [
      try data.moved(
        to: shape,
        along: [
          MoveAxis(
            extent: outer, sourceStride: inner * data.shape[place],
            targetStride: inner * kept.count),
          MoveAxis(
            extent: kept.count, sourceStride: 0, targetStride: inner,
            sourceOffsets: kept.map { $0 * inner }),
          MoveAxis(extent: inner, sourceStride: 1, targetStride: 1),
        ])
    ]
  }
}
