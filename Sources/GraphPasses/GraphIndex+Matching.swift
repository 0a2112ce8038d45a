// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension GraphIndex {
  /// The number that a one-element floating-point or integer constant holds.
  func scalar(_ value: ValueID?) -> Double? {
    guard let constant = constant(value), constant.count == 1 else { return nil }
    return constant.reals()[0]
  }

  /// The integers of a constant, such as axes, pads or a target shape.
  func integers(_ value: ValueID?) -> [Int]? {
    guard let constant = constant(value), constant.elementType.isInteger else { return nil }
    return constant.integers().map { Int($0) }
  }

  /// The node that computes a value and its op, if it is of the given type.
  func producer<T: Op>(of value: ValueID?, as type: T.Type) -> (node: Node, op: T)? {
    guard let node = producer(of: value), let op = node.op as? T else { return nil }
    return (node, op)
  }

  /// The only output of a node; `nil` if it has others that are used.
  func onlyOutput(of node: Node) -> ValueID? {
    guard let first = node.outputs.first.flatMap({ $0 }) else { return nil }
    let others = node.outputs.dropFirst().compactMap { $0 }
    return others.allSatisfy { !isUsed($0) } ? first : nil
  }

  /// Whether a node or the caller of the graph uses a value.
  func isUsed(_ value: ValueID) -> Bool { isOutput(value) || consumerCount(of: value) > 0 }

  /// Whether every use of `old` may take `new` in its place, by `GraphPatch.replace`.
  ///
  /// The name of an output of the graph can go to a computed value, not to an input, a constant
  /// or a second output.
  func canReplace(_ old: ValueID, with new: ValueID) -> Bool {
    !isOutput(old) || (producer(of: new) != nil && !isOutput(new))
  }

  /// Whether two values surely have the same dimensions, symbols included.
  func haveEqualDimensions(_ left: ValueID?, _ right: ValueID?) -> Bool {
    guard let left = type(left), let right = type(right), left.elementType == right.elementType,
      let dimensions = left.dimensions
    else { return false }
    return dimensions == right.dimensions && !dimensions.contains(.unknown)
  }

  /// Whether a value is a floating-point tensor.
  func isReal(_ value: ValueID?) -> Bool { type(value)?.elementType.isFloatingPoint ?? false }
}

extension GraphPatch {
  /// Puts a changed weight or bias in a constant's place: under its own name where nothing else
  /// uses it, else as a new constant.
  ///
  /// - Returns: The value that holds the tensor.
  mutating func rewriteConstant(
    _ value: ValueID, to tensor: Tensor, in index: GraphIndex
  ) -> ValueID {
    if index.consumerCount(of: value) == 1, !index.isOutput(value),
      !index.graph.inputs.contains(value)
    {
      setConstant(tensor, of: value)
      return value
    }
    return addConstant(tensor, name: index.graph[value].name)
  }
}
