// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting
import Swiftlet

/// The command `swiftlet inspect`.
package struct InspectCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Lists layers, shapes, parameters, MACs and bytes.",
    usage: """
      swiftlet inspect resnet20.onnx
      swiftlet inspect resnet20.onnx --all --json
      """,
    discussion: "Parameters are what training changes: running means and variances are not.")

  @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
  package var model: String

  @Option(help: ArgumentHelp("What a free batch dimension becomes.", valueName: "n"))
  package var batch = 1

  @Flag(help: "List nodes without parameters and products too.")
  package var all = false

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    let file = try ModelFile(model)
    let summary: NetworkSummary
    do { summary = try NetworkSummary(of: file.graph, batch: batch) } catch {
      throw CommandError.naming(model, error)
    }
    let bytes = file.byteCount(constants: summary.constantBytes)
    let view = InspectView(graph: file.graph, summary: summary, name: model, bytes: bytes)
    try console.say(view.headline)
    try console.say()
    try console.show(view.table(all: all || common.verbose))
    for issue in summary.issues.prefix(5) { console.warn("\(issue)") }
    try console.object(view.json)
  }
}

/// What `inspect` shows.
struct InspectView {
  let graph: Graph
  let summary: NetworkSummary
  let name: String
  let bytes: Int

  /// The network in a line.
  var headline: String {
    let facts = [
      "opset \(graph.metadata.opset)", "\(Format.count(summary.parameters)) parameters",
      "\(Format.count(summary.macs)) MACs", Format.bytes(bytes),
      "input \(graph.words(graph.inputs))", "output \(graph.words(graph.outputs))",
    ]
    return "\(name)   " + facts.joined(separator: " · ")
  }

  func table(all: Bool) -> Table {
    var table = Table(columns: [
      Table.Column("layer"), Table.Column("operator", fit: .keep), Table.Column("output"),
      Table.Column("parameters", alignment: .right), Table.Column("MACs", alignment: .right),
      Table.Column("bytes", alignment: .right),
    ])
    var others: [String: Int] = [:]
    for layer in summary.layers {
      guard all || layer.parameters > 0 || layer.macs > 0 else {
        others[layer.kind, default: 0] += 1
        continue
      }
      table.add(
        Table.Cell(layer.name), Table.Cell(layer.kind), Table.Cell(Self.shape(layer.outputs.first)),
        Table.Cell(layer.parameters > 0 ? Format.count(layer.parameters) : ""),
        Table.Cell(layer.macs > 0 ? Format.count(layer.macs) : ""),
        Table.Cell(layer.bytes > 0 ? Format.bytes(layer.bytes) : ""))
    }
    table.add(
      Table.Cell("\(summary.layers.count) nodes", tone: .strong), "", "",
      Table.Cell(Format.count(summary.parameters), tone: .strong),
      Table.Cell(Format.count(summary.macs), tone: .strong),
      Table.Cell(Format.bytes(bytes), tone: .strong))
    if !others.isEmpty {
      let words = others.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.value) \($0.key)" }
      table.notes = ["besides " + words.joined(separator: ", ") + "; --all lists them"]
    }
    return table
  }

  var json: JSONValue {
    [
      "model": .string(name), "opset": .integer(graph.metadata.opset),
      "producer": .string(graph.metadata.producerName),
      "inputs": .array(graph.inputs.map(value)), "outputs": .array(graph.outputs.map(value)),
      "parameters": .integer(summary.parameters), "macs": .integer(summary.macs),
      "bytes": .integer(bytes), "batch": .integer(summary.batch),
      "layers": .array(
        summary.layers.map { layer in
          [
            "name": .string(layer.name), "operator": .string(layer.kind),
            "domain": .string(layer.domain),
            "inputs": .array(layer.inputs.map(Self.shapeJSON)),
            "outputs": .array(layer.outputs.map(Self.shapeJSON)),
            "parameters": .integer(layer.parameters), "macs": .integer(layer.macs),
            "bytes": .integer(layer.bytes),
          ]
        }),
    ]
  }

  private func value(_ id: ValueID) -> JSONValue {
    [
      "name": .string(graph[id].name),
      "type": .optional(graph[id].type?.elementType.rawValue),
      "shape": Self.shapeJSON(graph[id].type),
    ]
  }

  /// Numbers, names of free extents, and null where nothing is known.
  private static func shapeJSON(_ type: TensorType?) -> JSONValue {
    guard let dimensions = type?.dimensions else { return .null }
    return .array(
      dimensions.map { dimension in
        switch dimension {
        case .fixed(let extent): .integer(extent)
        case .symbol(let name): .string(name)
        case .unknown: .null
        }
      })
  }

  private static func shape(_ type: TensorType??) -> String {
    guard let dimensions = type??.dimensions else { return "?" }
    return dimensions.isEmpty ? "scalar" : dimensions.map(\.description).joined(separator: "×")
  }
}
