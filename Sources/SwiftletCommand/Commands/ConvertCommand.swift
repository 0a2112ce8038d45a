// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting
import Swiftlet

/// The command `swiftlet convert`.
package struct ConvertCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Writes a network for another operator set.",
    usage: """
      swiftlet convert model.onnx -o model21.onnx --opset 21
      swiftlet convert model.onnx -o plain.onnx --simplify
      """,
    discussion: """
      Functions are written as their nodes. The operator set is raised where the network needs \
      a later one. --simplify folds constants, shapes and batch norms, as quantize does, and \
      writes operators of ONNX Runtime as standard ones.
      """)

  @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
  package var model: String

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("The file to write.", valueName: "file.onnx"))
  package var output: String

  @Option(
    help: ArgumentHelp(
      "The standard operator set to write (default: that of the file).", valueName: "n"))
  package var opset: Int?

  @Flag(help: "Fold constants, shapes and batch norms.")
  package var simplify = false

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    if let opset, !(7...28).contains(opset) {
      throw ValidationError("--opset \(opset): accepted: 7 to 28")
    }
  }

  package func run(on console: Console) throws {
    let file = try ModelFile(model)
    let graph = simplify ? try file.portable() : file.graph
    let url = URL(fileURLWithPath: output)
    try OnnxModel.write(graph, to: url, options: OnnxWriteOptions(opset: opset))
    let written = try ModelFile(output)
    let bytes = written.byteCount(constants: 0)
    try console.say(
      "\(output)   opset \(written.graph.metadata.opset) · \(graph.nodes.count) nodes"
        + " (\(file.graph.nodes.count) before) · \(Format.bytes(bytes))")
    try console.object([
      "model": .string(model), "output": .string(output),
      "opset": .integer(written.graph.metadata.opset), "nodes": .integer(graph.nodes.count),
      "nodes_before": .integer(file.graph.nodes.count), "bytes": .integer(bytes),
    ])
  }
}
