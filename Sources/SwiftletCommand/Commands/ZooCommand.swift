// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting
import Swiftlet

/// The command `swiftlet zoo`, which lists unless told otherwise.
package struct ZooCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "zoo",
    abstract: "Lists and exports the networks that it can make.",
    usage: """
      swiftlet zoo
      swiftlet zoo export resnet20 -o resnet20.onnx
      swiftlet zoo export resnet50 -o resnet50.onnx --weights resnet50.safetensors
      """,
    discussion: "`swiftlet zoo --json` gives exact counts, titles of papers, and the inputs.",
    subcommands: [ZooListCommand.self, ZooExportCommand.self, ZooWeightsCommand.self],
    defaultSubcommand: ZooListCommand.self)

  package init() {}
}

/// The command `swiftlet zoo list`.
package struct ZooListCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists every network with its parameters, its work and its source.",
    usage: "swiftlet zoo",
    discussion: """
      Parameters are what training changes: running means and variances are not. \
      Multiply-accumulates are for one picture of the input that is listed.
      """)

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    var table = Table(columns: [
      Table.Column("architecture", fit: .keep), Table.Column("input", fit: .keep),
      Table.Column("parameters", alignment: .right), Table.Column("MACs", alignment: .right),
      Table.Column("source"),
    ])
    var rows: [JSONValue] = []
    for architecture in ArchitectureRegistry.all {
      let counts = try architecture.counts()
      let input = architecture.inputs.first ?? .imageNet
      table.add(
        Table.Cell(architecture.name), Table.Cell("\(input)"),
        Table.Cell(Format.count(counts.parameters)), Table.Cell(Format.count(counts.macs)),
        Table.Cell("\(architecture.paper)"))
      rows.append([
        "name": .string(architecture.name), "summary": .string(architecture.summary),
        "input": .string("\(input)"),
        "inputs": .array(architecture.inputs.map { .string("\($0)") }),
        "width": .optional(architecture.width), "parameters": .integer(counts.parameters),
        "macs": .integer(counts.macs),
        "paper": [
          "authors": .string(architecture.paper.authors),
          "title": .string(architecture.paper.title),
          "year": .integer(architecture.paper.year),
        ],
      ])
    }
    try console.show(table)
    try console.object(["architectures": .array(rows)])
  }
}

/// The command `swiftlet zoo export`.
package struct ZooExportCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a network of the zoo as ONNX.",
    usage: """
      swiftlet zoo export resnet20 -o resnet20.onnx --seed 1
      swiftlet zoo export mobilenet_v2 -o small.onnx --input 3x32x32 --classes 100 --width 0.5
      swiftlet zoo export resnet50 -o resnet50.onnx --weights resnet50.safetensors
      """,
    discussion: """
      Without --weights, weights are random, as the paper initializes them. Files of weights are \
      safetensors with the names of torchvision's state_dict. Pictures with a side below 96 get \
      the form for small pictures: a stem of stride 1 without pooling.
      """)

  @Argument(help: ArgumentHelp("The architecture; `swiftlet zoo` lists all.", valueName: "name"))
  package var name: String

  @Option(
    name: [.customShort("o"), .long], help: ArgumentHelp("The file to write.", valueName: "onnx"))
  package var output: String

  @Option(help: ArgumentHelp("Weights to put in.", valueName: "safetensors"))
  package var weights: String?

  @Option(
    help: ArgumentHelp("Extents of a picture, such as 3x224x224 or 1x28x28.", valueName: "CxHxW"))
  package var input: String?

  @Option(
    help: ArgumentHelp("Classes (default: 1000, for small pictures 10).", valueName: "n"))
  package var classes: Int?

  @Option(
    help: ArgumentHelp("Multiplies the channels, where the paper does so.", valueName: "factor"))
  package var width: Double?

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    let (architecture, options) = try wish()
    let graph =
      try weights.map { try architecture.graph(options, weightsFrom: $0) }
      ?? architecture.graph(options)
    try OnnxModel.write(graph, to: URL(fileURLWithPath: output))
    let counts = try architecture.counts(options)
    let source = weights ?? "random, seed \(common.seed)"
    try console.say("Network", "\(output): \(architecture.name), \(architecture.paper)")
    try console.say(
      "Size",
      "\(Format.count(counts.parameters)) parameters, \(Format.count(counts.macs)) MACs, "
        + "input \(graph.words(graph.inputs)), output \(graph.words(graph.outputs))")
    try console.say("Weights", source)
    try console.object([
      "model": .string(output), "architecture": .string(architecture.name),
      "input": .string("\(options.input ?? architecture.inputs.first ?? .imageNet)"),
      "classes": .optional(
        graph.outputs.first.flatMap { graph.type($0)?.dimensions?.last?.value }),
      "parameters": .integer(counts.parameters), "macs": .integer(counts.macs),
      "weights": .optional(weights), "seed": .integer(Int(clamping: common.seed)),
    ])
  }

  /// What the arguments ask for.
  private func wish() throws -> (Architecture, ArchitectureOptions) {
    let shape = try input.map { text in
      guard let shape = InputShape(text) else {
        throw CommandError(
          "--input \(text): accepted: CxHxW such as 3x224x224, extents 1…4096",
          status: .wrongUsage)
      }
      return shape
    }
    let options = ArchitectureOptions(
      input: shape, classCount: classes, width: width, seed: common.seed)
    do {
      let architecture = try ArchitectureRegistry.architecture(named: name)
      _ = try architecture.counts(options)
      return (architecture, options)
    } catch {
      var failure = CommandError(describing: error)
      failure.status = .wrongUsage
      throw failure
    }
  }
}

/// The command `swiftlet zoo weights`.
package struct ZooWeightsCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "Writes the weights of an ONNX file as safetensors.",
    usage: "swiftlet zoo weights resnet20.onnx -o resnet20.safetensors",
    discussion: """
      Tensors have the names of the file's constants; for a network of the zoo these are the keys \
      of torchvision's state_dict.
      """)

  @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
  package var model: String

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("The file to write.", valueName: "safetensors"))
  package var output: String

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    let file = try ModelFile(model)
    let weights = file.graph.weights
    guard !weights.isEmpty else {
      throw CommandError("\(model): the network has no weights (expected real tensors)")
    }
    try file.graph.writeWeights(to: output)
    let elements = weights.reduce(0) { $0 + $1.tensor.count }
    try console.say(
      "Weights", "\(output): \(weights.count) tensors, \(Format.count(elements)) elements")
    try console.object([
      "model": .string(model), "output": .string(output), "tensors": .integer(weights.count),
      "elements": .integer(elements),
    ])
  }
}
