// SPDX-License-Identifier: Apache-2.0
import GraphIR
import SwiftProtobuf
import TensorCore

extension Opaque {
  /// Writes the attributes as they were read.
  ///
  /// Where captured values have other names now, the subgraphs use these; where another operator
  /// set is written, the nodes in the subgraphs take their forms of it.
  func writeUnread(to form: inout OnnxForm) throws(ConversionError) {
    var proto = OnnxNodeProto()
    for bytes in attributes {
      guard let attribute = try? OnnxAttributeProto(serializedBytes: bytes) else {
        throw .unsupported("an attribute is damaged")
      }
      proto.attribute.append(attribute)
    }
    let ownCount = max(0, form.inputs.count - capturedNames.count)
    let captured = Array(form.inputs[ownCount...])
    var renamed: [String: String] = [:]
    for (name, id) in zip(capturedNames, captured) {
      guard let id, form.graph[id].name != name else { continue }
      renamed[name] = form.graph[id].name
    }
    if !renamed.isEmpty { Subgraphs.renameCaptured(renamed, in: &proto) }
    form.dropInputs(from: ownCount)
    if domain == Domains.standard || !capturedNames.isEmpty {
      form.require(opset)
      if form.opset > opset { try moveUp(&proto, &form, capturing: captured) }
    }
    for attribute in proto.attribute { form.append(attribute) }
  }

  private func moveUp(
    _ proto: inout OnnxNodeProto, _ form: inout OnnxForm, capturing captured: [ValueID?]
  ) throws(ConversionError) {
    if domain == Domains.standard, opset > 0,
      let change = Opaque.changes[kind]?.first(where: { $0 > opset && $0 <= form.opset })
    {
      throw .unsupported(
        "it is unread, and operator set \(change) changes it (the model has \(opset),"
          + " \(form.opset) is written)")
    }
    let declared = captured.compactMap { $0 }.map { TypeEncoder.valueInfo(form.graph[$0]) }
    let writer = SubgraphWriter(
      sourceOpset: opset, otherOpsets: form.graph.metadata.otherOpsets, captured: declared)
    let target = form.opset
    var required = 1
    do {
      try Subgraphs.forEachGraph(in: &proto) { (graph) throws(OnnxProblem) in
        required = max(required, try writer.write(&graph, opset: target))
      }
    } catch {
      throw .unsupported("\(error)")
    }
    form.require(required)
  }

  /// The operator sets that change the form or the meaning of an operator.
  private static let changes: [String: [Int]] = [
    "Add": [7], "And": [7], "BatchNormalization": [9, 14], "Cast": [6], "Clip": [11], "Concat": [4],
    "DFT": [20], "Div": [7], "Dropout": [12], "Equal": [7], "GRU": [7], "Gemm": [7], "Greater": [7],
    "GridSample": [20], "GroupNormalization": [21], "Hardmax": [13], "LSTM": [7], "Less": [7],
    "LogSoftmax": [13], "Mul": [7], "Or": [7], "PRelu": [7], "Pad": [2, 11], "Pow": [7], "RNN": [7],
    "ReduceL1": [18], "ReduceL2": [18], "ReduceLogSum": [18], "ReduceLogSumExp": [18],
    "ReduceMax": [18], "ReduceMean": [18], "ReduceMin": [18], "ReduceProd": [18], "ReduceSum": [13],
    "ReduceSumSquare": [18], "Reshape": [5], "Resize": [11], "RoiAlign": [16], "Scan": [9],
    "Scatter": [11], "Selu": [6], "Slice": [10], "Softmax": [13], "Split": [13, 18],
    "Squeeze": [13], "Sub": [7],
    "Tile": [6], "TopK": [10], "Unsqueeze": [13], "Upsample": [9, 10], "Xor": [7],
  ]
}

/// Writes the nodes of a subgraph in another operator set; its interface stays as it is.
private struct SubgraphWriter {
  let sourceOpset: Int
  let otherOpsets: [String: Int]

  /// Declarations of the values that the subgraph may use from the graph around it.
  let captured: [OnnxValueInfoProto]

  /// Rewrites the subgraph; returns the least operator set that its nodes have a form in.
  func write(_ subgraph: inout OnnxGraphProto, opset: Int) throws(OnnxProblem) -> Int {
    var model = OnnxModelProto()
    model.graph = subgraph
    let defined = Set(Subgraphs.definedNames(subgraph))
    model.graph.input += captured.filter { !defined.contains($0.name) }
    for index in model.graph.input.indices { SubgraphWriter.keepTensor(&model.graph.input[index]) }
    for index in model.graph.output.indices {
      SubgraphWriter.keepTensor(&model.graph.output[index])
    }
    var versions = otherOpsets
    versions[Domains.standard] = sourceOpset
    model.opsetImport = versions.map { domain, version in
      var proto = OnnxOperatorSetIdProto()
      proto.domain = domain
      proto.version = Int64(version)
      return proto
    }
    var reader = ModelReader(externalData: nil, limits: OnnxLimits())
    let graph = try reader.graph(of: model)
    let skeleton = try ModelWriter(graph: graph).skeleton(in: opset)
    guard skeleton.requiredOpset <= opset else { return skeleton.requiredOpset }
    if let function = skeleton.model.functions.first {
      throw .notConvertible(
        node: subgraph.name, kind: function.name, reason: "it calls a function in a subgraph")
    }
    subgraph.node = []
    subgraph.initializer = []
    let outputs = Set(graph.outputs)
    for id in skeleton.initializers {
      guard let tensor = graph[id].constant else { continue }
      if outputs.contains(id) {
        subgraph.node.append(SubgraphWriter.constant(tensor, name: graph[id].name))
      } else {
        subgraph.initializer.append(TensorEncoder.proto(tensor, name: graph[id].name))
      }
    }
    subgraph.node += skeleton.model.graph.node
    return skeleton.requiredOpset
  }

  /// Leaves out a declared type that is no tensor; it has no part in rewriting.
  private static func keepTensor(_ value: inout OnnxValueInfoProto) {
    if (try? TypeDecoder.interfaceType(value)) == nil { value.clearType() }
  }

  /// A node that gives a constant; outputs of subgraphs must be computed.
  private static func constant(_ tensor: Tensor, name: String) -> OnnxNodeProto {
    var attribute = OnnxAttributeProto()
    attribute.name = "value"
    attribute.type = .tensor
    attribute.t = TensorEncoder.proto(tensor, name: "")
    var node = OnnxForm.proto("Constant", name: "", inputs: [], outputs: [name])
    node.attribute = [attribute]
    return node
  }
}
