// SPDX-License-Identifier: Apache-2.0

/// A node with the operator sets that it is written in.
struct ScopedNode {
  var proto: OnnxNodeProto
  var opsets: [String: Int]
}

/// Replaces calls of model-local functions by the functions' nodes, in subgraphs too.
///
/// Inner values and nodes are named after the call; references to attributes of the call are
/// replaced by their values. Functions of our own that stand for an operator stay calls of it,
/// outside subgraphs.
struct FunctionInliner {
  private let functions: [String: OnnxFunctionProto]
  private let limits: OnnxLimits
  private var names: Set<String>

  /// The first number that may be free behind a name that is taken.
  private var nextNumbers: [String: Int] = [:]
  /// Nodes and calls so far.
  private var nodeCount = 0

  /// Bytes of functions' nodes, counted for each call.
  private var copiedBytes = 0
  private static let maximumCopiedBytes = 1 << 28

  init(_ model: OnnxModelProto, limits: OnnxLimits) throws(OnnxProblem) {
    var functions: [String: OnnxFunctionProto] = [:]
    for function in model.functions {
      let key = FunctionInliner.key(function.domain, function.name, function.overload)
      guard functions.updateValue(function, forKey: key) == nil else {
        throw .definedTwice(value: function.name)
      }
    }
    self.functions = functions
    self.limits = limits
    names = functions.isEmpty ? [] : Set(Subgraphs.allNames(model.graph))
  }

  /// The nodes with every call replaced.
  mutating func inlined(
    _ nodes: [OnnxNodeProto], opsets: [String: Int], depth: Int = 0, keepsOwn: Bool = true
  ) throws(OnnxProblem) -> [ScopedNode] {
    var result: [ScopedNode] = []
    result.reserveCapacity(nodes.count)
    for var node in nodes {
      nodeCount += 1
      guard nodeCount <= limits.nodes else { throw .tooMany(what: "nodes", limit: limits.nodes) }
      guard
        let function = functions[FunctionInliner.key(node.domain, node.opType, node.overload)]
      else {
        if !functions.isEmpty { try inlineSubgraphs(of: &node, opsets: opsets, depth: depth) }
        result.append(ScopedNode(proto: node, opsets: opsets))
        continue
      }
      if keepsOwn, let base = OnnxCatalog.ownOperator(node.domain, node.opType) {
        node.opType = base
        result.append(ScopedNode(proto: node, opsets: opsets))
        continue
      }
      guard depth < limits.functionDepth else {
        throw .recursiveFunction(name: node.opType, depth: limits.functionDepth)
      }
      let body = try instantiated(function, call: node)
      var inner: [String: Int] = [:]
      for entry in function.opsetImport {
        inner[Domains.normalized(entry.domain)] = Int(entry.version)
      }
      result += try inlined(
        body, opsets: opsets.merging(inner) { $1 }, depth: depth + 1, keepsOwn: keepsOwn)
    }
    return result
  }

  private mutating func inlineSubgraphs(
    of node: inout OnnxNodeProto, opsets: [String: Int], depth: Int
  ) throws(OnnxProblem) {
    try Subgraphs.forEachGraph(in: &node) { (graph) throws(OnnxProblem) in
      graph.node = try inlined(
        graph.node, opsets: opsets, depth: depth, keepsOwn: false
      ).map(\.proto)
    }
  }

  /// The nodes of a function with the names and attribute values of a call.
  private mutating func instantiated(
    _ function: OnnxFunctionProto, call: OnnxNodeProto
  ) throws(OnnxProblem) -> [OnnxNodeProto] {
    try checkArity(function, call: call)
    var renamed = ["": ""]
    var nodes: [OnnxNodeProto] = []
    for (index, formal) in function.input.enumerated() {
      renamed[formal] = index < call.input.count ? call.input[index] : ""
    }
    for (formal, actual) in zip(function.output, call.output) where !actual.isEmpty {
      if let source = renamed[formal] {
        nodes.append(FunctionInliner.identity(from: source, to: actual))
      } else {
        renamed[formal] = actual
      }
    }
    let prefix = call.name.isEmpty ? function.name : call.name
    var values: [String: OnnxAttributeProto] = [:]
    for attribute in function.attributeProto { values[attribute.name] = attribute }
    for attribute in call.attribute { values[attribute.name] = attribute }
    for node in function.node {
      for name in node.output where renamed[name] == nil {
        renamed[name] = uniqueName("\(prefix)/\(name)")
      }
      nameDefinitions(in: node, prefix: prefix, &renamed)
    }
    for var node in function.node {
      node.name = node.name.isEmpty ? prefix : "\(prefix)/\(node.name)"
      node.input = node.input.map { renamed[$0] ?? $0 }
      node.output = node.output.map { renamed[$0] ?? $0 }
      FunctionInliner.resolveReferences(in: &node, values)
      Subgraphs.forEachGraph(in: &node) { Subgraphs.rename(renamed, in: &$0) }
      copiedBytes += FunctionInliner.byteCount(node)
      guard copiedBytes <= FunctionInliner.maximumCopiedBytes else {
        throw .tooMany(
          what: "bytes in calls of functions", limit: FunctionInliner.maximumCopiedBytes)
      }
      nodes.append(node)
    }
    return nodes
  }

  /// About what a node takes in memory: names that are its own, places of others, attributes.
  private static func byteCount(_ node: OnnxNodeProto) -> Int {
    func size(_ tensor: OnnxTensorProto) -> Int {
      tensor.rawData.count + 4 * (tensor.floatData.count + tensor.int32Data.count)
        + 8 * (tensor.int64Data.count + tensor.doubleData.count + tensor.uint64Data.count)
    }
    var count = 64 + node.name.utf8.count + 16 * (node.input.count + node.output.count)
    for name in node.output { count += name.utf8.count }
    for attribute in node.attribute {
      count += 64 + 4 * attribute.floats.count + 8 * attribute.ints.count
      if attribute.hasT { count += size(attribute.t) }
      for tensor in attribute.tensors { count += size(tensor) }
    }
    for graph in Subgraphs.graphs(of: node) {
      for tensor in graph.initializer { count += 64 + size(tensor) }
      for inner in graph.node { count += byteCount(inner) }
    }
    return count
  }

  private func checkArity(
    _ function: OnnxFunctionProto, call: OnnxNodeProto
  ) throws(OnnxProblem) {
    guard call.input.count <= function.input.count else {
      throw .wrongFunctionArity(
        function: function.name, node: call.name, what: "inputs", found: call.input.count,
        limit: function.input.count)
    }
    guard call.output.count <= function.output.count else {
      throw .wrongFunctionArity(
        function: function.name, node: call.name, what: "outputs", found: call.output.count,
        limit: function.output.count)
    }
  }

  private mutating func nameDefinitions(
    in node: OnnxNodeProto, prefix: String, _ renamed: inout [String: String]
  ) {
    for graph in Subgraphs.graphs(of: node) {
      for name in Subgraphs.definedNames(graph) where renamed[name] == nil {
        renamed[name] = uniqueName("\(prefix)/\(name)")
      }
      for inner in graph.node { nameDefinitions(in: inner, prefix: prefix, &renamed) }
    }
  }

  private mutating func uniqueName(_ base: String) -> String {
    if names.insert(base).inserted { return base }
    var number = nextNumbers[base] ?? 1
    while !names.insert("\(base)_\(number)").inserted { number += 1 }
    nextNumbers[base] = number + 1
    return "\(base)_\(number)"
  }

  /// Replaces references to attributes of the call; one that the call and the function leave open
  /// is dropped, so that the operator's default holds.
  private static func resolveReferences(
    in node: inout OnnxNodeProto, _ values: [String: OnnxAttributeProto]
  ) {
    node.attribute = node.attribute.compactMap { attribute in
      if attribute.refAttrName.isEmpty { return attribute }
      var value = values[attribute.refAttrName]
      value?.name = attribute.name
      return value
    }
    Subgraphs.forEachGraph(in: &node) { graph in
      for index in graph.node.indices { resolveReferences(in: &graph.node[index], values) }
    }
  }

  private static func identity(from source: String, to target: String) -> OnnxNodeProto {
    var node = OnnxNodeProto()
    node.opType = "Identity"
    node.input = [source]
    node.output = [target]
    return node
  }

  private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
    "\(Domains.normalized(domain))\0\(name)\0\(overload)"
  }
}

/// Names of operator set domains.
enum Domains {
  static let standard = ""

  /// The domain, with the long name of the standard one shortened to nothing.
  static func normalized(_ domain: String) -> String { domain == "ai.onnx" ? standard : domain }

  /// The operator as files and messages name it.
  static func operatorName(_ kind: String, in domain: String) -> String {
    domain.isEmpty ? kind : "\(domain)::\(kind)"
  }
}
