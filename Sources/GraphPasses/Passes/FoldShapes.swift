// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Turns shape arithmetic whose result follows from the types into constants.
///
/// Exporters write the target of a `Reshape` as Shape → Gather → Concat. Where every element is
/// known the whole chain is a constant; where one extent of a target is symbolic, the target is
/// written with 0 (copy the extent) or −1 (infer it).
package struct FoldShapes: GraphPass {
  package var name: String { "fold-shapes" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    knownContents(of: node, in: index) ?? knownTarget(of: node, in: index)
  }

  /// The node as a constant, if inference knows all elements of its result.
  private func knownContents(of node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let output = index.onlyOutput(of: node), !index.isOutput(output),
      let type = index.type(output), type.elementType.isInteger, let shape = type.shape,
      let contents = index.contents[output]
    else { return nil }
    let elements = contents.compactMap(\.value).map { Int64($0) }
    guard elements.count == contents.count, elements.count == shape.reduce(1, *) else {
      return nil
    }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.setConstant(
      Tensor(integers: elements, shape: shape, elementType: type.elementType), of: output)
    return patch
  }

  /// A `Reshape` or `Expand` whose target is computed, with a constant target.
  private func knownTarget(of node: Node, in index: GraphIndex) -> GraphPatch? {
    guard node.op is Reshape || node.op is Expand, node.inputs.count == 2,
      let target = node.inputs[1], index.constant(target) == nil,
      let contents = index.contents[target], let output = index.onlyOutput(of: node),
      let given = index.type(node.inputs[0])?.dimensions
    else { return nil }
    let elements: [Int64]?
    if let reshape = node.op as? Reshape {
      elements = Self.reshapeTarget(contents, given: given, allowsZero: reshape.allowsZero)
    } else {
      elements = Self.expandTarget(contents, given: given)
    }
    guard let elements else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    let constant = patch.addConstant(
      Tensor(elements, shape: [elements.count]), name: index.graph[target].name)
    patch.addNode(
      node.op, name: node.name, inputs: [node.inputs[0], constant], outputs: [output])
    return patch
  }

  /// The target with symbols written as 0 where they copy an extent, and at most one −1.
  package static func reshapeTarget(
    _ contents: [Dimension], given: [Dimension], allowsZero: Bool
  ) -> [Int64]? {
    var inferred = contents.contains(.fixed(-1))
    var elements: [Int64] = []
    for (axis, dimension) in contents.enumerated() {
      if let value = dimension.value {
        elements.append(Int64(value))
      } else if !allowsZero, dimension != .unknown, axis < given.count, given[axis] == dimension {
        elements.append(0)
      } else if !inferred {
        inferred = true
        elements.append(-1)
      } else {
        return nil
      }
    }
    return elements
  }

  /// The target with symbols written as 1 where the input has the same extent already.
  package static func expandTarget(_ contents: [Dimension], given: [Dimension]) -> [Int64]? {
    var elements: [Int64] = []
    for (axis, dimension) in contents.enumerated() {
      let source = axis - contents.count + given.count
      if let value = dimension.value {
        elements.append(Int64(value))
      } else if dimension != .unknown, source >= 0, given[source] == dimension {
        elements.append(1)
      } else {
        return nil
      }
    }
    return elements
  }
}
