// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// A product taken apart: `constant · factors[0] · factors[1] · …`.
///
/// Multiplications, divisions by constants and negations are followed upwards as long as nothing
/// else uses their results.
struct ProductTree {
  var constant = 1.0
  var factors: [ValueID] = []

  /// The product that computes `value`; the value itself as only factor if it is no product.
  init(_ value: ValueID, in index: GraphIndex) {
    var waiting = [value]
    while let next = waiting.popLast() {
      guard next == value || index.soleConsumer(of: next) != nil, factors.count < 8,
        let operands = operands(of: next, in: index)
      else {
        factors.append(next)
        continue
      }
      waiting += operands
    }
  }

  /// The factors that are not constants, after `constant` took those that are.
  private mutating func operands(of value: ValueID, in index: GraphIndex) -> [ValueID]? {
    guard let (node, op) = index.producer(of: value, as: Binary.self), node.inputs.count == 2,
      let left = node.inputs[0], let right = node.inputs[1]
    else { return nil }
    switch op.function {
    case .multiply:
      if let number = index.scalar(right) {
        constant *= number
        return [left]
      }
      if let number = index.scalar(left) {
        constant *= number
        return [right]
      }
      return [left, right]
    case .divide:
      guard let number = index.scalar(right), number != 0 else { return nil }
      constant /= number
      return [left]
    default: return nil
    }
  }

  /// The other factor of a product of two, one of which satisfies the condition.
  func pair(where condition: (ValueID) -> Bool) -> (match: ValueID, other: ValueID)? {
    guard factors.count == 2 else { return nil }
    if condition(factors[0]) { return (factors[0], factors[1]) }
    if condition(factors[1]) { return (factors[1], factors[0]) }
    return nil
  }

  /// Whether the constant is `number`, as far as single precision tells.
  func hasConstant(_ number: Double) -> Bool { constant.isClose(to: number) }
}

extension Double {
  /// Whether the numbers differ by less than 10⁻⁵ of the expected one.
  ///
  /// Exporters write constants such as 0.7071 or 1/6 with the precision of `float16` at worst in
  /// files of that type, and of `float32` in others.
  func isClose(to expected: Double) -> Bool {
    abs(self - expected) <= 1e-5 * Swift.max(abs(expected), 1e-3)
  }
}
