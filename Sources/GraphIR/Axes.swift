// SPDX-License-Identifier: Apache-2.0

/// Axes as ONNX writes them: negative ones count from the last.
package enum Axes {
  /// The axis counted from the first.
  ///
  /// - Parameters:
  ///   - axis: In `-rank..<rank`; also `rank` itself where `includesEnd` is set.
  ///   - rank: Number of dimensions of the tensor that the axis belongs to.
  ///   - name: What the operator calls the axis, for the error.
  ///   - includesEnd: Whether the position behind the last axis is allowed.
  /// - Throws: `OpError.invalidAttribute` if the axis is out of range.
  package static func normalized(
    _ axis: Int, rank: Int, name: String = "axis", includesEnd: Bool = false
  ) throws(OpError) -> Int {
    let bound = includesEnd ? rank + 1 : rank
    guard axis >= -rank, axis < bound else {
      throw .invalidAttribute(
        name: name, found: String(axis),
        expected: bound == 0 ? "no axis of a scalar" : "\(-rank)…\(bound - 1)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// The axes counted from the first, in the given order.
  ///
  /// - Throws: `OpError.invalidAttribute` if one is out of range or given twice.
  package static func normalized(
    _ axes: [Int], rank: Int, name: String = "axes"
  ) throws(OpError) -> [Int] {
    var seen = Set<Int>()
    var result: [Int] = []
    result.reserveCapacity(axes.count)
    for axis in axes {
      let position = try normalized(axis, rank: rank, name: name)
      guard seen.insert(position).inserted else {
        throw .invalidAttribute(name: name, found: "\(axes)", expected: "each axis once")
      }
      result.append(position)
    }
    return result
  }
}
