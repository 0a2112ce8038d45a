// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting
import Swiftlet

/// The command `swiftlet demo`.
package struct DemoCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Makes a small network and labelled data to try the other commands on.",
    usage: """
      swiftlet demo --output-dir demo/
      swiftlet quantize demo/model.onnx --data demo/data.npz -o demo/model.int8.onnx
      """,
    discussion: """
      The data are drawn: ten classes of textured shapes, 32 × 32 pixels. The network has \
      convolutions with random filters and a last layer fitted to other pictures of the same \
      kind, so its accuracy is measured, not made up. Nothing is downloaded.
      """)

  @Option(help: ArgumentHelp("Where model.onnx and data.npz go.", valueName: "dir"))
  package var outputDir: String

  @Option(help: ArgumentHelp("Pictures in data.npz.", valueName: "n"))
  package var samples = 1000

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    guard (10...100_000).contains(samples) else {
      throw ValidationError("--samples \(samples): accepted: 10…100000")
    }
  }

  package func run(on console: Console) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: outputDir, withIntermediateDirectories: true)
    } catch {
      throw CommandError(
        "\(outputDir): the folder cannot be made", reasons: [error.localizedDescription])
    }
    let modelPath = outputDir + "/model.onnx"
    let dataPath = outputDir + "/data.npz"
    let progress = console.progress(
      "Features", total: DemonstrationNetwork.fittedCount, unit: "pictures")
    let graph = try DemonstrationNetwork.made(
      seed: common.seed, threads: common.threads, progress: progress.update(to:))
    progress.finish()
    let (pictures, labels) = ShapeSamples.drawn(count: samples, seed: common.seed &+ 0xda7a)
    try NpzFile.write(
      [
        ("x", pictures), ("y", Tensor(labels.map { Int64($0) }, shape: [labels.count])),
      ], to: dataPath)
    try OnnxModel.write(graph, to: URL(fileURLWithPath: modelPath))
    let evaluator = try Evaluator(
      try Dataset.open(dataPath), preprocessing: .raw, interface: try NetworkInterface(of: graph))
    let model = try BatchedModel(
      portable: try graph.portable(), options: common.compileOptions(.fp32))
    let score = try evaluator.score(of: model)
    let summary = try NetworkSummary(of: graph)
    try console.say(
      "Network",
      "\(modelPath): \(Format.count(summary.parameters)) parameters, "
        + "\(Format.count(summary.macs)) MACs; random filters, last layer fitted to "
        + "\(Format.integer(DemonstrationNetwork.fittedCount)) other pictures")
    try console.say(
      "Data",
      "\(dataPath): \(Format.integer(samples)) pictures, \(ShapeSamples.classNames.count) classes: "
        + ShapeSamples.classNames.joined(separator: ", "))
    try console.say("Top-1", "\(Format.percent(score.top1 ?? 0)) on \(dataPath)")
    try console.say(
      "Next", "swiftlet quantize \(modelPath) --data \(dataPath) -o \(outputDir)/model.int8.onnx")
    try console.object([
      "model": .string(modelPath), "data": .string(dataPath), "count": .integer(samples),
      "top1": .optional(score.top1.map(JSONValue.percent)),
      "parameters": .integer(summary.parameters),
      "macs": .integer(summary.macs), "seed": .integer(Int(clamping: common.seed)),
    ])
  }
}
