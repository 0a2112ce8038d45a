// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Boxes that overlap no better box of their class.
///
/// Inputs boxes `[batch, n, 4]`, scores `[batch, classes, n]`, and optionally the greatest number
/// per class, the overlap from which a box is dropped, and the score that it must pass. Output rows of batch, class and box.
public struct NonMaxSuppression: Op {
  public var kind: String { "NonMaxSuppression" }
  /// Whether boxes are given by their centre and size rather than two corners.
  public var isCentered: Bool
  public init(isCentered: Bool = false) { self.isCentered = isCentered }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...5)
    try checkOutputCount(outputCount, 1...1)
    let boxes = try operands.required(0, "boxes").type
    let scores = try operands.required(1, "scores").type
    for (name, type) in [("boxes", boxes), ("scores", scores)] {
      try ElementTypeRule.floating.check(type, name)
      if let rank = type?.rank, rank != 3 {
        throw .invalidRank(input: name, found: rank, expected: "3")
      }
    }
    if let four = boxes?.dimensions?[2].value, four != 4 {
      throw .invalidShape(input: "boxes", found: boxes?.shape ?? [], expected: "4 numbers per box")
    }
    if let given = scores?.dimensions, let boxes = boxes?.dimensions {
      guard Dimension.merged(given[0], boxes[0]) != nil, Dimension.merged(given[2], boxes[1]) != nil
      else {
        throw .invalidShape(
          input: "scores", found: scores?.shape ?? [], expected: "one per box and class")
      }
    }
    return [TensorType(.int64, [.unknown, .fixed(3)])]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let operands = inputs.map { $0.map { Operand($0) } }
    _ = try inferTypes(operands, outputCount: outputCount)
    let (boxes, scores) = (try inputs.required(0, "boxes"), try inputs.required(1, "scores"))
    try ResultLimit.check(boxes.shape, boxes.elementType)
    try ResultLimit.check(scores.shape, scores.elementType)
    let limit = Int(clamping: inputs.optional(2)?.integers().first ?? 0)
    let overlap = inputs.optional(3)?.reals().first ?? 0
    let threshold = inputs.optional(4)?.reals().first
    let count = boxes.shape[1]
    let areas = Self.rectangles(boxes.reals(), isCentered: isCentered)
    let values = scores.reals()
    var rows: [Int64] = []
    for batch in 0..<boxes.shape[0] {
      for label in 0..<scores.shape[1] {
        let first = (batch * scores.shape[1] + label) * count
        let candidates = (0..<count)
          .filter { box in threshold.map { values[first + box] > $0 } ?? true }
          .sorted { (-values[first + $0], $0) < (-values[first + $1], $1) }
        var kept: [Int] = []
        for box in candidates where kept.count < limit {
          let candidate = areas[batch * count + box]
          if kept.contains(where: { areas[batch * count + $0].overlap(candidate) > overlap }) {
            continue
          }
          kept.append(box)
          rows += [Int64(batch), Int64(label), Int64(box)]
        }
      }
    }
    return [Tensor(rows, shape: [rows.count / 3, 3])]
  }

  private static func rectangles(_ numbers: [Double], isCentered: Bool) -> [Rectangle] {
    stride(from: 0, to: numbers.count, by: 4).map { start in
      let (a, b, c, d) = (
        numbers[start], numbers[start + 1], numbers[start + 2], numbers[start + 3]
      )
      if isCentered {
        return Rectangle(
          top: b - d / 2, left: a - c / 2, bottom: b + d / 2, right: a + c / 2)
      }
      return Rectangle(top: min(a, c), left: min(b, d), bottom: max(a, c), right: max(b, d))
    }
  }
}

private struct Rectangle {
  let top: Double
  let left: Double
  let bottom: Double
  let right: Double

  var area: Double { (bottom - top) * (right - left) }

  /// Intersection over union; 0 where either is empty.
  func overlap(_ other: Rectangle) -> Double {
    let height = min(bottom, other.bottom) - max(top, other.top)
    let width = min(right, other.right) - max(left, other.left)
    guard height > 0, width > 0, area > 0, other.area > 0 else { return 0 }
    let intersection = height * width
    return intersection / (area + other.area - intersection)
  }
}
