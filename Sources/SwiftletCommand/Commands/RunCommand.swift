// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting
package import Swiftlet

/// The command `swiftlet run`.
package struct RunCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a network on .npy inputs, writes .npy outputs.",
    usage: """
      swiftlet run model.onnx --input x.npy --output-dir out/
      swiftlet run model.onnx --input ids=ids.npy --input mask=mask.npy --output-dir out/
      """,
    discussion: "Each output is written to DIR/NAME.npy; a / in a name makes a subfolder.")

  @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
  package var model: String

  @Option(
    help: ArgumentHelp(
      "An input; NAME= may be left out where there is one.", valueName: "name=x.npy"))
  package var input: [String] = []

  @Option(help: ArgumentHelp("Where the outputs go.", valueName: "dir"))
  package var outputDir = "."

  @Option(
    help: "fp32, bf16 or int8; by default int8 for a quantized network, else fp32.")
  package var precision: Precision?

  @Flag(help: "Run every node on the plain reference meaning of its operator.")
  package var reference = false

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    let file = try ModelFile(model)
    let names = file.graph.inputs.map { file.graph[$0].name }
    var inputs: [String: Tensor] = [:]
    for argument in input {
      let (name, path) = try Self.split(argument, names: names)
      guard inputs[name] == nil else {
        throw CommandError("--input \(name) is given twice", status: .wrongUsage)
      }
      let tensor = try NpyFile.read(path)
      inputs[name] = Self.adapted(
        tensor, to: file.graph.value(named: name).flatMap { file.graph.type($0) })
    }
    let paths = try OutputFolder(outputDir).paths(
      of: file.graph.outputs.map { file.graph[$0].name })
    let outputs: [Tensor]
    do {
      try file.graph.check(inputs: inputs)
      outputs = try evaluate(file.graph, inputs, console)
    } catch {
      throw CommandError.naming(model, error)
    }
    try OutputFolder.write(zip(paths, outputs).map { ($0, $1) })
    var rows: [JSONValue] = []
    for ((id, path), tensor) in zip(zip(file.graph.outputs, paths), outputs) {
      let type = TensorType(tensor.elementType, shape: tensor.shape)
      try console.say("\(file.graph[id].name)   \(type)   \(path)")
      rows.append([
        "name": .string(file.graph[id].name), "type": .string(tensor.elementType.rawValue),
        "shape": .array(tensor.shape.map { .integer($0) }), "file": .string(path),
      ])
    }
    try console.object(["model": .string(model), "outputs": .array(rows)])
  }

  private func evaluate(
    _ graph: Graph, _ inputs: [String: Tensor], _ console: Console
  ) throws -> [Tensor] {
    if reference { return try Interpreter(graph).run(inputs) }
    do {
      let portable = try graph.portableAsWritten()
      let chosen = precision ?? portable.naturalPrecision
      return try BatchedModel(portable: portable, options: common.compileOptions(chosen))
        .run(inputs)
    } catch CompileError.kernelFailure(let node, let call, _) {
      // The reference meaning either has the answer or says in words what is wrong.
      let outputs = try Interpreter(graph).run(inputs)
      console.warn("node \"\(node)\" failed at \(call); ran on the reference operators instead")
      return outputs
    }
  }

  /// The name and the path of `NAME=PATH`, or of a path alone where there is one input.
  package static func split(
    _ argument: String, names: [String]
  ) throws(CommandError) -> (name: String, path: String) {
    // Names may hold "=" themselves, so a known name is looked for first.
    for name in names where argument.hasPrefix(name + "=") {
      return (name, String(argument.dropFirst(name.count + 1)))
    }
    if names.count == 1, !argument.contains("=") || FileManager.default.fileExists(atPath: argument)
    {
      return (names[0], argument)
    }
    let given = argument.split(separator: "=", maxSplits: 1).first.map(String.init) ?? argument
    throw CommandError(
      argument.contains("=")
        ? "no input is named \"\(given)\"" : "--input \(argument) names no input",
      reasons: ["the network takes \(names.joined(separator: ", ")); say --input NAME=x.npy"])
  }

  /// NumPy has no bfloat16 and no types below a byte: these inputs are given wider.
  static func adapted(_ tensor: Tensor, to type: TensorType?) -> Tensor {
    guard let wanted = type?.elementType, wanted != tensor.elementType else { return tensor }
    switch (wanted, tensor.elementType) {
    case (.bfloat16, .float32), (.int4, .int8), (.int2, .int8), (.uint4, .uint8), (.uint2, .uint8):
      return tensor.converted(to: wanted)
    default: return tensor
    }
  }
}
