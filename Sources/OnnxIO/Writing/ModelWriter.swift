// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import SwiftProtobuf
import TensorCore

/// Builds the model of a graph.
struct ModelWriter {
  /// The name under which models are written.
  static let producer = "swiftlet"

  /// The oldest standard operator set that is written; before it, broadcasting was different.
  static let oldestOpset = 7

  let graph: Graph

  /// Names that values around the graph have, where it is part of another one.
  var outerNames: Set<String> = []

  /// The model without its initializers, the values that these are, and the operator sets that
  /// it is written in and that it would need at least.
  struct Skeleton {
    var model: OnnxModelProto
    var initializers: [ValueID]
    var opset: Int
    var requiredOpset: Int
  }

  /// The model in the least operator set, from the given one on, in which all of it has a form.
  func skeleton(from opset: Int) throws(OnnxProblem) -> Skeleton {
    var opset = opset
    while true {
      let skeleton = try skeleton(in: opset)
      if skeleton.requiredOpset <= opset { return skeleton }
      opset = skeleton.requiredOpset
    }
  }

  /// The model in an operator set; of use only if that is at least the one required.
  func skeleton(in opset: Int) throws(OnnxProblem) -> Skeleton {
    let nodes = try written(opset: opset)
    let initializers = try self.initializers(used: nodes.used)
    var model = OnnxModelProto()
    model.producerName = ModelWriter.producer
    if graph.metadata.producerName == ModelWriter.producer {
      model.producerVersion = graph.metadata.producerVersion
    }
    model.docString = graph.metadata.documentation
    model.metadataProps = graph.metadata.properties.sorted { $0.key < $1.key }.map { entry in
      var proto = OnnxStringStringEntryProto()
      proto.key = entry.key
      proto.value = entry.value
      return proto
    }
    model.opsetImport = opsetImports(opset: opset)
    let types = Set(nodes.used.compactMap { graph[$0].type?.elementType })
    model.functions = nodes.functions
    let version = ModelWriter.formatVersion(opset: opset, types: types)
    model.irVersion = Int64(nodes.functions.isEmpty ? version : max(version, 8))
    model.graph.name = graph.name.isEmpty ? "graph" : graph.name
    model.graph.node = nodes.protos
    model.graph.input = graph.inputs.map { TypeEncoder.valueInfo(graph[$0]) }
    model.graph.output = graph.outputs.map { TypeEncoder.valueInfo(graph[$0]) }
    model.graph.valueInfo = intermediateTypes()
    return Skeleton(
      model: model, initializers: initializers, opset: opset, requiredOpset: nodes.requiredOpset)
  }

  private func opsetImports(opset: Int) -> [OnnxOperatorSetIdProto] {
    var versions = graph.metadata.otherOpsets
    for node in graph.nodes where versions[node.op.domain] == nil { versions[node.op.domain] = 1 }
    versions[Domains.standard] = opset
    return versions.sorted { $0.key < $1.key }.map { domain, version in
      var proto = OnnxOperatorSetIdProto()
      proto.domain = domain
      proto.version = Int64(version)
      return proto
    }
  }

  /// Constants that the nodes or the outputs use, in the order of the graph's values.
  private func initializers(used: Set<ValueID>) throws(OnnxProblem) -> [ValueID] {
    var defined = Set(graph.inputs)
    for node in graph.nodes { defined.formUnion(node.outputs.compactMap { $0 }) }
    for id in used.union(graph.outputs).sorted() where !defined.contains(id) {
      guard graph[id].constant != nil else {
        throw .undefinedValue(value: graph[id].name, user: "a node or the list of outputs")
      }
    }
    return used.union(graph.outputs).subtracting(defined).sorted()
  }

  /// Types of what nodes compute and the graph does not give out, where they are known.
  private func intermediateTypes() -> [OnnxValueInfoProto] {
    let outputs = Set(graph.outputs)
    return graph.nodes.flatMap { $0.outputs.compactMap { $0 } }
      .filter { !outputs.contains($0) && graph[$0].type != nil }
      .map { TypeEncoder.valueInfo(graph[$0]) }
  }

  /// The version of the file format that goes with an operator set and element types.
  static func formatVersion(opset: Int, types: Set<ElementType>) -> Int {
    let version =
      switch opset {
      case ...9: 4
      case 10: 5
      case 11: 6
      case 12...14: 7
      case 15...18: 8
      case 19...20: 9
      case 21...22: 10
      case 23: 11
      case 24: 12
      case 25...27: 13
      default: 14
      }
    if !types.isDisjoint(with: [.int2, .uint2]) { return max(version, 13) }
    if !types.isDisjoint(with: [.int4, .uint4]) { return max(version, 10) }
    return version
  }
}

// Nodes.
extension ModelWriter {
  private struct WrittenNodes {
    var protos: [OnnxNodeProto] = []
    var used: Set<ValueID> = []
    var requiredOpset = 1
    /// What the nodes call, each once.
    var functions: [OnnxFunctionProto] = []
  }

  private func written(opset: Int) throws(OnnxProblem) -> WrittenNodes {
    var result = WrittenNodes()
    for node in graph.nodes {
      var form = OnnxForm(node, of: graph, opset: opset, outerNames: outerNames)
      do throws(ConversionError) {
        if let opaque = node.op as? Opaque {
          try opaque.writeUnread(to: &form)
        } else if let op = node.op as? any OnnxConvertible {
          try op.write(to: &form)
        } else {
          throw .unsupported("the operator exists inside Swiftlet only")
        }
      } catch {
        throw problem(error, node)
      }
      result.requiredOpset = max(result.requiredOpset, form.requiredOpset)
      result.protos += form.protos
      if let function = form.function,
        !result.functions.contains(where: { $0.name == function.name })
      {
        result.functions.append(function)
      }
      result.used.formUnion(form.inputs.compactMap { $0 })
      result.used.formUnion(node.outputs.compactMap { $0 })
      if node.op is Opaque || OnnxForm.holdsSubgraphs(node.op) {
        result.used.formUnion(node.inputs.compactMap { $0 })
      }
    }
    for id in result.used.union(graph.inputs) {
      guard let type = graph[id].type else { continue }
      result.requiredOpset = max(
        result.requiredOpset, OnnxElementTypes.minimumOpset(type.elementType))
    }
    ModelWriter.distinguishNames(&result.protos)
    return result
  }

  /// Numbers the nodes whose name another one has; runtimes refuse equal names.
  private static func distinguishNames(_ nodes: inout [OnnxNodeProto]) {
    var taken: Set<String> = []
    let all = Set(nodes.map(\.name))
    for index in nodes.indices {
      let name = nodes[index].name
      guard !name.isEmpty, !taken.insert(name).inserted else { continue }
      var number = 1
      while all.contains("\(name)_\(number)") || !taken.insert("\(name)_\(number)").inserted {
        number += 1
      }
      nodes[index].name = "\(name)_\(number)"
    }
  }

  private func problem(_ error: ConversionError, _ node: Node) -> OnnxProblem {
    let kind = Domains.operatorName(node.op.kind, in: node.op.domain)
    let name =
      node.name.isEmpty
      ? node.outputs.first.flatMap { $0 }.map { graph[$0].name } ?? kind : node.name
    return switch error {
    case .invalid(let error): .invalidNode(node: name, kind: kind, error: error)
    case .unsupported(let reason): .notConvertible(node: name, kind: kind, reason: reason)
    }
  }
}
