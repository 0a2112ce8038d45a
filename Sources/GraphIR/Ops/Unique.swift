// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The elements, or the slices along an axis, each once; outputs these, where each first stands,
/// which one stands at each place, and how often.
public struct Unique: Op {
  public var kind: String { "Unique" }
  /// All elements in row-major order if `nil`.
  public var axis: Int?
  /// Whether they come in ascending order rather than that of the first.
  public var sorts: Bool

  public init(axis: Int? = nil, sorts: Bool = true) {
    self.axis = axis
    self.sorts = sorts
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...4)
    let x = try operands.required(0, "X").type
    var dimensions: [Dimension]? = [.unknown]
    var inverse: Dimension = x?.dimensions.map { Dimension.product($0) } ?? .unknown
    if let axis {
      dimensions = x?.dimensions
      if let known = dimensions {
        let place = try Axes.normalized(axis, rank: known.count)
        inverse = known[place]
        dimensions?[place] = .unknown
      }
    }
    let types: [TensorType?] = [
      x.map { TensorType($0.elementType, dimensions) }, TensorType(.int64, [.unknown]),
      TensorType(.int64, [inverse]), TensorType(.int64, [.unknown]),
    ]
    return Array(types.prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    try inputs.checkCount(1...1)
    try checkOutputCount(outputCount, 1...4)
    var x = try inputs.required(0, "X")
    try ResultLimit.check(x.shape, x.elementType)
    if axis == nil { x = try x.viewed(as: [x.count]) }
    let place = try Axes.normalized(axis ?? 0, rank: x.rank)
    let length = x.shape[place]
    let inner = x.shape[(place + 1)...].reduce(1, *)
    let outer = x.shape[..<place].reduce(1, *)
    let keys = Self.keys(x)
    func slice(_ position: Int) -> [Int64] {
      (0..<outer).flatMap { row in
        (0..<inner).map { keys[(row * length + position) * inner + $0] }
      }
    }
    let slices = (0..<length).map(slice)
    var numbers: [[Int64]: Int] = [:]
    var firsts: [Int] = []
    for (position, slice) in slices.enumerated() where numbers[slice] == nil {
      numbers[slice] = firsts.count
      firsts.append(position)
    }
    if sorts {
      firsts.sort { slices[$0].lexicographicallyPrecedes(slices[$1]) }
      for (number, position) in firsts.enumerated() { numbers[slices[position]] = number }
    }
    let inverse = slices.map { numbers[$0] ?? 0 }
    var counts = [Int64](repeating: 0, count: firsts.count)
    for number in inverse { counts[number] += 1 }
    var shape = x.shape
    shape[place] = firsts.count
    let values = try x.moved(
      to: shape,
      along: [
        MoveAxis(
          extent: outer, sourceStride: inner * length, targetStride: inner * firsts.count),
        MoveAxis(
          extent: firsts.count, sourceStride: 0, targetStride: inner,
          sourceOffsets: firsts.map { $0 * inner }),
        MoveAxis(extent: inner, sourceStride: 1, targetStride: 1),
      ])
    let lists = [firsts.map { Int64($0) }, inverse.map { Int64($0) }, counts]
    return Array(
      ([values] + lists.map { Tensor($0, shape: [$0.count]) }).prefix(outputCount))
  }

  /// Integers in the order of the elements, equal where these are equal.
  private static func keys(_ x: Tensor) -> [Int64] {
    if x.elementType == .uint64 { return x.integers().map { $0 ^ .min } }
    guard x.elementType.isFloatingPoint else { return x.integers() }
    return x.reals().map { real in
      let bits = Int64(bitPattern: (real == 0 ? 0 : real).bitPattern)
      return bits < 0 ? bits ^ .max : bits
    }
  }
}
