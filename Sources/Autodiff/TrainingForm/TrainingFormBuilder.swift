// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Brings one graph into training form; see `Graph.inTrainingForm(_:)`.
struct TrainingFormBuilder {
  private let index: GraphIndex
  private let options: TrainingFormOptions
  private var graph: Graph
  private var nodes: [Node] = []
  private var result: TrainableGraph

  /// Nodes that another node has taken in, or that compute what is now an input.
  private var dropped: Set<NodeID> = []

  /// Normalizations that are computed where the last node of their tail was.
  private var delayed: [NodeID: (node: Node, tail: NormalizationTail)] = [:]
  private var behindWeights: Set<ValueID> = []
  private var statisticPlaces: [ValueID: Int] = [:]
  private var dropoutCount: UInt64 = 0

  init(_ source: Graph, _ options: TrainingFormOptions) {
    graph = source
    graph.inferTypes()
    index = GraphIndex(graph)
    self.options = options
    result = TrainableGraph(graph: source, parameters: [], statistics: [], step: nil)
  }

  mutating func trainable() throws(AutodiffError) -> TrainableGraph {
    for node in index.graph.nodes { try visit(node) }
    graph.setNodes(nodes.filter { !dropped.contains($0.id) })
    do {
      try graph.sortTopologically()
    } catch {
      throw .notDifferentiable(node: graph.name, kind: "graph", reason: "\(error)")
    }
    graph.inferTypes()
    result.graph = graph
    return result
  }

  private mutating func visit(_ node: Node) throws(AutodiffError) {
    takeParameters(of: node)
    if let (normalization, tail) = delayed[node.id] {
      try emit(normalization, tail)
    } else if dropped.contains(node.id) {
      return
    } else if let op = node.op as? BatchNormalization,
      !options.freezesStatistics || op.trainingMode
    {
      let tail = NormalizationTail(of: node, in: index, avoiding: dropped)
      dropped.formUnion(tail.nodes.map(\.id))
      if let last = tail.nodes.last {
        delayed[last.id] = (node, tail)
      } else {
        try emit(node, tail)
      }
    } else if node.op is Dropout, options.appliesDropout {
      try emitDropout(node)
    } else {
      nodes.append(node)
    }
  }

  private mutating func takeParameters(of node: Node) {
    let sources = node.inputs.map { index.weightSource($0) }
    let operands = zip(node.inputs, sources).map { input, source in
      WeightOperand(
        constantCount: source.flatMap { index.storedConstant($0)?.count },
        isBehindWeights: input.map(behindWeights.contains) ?? false)
    }
    let roles = (node.op as? any WeightBearing)?.weightRoles(operands) ?? [:]
    for (place, role) in roles.sorted(by: { $0.key < $1.key }) where place < sources.count {
      guard let source = sources[place], let tensor = index.storedConstant(source) else { continue }
      let name = graph[source].name
      for case .some(let output) in node.outputs { behindWeights.insert(output) }
      guard !options.frozen.contains(name), makeInput(source) else { continue }
      result.parameters.append(
        TrainableGraph.Parameter(name: name, input: source, initial: tensor, role: role))
    }
    if operands.contains(where: \.isBehindWeights) {
      for case .some(let output) in node.outputs { behindWeights.insert(output) }
    }
  }

  /// - Returns: Whether the value was no input before.
  private mutating func makeInput(_ value: ValueID) -> Bool {
    guard !graph.inputs.contains(value) else { return false }
    if let producer = index.producer(of: value) { dropped.insert(producer.id) }
    graph.makeInput(value)
    return true
  }

  private mutating func emit(_ node: Node, _ tail: NormalizationTail) throws(AutodiffError) {
    guard let op = node.op as? BatchNormalization, node.inputs.count == 5 else { return }
    var inputs = node.inputs
    var outputs = [tail.nodes.last?.outputs.first ?? node.outputs.first].map { $0.flatMap { $0 } }
    for name in ["mean", "inverse_deviation"] {
      outputs.append(graph.addValue(name: "\(node.name).batch_\(name)"))
    }
    for (place, what) in [(3, "mean"), (4, "variance")] {
      guard let source = node.inputs[place], let tensor = index.storedConstant(source) else {
        throw .unknown(node: node.name, kind: op.kind, what: "its running \(what)")
      }
      // Values that training nodes already give have another value in their place.
      let given = node.outputs.count > place - 2 ? node.outputs[place - 2] : nil
      let output = given ?? graph.addValue(name: "\(graph[source].name).updated")
      if let earlier = statisticPlaces[source] {
        inputs[place] = result.statistics[earlier].output
        result.statistics[earlier].output = output
      } else {
        _ = makeInput(source)
        statisticPlaces[source] = result.statistics.count
        result.statistics.append(
          TrainableGraph.Statistic(
            name: graph[source].name, input: source, output: output, initial: tensor))
      }
      outputs.append(output)
    }
    if let addend = tail.addend { inputs.append(addend) }
    let training = BatchStatisticsNormalization(
      epsilon: op.epsilon, momentum: options.momentum ?? op.momentum, activation: tail.activation)
    append(training, name: node.name, inputs: inputs, outputs: outputs)
  }

  private mutating func emitDropout(_ node: Node) throws(AutodiffError) {
    let hasMask = node.outputs.dropFirst().contains {
      $0.map { index.consumerCount(of: $0) > 0 || index.isOutput($0) } ?? false
    }
    guard !hasMask else {
      throw .notDifferentiable(
        node: node.name, kind: node.op.kind, reason: "its mask is used")
    }
    var ratio: Float = 0.5
    if let operand = node.inputs.count > 1 ? node.inputs[1] : nil {
      guard let number = index.storedConstant(operand)?.floats().first, (0..<1).contains(number)
      else { throw .unknown(node: node.name, kind: node.op.kind, what: "its ratio, in 0..<1,") }
      ratio = number
    }
    let step = result.step ?? graph.addInput(name: "dropout.step", type: TensorType(.int64, []))
    result.step = step
    // Streams of one training are told apart by the lower half, trainings by the upper one.
    let stream = options.seed << 32 | dropoutCount
    dropoutCount += 1
    append(
      RandomDropout(ratio: ratio, stream: stream), name: node.name,
      inputs: [node.inputs.first.flatMap { $0 }, step],
      outputs: [node.outputs.first.flatMap { $0 }])
  }

  private mutating func append(
    _ op: any Op, name: String, inputs: [ValueID?], outputs: [ValueID?]
  ) {
    let id = graph.addNode(op, name: name, inputs: inputs, outputs: outputs)
    nodes.append(Node(id: id, name: name, op: op, inputs: inputs, outputs: outputs))
  }
}
