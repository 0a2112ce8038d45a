// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Walks a graph once and finds out which values need codes.
struct PlacementSurvey {
  private let index: GraphIndex
  private var roles: [NodeID: QuantizationRole] = [:]
  /// Nodes that work on codes by themselves.
  private var integerNodes: Set<NodeID> = []
  private(set) var sites: [QuantizationPlan.WeightedSite] = []
  private(set) var coded: Set<ValueID> = []

  init(_ index: GraphIndex, isKept: (Node) -> Bool) {
    self.index = index
    for node in index.graph.nodes {
      roles[node.id] = isKept(node) ? .real : node.quantizationRole(in: index)
    }
    findIntegerNodes(isKept: isKept)
    findCodedValues()
  }

  /// Nodes whose operands come from products, sums and the like on codes.
  private mutating func findIntegerNodes(isKept: (Node) -> Bool) {
    var external = Set(index.graph.inputs.filter { index.type($0)?.elementType == .float32 })
    var reachable: Set<ValueID> = []
    var absorbed: Set<NodeID> = []
    let roles = roles
    let isAllowed = { (node: Node) in roles[node.id] != .real }
    for node in index.graph.nodes {
      guard let output = node.outputs.first ?? nil else { continue }
      let computed = node.inputs.compactMap { $0 }.filter { index.constant($0) == nil }
      switch roles[node.id] ?? .real {
      case .weighted(let operands):
        integerNodes.insert(node.id)
        reachable.insert(output)
        let tail = ActivationTail(after: output, in: index, isAllowed: isAllowed)
        absorbed.formUnion(tail.nodes.map(\.id))
        addSite(node, operands, output: output, result: tail.value)
      case .arithmetic, .elementwise, .joining:
        guard computed.contains(where: reachable.contains),
          computed.allSatisfy({ reachable.contains($0) || external.contains($0) })
        else { continue }
        reachable.insert(output)
        if absorbed.contains(node.id) { continue }
        if case .joining = roles[node.id] { continue }
        integerNodes.insert(node.id)
        let tail = ActivationTail(after: output, in: index, isAllowed: isAllowed)
        absorbed.formUnion(tail.nodes.map(\.id))
      case .carrying(let operands):
        let moved = operands.compactMap { node.inputs[$0] }
        let outputs = node.outputs.compactMap { $0 }
        if moved.allSatisfy(reachable.contains) { reachable.formUnion(outputs) }
        if moved.allSatisfy(external.contains) { external.formUnion(outputs) }
      case .real:
        guard isKept(node), case .weighted = node.quantizationRole(in: index) else { continue }
        reachable.insert(output)
        let tail = ActivationTail(after: output, in: index, isAllowed: isAllowed)
        absorbed.formUnion(tail.nodes.map(\.id))
      }
    }
    // A concatenation is one of codes only if all its parts are.
    for node in index.graph.nodes {
      guard case .joining = roles[node.id], let output = node.outputs.first ?? nil else { continue }
      if !reachable.contains(output) { self.roles[node.id] = .real }
    }
  }

  private mutating func addSite(
    _ node: Node, _ operands: WeightedOperands, output: ValueID, result: ValueID
  ) {
    guard let data = node.inputs[operands.data], let weight = node.inputs[operands.weight] else {
      return
    }
    sites.append(
      QuantizationPlan.WeightedSite(
        node: node.id, label: index.graph.label(of: node), data: data, weight: weight,
        bias: operands.bias.flatMap { node.inputs[$0] }, operands: operands, result: result,
        output: output))
  }

  private mutating func findCodedValues() {
    var wanted: [ValueID: Bool] = [:]
    // Consumers come later in the order, so one walk backwards settles what is wanted.
    for node in index.graph.nodes.reversed() {
      for output in node.outputs.compactMap({ $0 }) {
        wanted[output] = index.consumers(of: output).contains { isWanting($0, wanted) }
      }
    }
    let roles = roles
    for node in index.graph.nodes {
      guard integerNodes.contains(node.id), let output = node.outputs.first ?? nil else { continue }
      coded.formUnion(codedOperands(of: node))
      let tail = ActivationTail(after: output, in: index) { roles[$0.id] != .real }
      if wanted[tail.value] == true { coded.insert(tail.value) }
    }
    var isSettled = false
    while !isSettled {
      isSettled = true
      for node in index.graph.nodes {
        guard let (operands, outputs) = moved(by: node) else { continue }
        let before = coded.count
        if outputs.contains(where: coded.contains) { coded.formUnion(operands) }
        if operands.allSatisfy(coded.contains) {
          coded.formUnion(outputs.filter { wanted[$0] == true })
        }
        if coded.count != before { isSettled = false }
      }
    }
  }

  private func isWanting(_ node: Node, _ wanted: [ValueID: Bool]) -> Bool {
    if integerNodes.contains(node.id) { return true }
    switch roles[node.id] ?? .real {
    case .carrying, .joining:
      return node.outputs.contains { $0.map { wanted[$0] == true } ?? false }
    default: return false
    }
  }

  private func codedOperands(of node: Node) -> [ValueID] {
    switch roles[node.id] ?? .real {
    case .weighted(let operands): [node.inputs[operands.data]].compactMap { $0 }
    case .arithmetic(let operands): operands.compactMap { node.inputs[$0] }
    case .elementwise: [node.inputs[0]].compactMap { $0 }
    default: []
    }
  }

  /// The real-valued operands and the outputs of a node that moves elements.
  private func moved(by node: Node) -> (operands: [ValueID], outputs: [ValueID])? {
    switch roles[node.id] ?? .real {
    case .carrying(let operands), .joining(let operands):
      (operands.compactMap { node.inputs[$0] }, node.outputs.compactMap { $0 })
    default: nil
    }
  }

  /// The coded values, those together that must share a code.
  func groups(sharesConcatScales: Bool) -> [QuantizationPlan.Group] {
    var parents: [ValueID: ValueID] = [:]
    func root(_ value: ValueID) -> ValueID {
      var value = value
      while let parent = parents[value] { value = parent }
      return value
    }
    var copies: Set<ValueID> = []
    for node in index.graph.nodes {
      if case .joining = roles[node.id], !sharesConcatScales { continue }
      guard let (operands, outputs) = moved(by: node) else { continue }
      let codedOperands = operands.filter(coded.contains)
      guard let first = codedOperands.first else { continue }
      for output in outputs where coded.contains(output) { copies.insert(output) }
      for value in codedOperands.dropFirst() + outputs.filter(coded.contains) {
        let (one, other) = (root(first), root(value))
        if one != other { parents[max(one, other)] = min(one, other) }
      }
    }
    var groups: [ValueID: QuantizationPlan.Group] = [:]
    for value in coded.sorted() {
      let root = root(value)
      groups[root, default: .init(values: [], sources: [])].values.append(value)
      if !copies.contains(value) { groups[root]?.sources.append(value) }
    }
    return groups.sorted { $0.key < $1.key }.map(\.value)
  }
}
