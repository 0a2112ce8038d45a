// SPDX-License-Identifier: Apache-2.0
import TensorCore

extension Attention {
  /// What is added to the scores: 0 or the given bias where a key is seen, −∞ elsewhere; `nil` if
  /// every query sees every key.
  func bias(
    _ inputs: [ValueID?], query: ValueID, key: ValueID, _ body: inout Composition
  ) throws(OpError) -> ValueID? {
    var terms: [ValueID] = []
    let type = try body.elementType(query)
    let keys = try body.length(key, 2)
    if let mask = inputs.optional(3) {
      terms.append(try added(mask, keys: keys, key: key, type, &body))
    }
    if isCausal || leftWindow >= 0 || rightWindow >= 0 {
      let isSeen = try seen(inputs, query: query, keys: keys, &body)
      terms.append(try closed(where: isSeen, type, &body))
    }
    if let count = inputs.optional(6) {
      let isKept = try body.binary(
        .less, body.range(keys), body.reshape(body.cast(count, to: .int64), [-1, 1, 1, 1]))
      terms.append(try closed(where: isKept, type, &body))
    }
    guard var sum = terms.first else { return nil }
    for term in terms.dropFirst() { sum = try body.binary(.add, sum, term) }
    return sum
  }

  /// The mask as numbers to add, closed for keys beyond its last axis.
  private func added(
    _ mask: ValueID, keys: ValueID, key: ValueID, _ type: ElementType, _ body: inout Composition
  ) throws(OpError) -> ValueID {
    var added = mask
    if try body.elementType(mask) == .bool {
      added = try closed(where: mask, type, &body)
    }
    let dimensions = try body.dimensions(mask)
    guard let last = dimensions.last else {
      throw .invalidRank(input: "attn_mask", found: 0, expected: "1 to 4")
    }
    if try last == body.dimensions(key)[2] || last == .fixed(1) { return added }
    let missing = try body.binary(.subtract, keys, body.length(mask, dimensions.count - 1))
    let pads = try body.add(
      Concat(axis: 0), body.integers([0]), body.unsqueeze(missing, [0]))
    return try body.add(
      Pad(), added, pads, body.scalar(-.infinity, type), body.integers([-1]))
  }

  /// Whether a query sees a key by their places: the keys of the past come before the first query.
  private func seen(
    _ inputs: [ValueID?], query: ValueID, keys: ValueID, _ body: inout Composition
  ) throws(OpError) -> ValueID {
    let length = try body.length(query, 2)
    var place = try body.unsqueeze(body.range(length), [1])
    if let past = inputs.optional(4) {
      place = try body.binary(.add, place, body.length(past, 2))
    } else if let count = inputs.optional(6) {
      let first = try body.binary(.subtract, body.cast(count, to: .int64), length)
      place = try body.binary(.add, place, body.reshape(first, [-1, 1, 1, 1]))
    }
    let keyPlace = try body.range(keys)
    var conditions: [ValueID] = []
    if isCausal { conditions.append(try body.binary(.lessOrEqual, keyPlace, place)) }
    let ahead = try body.binary(.subtract, keyPlace, place)
    if leftWindow >= 0 {
      let bound = body.scalar(-Double(leftWindow), .int64)
      conditions.append(try body.binary(.greaterOrEqual, ahead, bound))
    }
    if rightWindow >= 0 {
      let bound = body.scalar(Double(rightWindow), .int64)
      conditions.append(try body.binary(.lessOrEqual, ahead, bound))
    }
    var all = conditions[0]
    for condition in conditions.dropFirst() { all = try body.binary(.and, all, condition) }
    return all
  }

  private func closed(
    where isOpen: ValueID, _ type: ElementType, _ body: inout Composition
  ) throws(OpError) -> ValueID {
    try body.add(Where(), isOpen, body.scalar(0, type), body.scalar(-.infinity, type))
  }
}
