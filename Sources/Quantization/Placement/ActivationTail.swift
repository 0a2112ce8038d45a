// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// The elementwise nodes that follow a value and nothing else uses: what a kernel applies to its
/// result before it is stored, such as ReLU, or a sigmoid and the product with it.
struct ActivationTail {
  /// The last value; the first one itself where nothing follows.
  private(set) var value: ValueID

  /// The nodes on the way, in order.
  private(set) var nodes: [Node] = []

  /// - Parameters:
  ///   - value: What the kernel computes.
  ///   - isAllowed: Whether a node may be taken in.
  init(after value: ValueID, in index: GraphIndex, isAllowed: (Node) -> Bool = { _ in true }) {
    self.value = value
    while let region = ActivationTail.region(after: self.value, in: index, isAllowed: isAllowed),
      let output = region.last?.outputs.first ?? nil
    {
      nodes += region
      self.value = output
    }
  }

  /// The smallest set of elementwise nodes fed by `value` alone that leaves through one value.
  private static func region(
    after value: ValueID, in index: GraphIndex, isAllowed: (Node) -> Bool
  ) -> [Node]? {
    guard !index.isOutput(value) else { return nil }
    var inside: Set<ValueID> = [value]
    var nodes: [Node] = []
    var taken: Set<NodeID> = []
    while nodes.count < 6 {
      let candidates = inside.sorted().flatMap { index.consumers(of: $0) }
        .filter { !taken.contains($0.id) }
      let next = candidates.first { node in
        isAllowed(node) && isElementwise(node, in: index)
          && node.inputs.allSatisfy { input in
            input.map { inside.contains($0) || index.constant($0) != nil } ?? true
          }
      }
      guard let next, let output = next.outputs.first ?? nil else { return nil }
      nodes.append(next)
      taken.insert(next.id)
      let isClosed = inside.allSatisfy { member in
        !index.isOutput(member) && index.consumers(of: member).allSatisfy { taken.contains($0.id) }
      }
      if isClosed { return nodes }
      inside.insert(output)
    }
    return nil
  }

  private static func isElementwise(_ node: Node, in index: GraphIndex) -> Bool {
    switch node.quantizationRole(in: index) {
    case .elementwise: node.outputs.count == 1
    case .arithmetic(let operands): operands.count == 2 && node.op is Binary
    default: false
    }
  }
}
