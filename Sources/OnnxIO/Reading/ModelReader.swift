// SPDX-License-Identifier: Apache-2.0
import GraphIR
import SwiftProtobuf
import TensorCore

/// Builds the graph of a decoded model.
struct ModelReader {
  private let decoder: TensorDecoder
  private let limits: OnnxLimits
  private var graph = Graph()
  private var declaredTypes: [String: TensorType] = [:]
  private var used: Set<String> = []

  /// Types that follow from the operators, kept only where a conversion depends on them.
  private var inferredTypes: [ValueID: TensorType] = [:]
  private var infersTypes = false

  init(externalData: ExternalData?, limits: OnnxLimits) {
    decoder = TensorDecoder(externalData: externalData)
    self.limits = limits
  }

  /// The graph of the model: functions inlined, constants collected, nodes in topological order.
  ///
  /// The model is consumed: stored tensors are let go one by one as they are converted.
  mutating func graph(of model: consuming OnnxModelProto) throws(OnnxProblem) -> Graph {
    guard model.hasGraph else { throw .noGraph }
    var proto = model.graph
    model.clearGraph()
    let opsets = try ModelReader.opsets(model.opsetImport)
    model.graph.node = []
    var inliner = try FunctionInliner(ModelReader.shell(model, proto), limits: limits)
    let nodes = try inliner.inlined(proto.node, opsets: opsets)
    proto.node = []
    graph = Graph(
      name: proto.name.isEmpty ? "graph" : proto.name,
      metadata: ModelReader.metadata(of: model, opsets: opsets, nodes: nodes))
    try declareTypes(proto)
    used = Set(proto.output.map(\.name))
    try addInterface(&proto)
    try addNodes(nodes)
    try addOutputs(proto)
    do { try graph.sortTopologically() } catch {
      if case .cycle(let names) = error { throw .cycle(nodes: names) }
      throw .malformed(reason: "\(error)")
    }
    return graph
  }

  private init(decoder: TensorDecoder, limits: OnnxLimits) {
    self.decoder = decoder
    self.limits = limits
  }

  /// A graph inside a node, functions inlined already.
  ///
  /// - Parameter captured: What it takes from around, which become its last inputs.
  private mutating func subgraph(
    _ proto: OnnxGraphProto, opsets: [String: Int], captured: [(name: String, type: TensorType?)]
  ) throws(OnnxProblem) -> Graph {
    var proto = proto
    let nodes = proto.node.map { ScopedNode(proto: $0, opsets: opsets) }
    graph = Graph(
      name: proto.name.isEmpty ? "body" : proto.name,
      metadata: ModelReader.metadata(of: OnnxModelProto(), opsets: opsets, nodes: nodes))
    try declareTypes(proto)
    used = Set(proto.output.map(\.name))
    try addInterface(&proto)
    let defined = Set(Subgraphs.definedNames(proto))
    for (name, type) in captured {
      // A sibling branch may take from around what this one calls its own.
      _ = graph.addInput(name: defined.contains(name) ? "\(name)_outer" : name, type: type)
    }
    try addNodes(nodes)
    try addOutputs(proto)
    do { try graph.sortTopologically() } catch {
      if case .cycle(let names) = error { throw .cycle(nodes: names) }
      throw .malformed(reason: "\(error)")
    }
    return graph
  }

  /// The model with the graph put back in; functions look up names there.
  private static func shell(_ model: OnnxModelProto, _ graph: OnnxGraphProto) -> OnnxModelProto {
    guard !model.functions.isEmpty else { return model }
    var shell = model
    shell.graph = graph
    return shell
  }

  private static func opsets(
    _ imports: [OnnxOperatorSetIdProto]
  ) throws(OnnxProblem) -> [String: Int] {
    var opsets: [String: Int] = [:]
    for entry in imports {
      guard (1...Int64(Int32.max)).contains(entry.version) else {
        throw .invalidOpset(domain: entry.domain, version: entry.version)
      }
      opsets[Domains.normalized(entry.domain)] = Int(entry.version)
    }
    return opsets
  }

  private static func metadata(
    of model: OnnxModelProto, opsets: [String: Int], nodes: [ScopedNode]
  ) -> GraphMetadata {
    let calledDomains = Set(model.functions.map { Domains.normalized($0.domain) })
    let usedDomains = Set(nodes.map { Domains.normalized($0.proto.domain) })
    var others = opsets.filter { domain, _ in
      domain != Domains.standard
        && (usedDomains.contains(domain) || !calledDomains.contains(domain))
    }
    for node in nodes {
      let domain = Domains.normalized(node.proto.domain)
      if domain != Domains.standard, others[domain] == nil {
        others[domain] = node.opsets[domain] ?? 1
      }
    }
    let standard = nodes.reduce(opsets[Domains.standard] ?? 0) {
      max($0, $1.opsets[Domains.standard] ?? 0)
    }
    var metadata = GraphMetadata(
      otherOpsets: others, producerName: model.producerName,
      producerVersion: model.producerVersion, documentation: model.docString)
    if standard > 0 { metadata.opset = standard }
    for entry in model.metadataProps { metadata.properties[entry.key] = entry.value }
    return metadata
  }

  private mutating func declareTypes(_ proto: OnnxGraphProto) throws(OnnxProblem) {
    for value in proto.valueInfo { declaredTypes[value.name] = try TypeDecoder.type(value) }
    for value in proto.output {
      if let type = try TypeDecoder.interfaceType(value) { declaredTypes[value.name] = type }
    }
  }

  /// Adds inputs and initializers; an input that has an initializer is a constant.
  private mutating func addInterface(_ proto: inout OnnxGraphProto) throws(OnnxProblem) {
    let initializers = Set(proto.initializer.map(\.name))
    for value in proto.input where !initializers.contains(value.name) {
      let type = try TypeDecoder.interfaceType(value)
      try requireNew(value.name)
      _ = graph.addInput(name: value.name, type: type)
    }
    if let sparse = proto.sparseInitializer.first {
      throw .tensor(name: sparse.values.name, problem: .isSparse)
    }
    for index in proto.initializer.indices {
      try requireNew(proto.initializer[index].name)
      let tensor = try decoder.tensor(proto.initializer[index])
      _ = graph.addConstant(tensor, name: proto.initializer[index].name)
      proto.initializer[index] = OnnxTensorProto()
    }
  }

  private func requireNew(_ name: String) throws(OnnxProblem) {
    guard !name.isEmpty, graph.value(named: name) == nil else { throw .definedTwice(value: name) }
  }

  private mutating func addOutputs(_ proto: OnnxGraphProto) throws(OnnxProblem) {
    for value in proto.output {
      guard let id = graph.value(named: value.name) else {
        throw .undefinedValue(value: value.name, user: "the list of outputs")
      }
      graph.markOutput(id)
    }
  }
}

// Nodes.
extension ModelReader {
  /// Adds all nodes; the values that they compute come first, so that any order is accepted.
  private mutating func addNodes(_ nodes: [ScopedNode]) throws(OnnxProblem) {
    infersTypes = nodes.contains { $0.proto.opType == "CastLike" }
    for node in nodes {
      used.formUnion(node.proto.input)
      for name in node.proto.output where !name.isEmpty {
        try requireNew(name)
        _ = graph.addValue(name: name, type: declaredTypes[name])
      }
    }
    var captured: [[String]] = []
    for node in nodes {
      let names = Subgraphs.capturedNames(node.proto)
      used.formUnion(names)
      captured.append(names)
    }
    for (node, names) in zip(nodes, captured) { try addNode(node, capturing: names) }
  }

  private mutating func addNode(
    _ scoped: ScopedNode, capturing captured: [String]
  ) throws(OnnxProblem) {
    let proto = scoped.proto
    guard !proto.opType.isEmpty else { throw .emptyOperator(node: label(proto)) }
    let domain = Domains.normalized(proto.domain)
    guard let opset = scoped.opsets[domain] ?? (domain == Domains.standard ? nil : 1) else {
      throw .missingOpset(domain: domain, node: label(proto))
    }
    var inputs = try proto.input.map { (name) throws(OnnxProblem) in try value(name, of: proto) }
    if captured.isEmpty { while case .some(.none) = inputs.last { inputs.removeLast() } }
    var outputs = proto.output.map { $0.isEmpty ? nil : graph.value(named: $0) }
    while case .some(.none) = outputs.last { outputs.removeLast() }

    let name = Domains.operatorName(proto.opType, in: domain)
    var reason = ""
    let outer = try captured.map { (name) throws(OnnxProblem) in try value(name, of: proto) }
    let formal = zip(captured, outer).map { ($0, type(of: $1)) }
    let (decoder, limits) = (decoder, limits)
    do throws(ConversionError) {
      var node = try OnnxNode(
        proto, opset: opset, inputs: inputs, inputTypes: inputs.map { type(of: $0) },
        inputConstants: inputs.map { graph.constant($0) },
        usesOutputs: outputs.map { $0.map { used.contains(graph[$0].name) } ?? false },
        decoder: decoder, captured: outer
      ) { (body) throws(ConversionError) in
        var reader = ModelReader(decoder: decoder, limits: limits)
        do throws(OnnxProblem) {
          return try reader.subgraph(body, opsets: scoped.opsets, captured: formal)
        } catch {
          throw .unsupported("\(error)")
        }
      }
      if name == "Constant", let tensor = try node.constantValue() {
        if let id = outputs.first.flatMap({ $0 }) { graph.setConstant(tensor, of: id) }
        return
      }
      if let converter = OnnxCatalog.converter(name) {
        let op = try converter.init(onnx: &node)
        guard let unknown = node.remainingAttributes.first else {
          return add(op, proto, node.inputs, Array(outputs.prefix(node.outputCount)))
        }
        throw .unsupported("attribute \(unknown) is unknown in operator set \(opset)")
      }
    } catch {
      switch error {
      case .invalid(let error):
        throw .invalidNode(node: label(proto), kind: name, error: error)
      case .unsupported(let text): reason = text
      }
    }
    inputs += outer
    var op = try opaque(proto, domain: domain, captured: captured, reason: reason)
    op.opset = scoped.opsets[Domains.standard] ?? 0
    graph.addNode(op, name: proto.name, inputs: inputs, outputs: outputs)
  }

  private mutating func add(
    _ op: any Op, _ proto: OnnxNodeProto, _ inputs: [OnnxInput], _ outputs: [ValueID?]
  ) {
    let base = outputs.first.flatMap { $0 }.map { graph[$0].name } ?? proto.name
    var ids: [ValueID?] = []
    for input in inputs {
      switch input {
      case .absent: ids.append(nil)
      case .value(let id): ids.append(id)
      case .constant(let tensor, let suffix):
        ids.append(graph.addConstant(tensor, name: "\(base)_\(suffix)"))
      }
    }
    while case .some(.none) = ids.last { ids.removeLast() }
    graph.addNode(op, name: proto.name, inputs: ids, outputs: outputs)
    if infersTypes { inferTypes(op, ids, outputs) }
  }

  private func type(of id: ValueID?) -> TensorType? {
    id.flatMap { graph[$0].type ?? inferredTypes[$0] }
  }

  private mutating func inferTypes(_ op: any Op, _ inputs: [ValueID?], _ outputs: [ValueID?]) {
    let operands = inputs.map { id in
      id.map { Operand(type: type(of: $0), constant: graph[$0].constant) }
    }
    guard let types = try? op.inferTypes(operands, outputCount: outputs.count) else { return }
    for case (.some(let output), .some(let type)) in zip(outputs, types) {
      inferredTypes[output] = type
    }
  }

  private func value(
    _ name: String, of proto: OnnxNodeProto
  ) throws(OnnxProblem) -> ValueID? {
    if name.isEmpty { return nil }
    guard let id = graph.value(named: name) else {
      throw .undefinedValue(value: name, user: "node \"\(label(proto))\"")
    }
    return id
  }

  private func opaque(
    _ proto: OnnxNodeProto, domain: String, captured: [String], reason: String
  ) throws(OnnxProblem) -> Opaque {
    var attributes: [[UInt8]] = []
    for attribute in proto.attribute {
      guard let bytes: [UInt8] = try? attribute.serializedBytes() else {
        throw .malformed(reason: "attribute \"\(attribute.name)\" of node \"\(label(proto))\"")
      }
      attributes.append(bytes)
    }
    return Opaque(
      kind: proto.opType, domain: domain, attributes: attributes, capturedNames: captured,
      reason: reason)
  }

  /// The name of a node, or what tells it from others if it has none.
  private func label(_ proto: OnnxNodeProto) -> String {
    if !proto.name.isEmpty { return proto.name }
    return proto.output.first { !$0.isEmpty } ?? proto.opType
  }
}
