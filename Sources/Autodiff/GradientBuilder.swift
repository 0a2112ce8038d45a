// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// The state of gradient building: the growing graph, and the gradients found so far.
///
/// A rule (`Differentiable`) sees one node of the graph through it.
public struct GradientBuilder {
  /// The graph with the gradient nodes so far.
  public private(set) var graph: Graph

  /// The node whose rule is being applied.
  public private(set) var node: Node

  private var contents: [ValueID: [Dimension]]
  private var contributions: [ValueID: [ValueID]] = [:]
  private let dependent: Set<ValueID>

  init(_ source: Graph, parameters: [ValueID]) {
    graph = source
    contents = graph.inferTypesAndContents().contents
    var dependent = Set(parameters)
    for node in source.nodes where !(node.op is StopGradient) {
      guard node.inputs.contains(where: { $0.map(dependent.contains) ?? false }) else { continue }
      for case .some(let output) in node.outputs
      where graph[output].type?.elementType.isFloatingPoint ?? true {
        dependent.insert(output)
      }
    }
    self.dependent = dependent
    node = Node(id: NodeID(index: -1), name: "loss", op: Identity(), inputs: [], outputs: [])
  }

  mutating func start(at loss: ValueID, parameters: [ValueID]) throws(AutodiffError) {
    let type = graph[loss].type
    for parameter in parameters {
      guard let found = graph[parameter].type, !found.elementType.isFloatingPoint else { continue }
      throw .notFloatingPoint(value: graph[parameter].name, found: "\(found)")
    }
    guard let type, type.elementType.isFloatingPoint, let shape = type.shape,
      shape.reduce(1, *) == 1
    else {
      let found = type.map { "\($0)" } ?? "of unknown type"
      throw .lossIsNoScalar(value: graph[loss].name, found: found)
    }
    guard dependent.contains(loss) else { return }
    let one = Tensor(reals: [1], shape: shape, elementType: type.elementType)
    contributions[loss] = [graph.addConstant(one, name: "\(graph[loss].name).gradient")]
  }

  mutating func differentiate(_ node: Node) throws(AutodiffError) {
    let isReached = node.outputs.contains { $0.map { contributions[$0] != nil } ?? false }
    guard isReached, node.inputs.contains(where: { $0.map(dependent.contains) ?? false }) else {
      return
    }
    self.node = node
    guard let op = node.op as? any Differentiable else {
      throw .noRule(
        node: node.name, kind: node.op.kind, differentiable: DifferentiableCatalog.names)
    }
    try op.addGradients(to: &self)
  }

  /// The sum of all contributions to a value's gradient; `nil` if there are none.
  mutating func gradient(of value: ValueID) throws(AutodiffError) -> ValueID? {
    guard let parts = contributions[value] else { return nil }
    let sum = try sum(parts)
    contributions[value] = sum.map { [$0] }
    return sum
  }

  private mutating func sum(_ parts: [ValueID]) throws(AutodiffError) -> ValueID? {
    switch parts.count {
    case 0, 1: parts.first
    case 2: try add(Binary(.add), parts[0], parts[1])
    default: try add(Variadic(.sum), parts)[0]
    }
  }
}

// What rules see.
extension GradientBuilder {
  /// Whether an input is there and the wanted gradients depend on it.
  public func needsGradient(_ input: Int) -> Bool {
    input < node.inputs.count && (node.inputs[input].map(dependent.contains) ?? false)
  }

  /// The value of an input.
  ///
  /// - Throws: `AutodiffError` if it is left out.
  public func input(_ index: Int) throws(AutodiffError) -> ValueID {
    guard index < node.inputs.count, let value = node.inputs[index] else {
      throw .invalidNode(
        node: node.name, kind: node.op.kind, error: .missingInput(name: "input \(index)"))
    }
    return value
  }

  /// The value of an input, `nil` if it is left out.
  public func optionalInput(_ index: Int) -> ValueID? {
    index < node.inputs.count ? node.inputs[index] : nil
  }

  /// The value of an output.
  ///
  /// - Throws: `AutodiffError` if it is left out.
  public func output(_ index: Int) throws(AutodiffError) -> ValueID {
    guard index < node.outputs.count, let value = node.outputs[index] else {
      throw .notDifferentiable(
        node: node.name, kind: node.op.kind, reason: "its output \(index) is left out")
    }
    return value
  }

  /// The gradient of an output; `nil` if the loss does not depend on it.
  public mutating func outputGradient(_ index: Int) throws(AutodiffError) -> ValueID? {
    guard index < node.outputs.count, let output = node.outputs[index] else { return nil }
    return try gradient(of: output)
  }

  /// The gradient of the first output.
  ///
  /// - Throws: `AutodiffError` if only other outputs have gradients.
  public mutating func outputGradient() throws(AutodiffError) -> ValueID {
    for index in node.outputs.indices.dropFirst() {
      if let output = node.outputs[index], contributions[output] != nil {
        throw .notDifferentiable(
          node: node.name, kind: node.op.kind, reason: "the loss depends on its output \(index)")
      }
    }
    guard let gradient = try outputGradient(0) else {
      throw .notDifferentiable(
        node: node.name, kind: node.op.kind, reason: "its first output has no gradient")
    }
    return gradient
  }

  /// The gradient of the first output in two parts, which are not yet added.
  mutating func outputGradientParts() throws(AutodiffError) -> (ValueID, ValueID?) {
    if let output = node.outputs.first.flatMap({ $0 }), let parts = contributions[output],
      parts.count > 1, let last = parts.last
    {
      if let rest = try sum(parts.dropLast()) {
        contributions[output] = [rest, last]
        return (rest, last)
      }
    }
    return (try outputGradient(), nil)
  }

  /// Adds a gradient of the input's shape to what is known of the input's gradient.
  public mutating func contribute(_ gradient: ValueID, to input: Int) {
    guard needsGradient(input), let value = node.inputs[input] else { return }
    contributions[value, default: []].append(gradient)
  }

  /// Adds a node and infers its types.
  ///
  /// - Returns: One value per output.
  /// - Throws: `AutodiffError.invalidNode` if the operands break the operator's rules.
  public mutating func add(
    _ op: any Op, _ inputs: [ValueID?], outputs count: Int = 1
  ) throws(AutodiffError) -> [ValueID] {
    let title = node.name.isEmpty ? node.op.kind : node.name
    let operands = inputs.map { id in
      id.map {
        Operand(type: graph[$0].type, constant: graph[$0].constant, contents: contents[$0])
      }
    }
    let types: [TensorType?]
    do {
      types = try op.inferTypes(operands, outputCount: count)
    } catch {
      throw .invalidNode(node: node.name, kind: op.kind, error: error)
    }
    let names = (0..<count).map {
      "\(title)/gradient/\(op.kind)" + ($0 > 0 ? ".\($0)" : "")
    }
    let results = graph.addNode(
      op, name: "\(title)/gradient/\(op.kind)", inputs: inputs, outputNames: names)
    for (result, type) in zip(results, types) { graph.setType(type, of: result) }
    contents[results[0]] = op.inferContents(operands)
    return results
  }

  /// Adds a node with one output.
  public mutating func add(_ op: any Op, _ inputs: ValueID?...) throws(AutodiffError) -> ValueID {
    try add(op, inputs)[0]
  }

  public mutating func constant(_ tensor: Tensor) -> ValueID {
    let title = node.name.isEmpty ? node.op.kind : node.name
    return graph.addConstant(tensor, name: "\(title)/gradient/constant")
  }

  public func type(_ value: ValueID) -> TensorType? { graph[value].type }

  /// What is known of an input.
  func operand(_ value: ValueID?) -> Operand? {
    value.map {
      Operand(type: graph[$0].type, constant: graph[$0].constant, contents: contents[$0])
    }
  }

  /// An error about the present node.
  func error(_ reason: String) -> AutodiffError {
    .notDifferentiable(node: node.name, kind: node.op.kind, reason: reason)
  }

  func unknown(_ what: String) -> AutodiffError {
    .unknown(node: node.name, kind: node.op.kind, what: what)
  }
}
