// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting
import Swiftlet

/// The command `swiftlet check`.
package struct CheckCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tells if a network can be read, run and quantized.",
    usage: """
      swiftlet check resnet20.onnx
      swiftlet check resnet20.onnx --json
      """,
    discussion: """
      Lists every operator, its share of the multiply-accumulates, and what it runs on here. \
      Exit status 1 if the network cannot be read or run.
      """)

  @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
  package var model: String

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    let file = try ModelFile(model)
    let check: NetworkCheck
    do { check = try NetworkCheck(of: file.graph, threads: common.threads) } catch {
      throw CommandError.naming(model, error)
    }
    let view = CheckView(name: model, graph: file.graph, check: check)
    for line in view.answers { try console.showLabelled(line.label, line.text) }
    try console.show("")
    try console.show(view.table)
    try console.object(view.json)
    if !check.isRunnable { throw ExitStatus.failed }
  }
}

/// What `check` shows.
struct CheckView {
  let name: String
  let graph: Graph
  let check: NetworkCheck

  /// The answers to the questions that the command is asked.
  var answers: [(label: String, text: String)] {
    let metadata = graph.metadata
    let producer = [metadata.producerName, metadata.producerVersion].filter { !$0.isEmpty }
    var facts = [
      "opset \(metadata.opset)", "\(graph.nodes.count) nodes",
      "\(check.operators.count) operators", "\(Format.count(check.summary.macs)) MACs",
    ]
    facts += metadata.otherOpsets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    if !producer.isEmpty { facts.append("by " + producer.joined(separator: " ")) }
    var lines = [("Read", "yes   " + facts.joined(separator: " · "))]
    for issue in check.summary.issues.prefix(8) { lines.append(("", "breaks a rule: \(issue)")) }
    lines.append(("Run", runWords))
    for problem in check.runProblems.prefix(8) { lines.append(("", problem)) }
    if check.runProblems.count > 8 {
      lines.append(("", "and \(check.runProblems.count - 8) more; --json lists them"))
    }
    let patterns = check.patterns.counts
    if !patterns.isEmpty {
      let words = patterns.map { "\($0.count) \($0.name)" }.joined(separator: " · ")
      lines.append(("Patterns", "fused   " + words))
    }
    lines.append(("Quantize", quantizeWords))
    lines.append(
      (
        "Export",
        check.requiredOpset.map { "yes   in opset \(max($0, metadata.opset))" }
          ?? "no    some node has no form in ONNX"
      ))
    return lines
  }

  private var runWords: String {
    guard check.isRunnable else { return "no" }
    if check.isInterpreted {
      return "yes   slowly: shapes depend on data, so every node runs on the reference operators"
    }
    let falling = check.operators.filter { $0.referenceCount > 0 }
    guard !falling.isEmpty else { return "yes   all on fast kernels" }
    let words = falling.map { "\($0.referenceCount) \($0.kind)" }.joined(separator: ", ")
    return "yes   falling back to the reference operators: \(words)"
  }

  private var quantizeWords: String {
    if let problem = check.quantizationProblem { return "no    \(problem)" }
    let sites = check.operators.reduce(0) { $0 + $1.quantizableCount }
    let shown = sites == 1 ? "1 layer" : "\(sites) layers"
    return "yes   \(shown) with \(Format.share(check.quantizableShare)) of the MACs"
  }

  var table: Table {
    var table = Table(columns: [
      Table.Column("operator", fit: .keep), Table.Column("nodes", alignment: .right),
      Table.Column("MACs", alignment: .right), Table.Column("fast", alignment: .right),
      Table.Column("merged", alignment: .right), Table.Column("reference", alignment: .right),
      Table.Column("unsupported", alignment: .right), Table.Column("int8", alignment: .right),
    ])
    func number(_ count: Int) -> String { count == 0 ? "" : "\(count)" }
    for row in check.operators {
      let share = Double(row.macs) / Double(max(check.summary.macs, 1))
      table.add(
        Table.Cell(row.domain.isEmpty ? row.kind : "\(row.domain).\(row.kind)"),
        Table.Cell(number(row.nodeCount)), Table.Cell(row.macs > 0 ? Format.share(share) : ""),
        Table.Cell(number(row.fastCount)),
        Table.Cell(check.isRunnable && !check.isInterpreted ? number(row.mergedCount) : ""),
        Table.Cell(number(row.referenceCount), tone: .bad),
        Table.Cell(number(row.unsupportedCount), tone: .bad),
        Table.Cell(number(row.quantizableCount)))
    }
    table.notes = [
      "merged: folded into constants, or done by the step of the node before or behind it"
    ]
    return table
  }

  var json: JSONValue {
    [
      "model": .string(name), "opset": .integer(graph.metadata.opset), "readable": true,
      "runnable": .bool(check.isRunnable), "interpreted": .bool(check.isInterpreted),
      "quantizable": .bool(check.quantizationProblem == nil),
      "quantizable_macs_share": .number(check.quantizableShare),
      "quantization_problem": .optional(check.quantizationProblem),
      "problems": .array(check.runProblems.map { .string($0) }),
      "issues": .array(check.summary.issues.map { .string("\($0)") }),
      "export_opset": .optional(check.requiredOpset.map { max($0, graph.metadata.opset) }),
      "macs": .integer(check.summary.macs),
      "patterns": .object(
        check.patterns.counts.map { JSONValue.Member($0.name, .integer($0.count)) }),
      "operators": .array(
        check.operators.map { row in
          [
            "operator": .string(row.kind), "domain": .string(row.domain),
            "nodes": .integer(row.nodeCount), "macs": .integer(row.macs),
            "fast": .integer(row.fastCount), "reference": .integer(row.referenceCount),
            "unsupported": .integer(row.unsupportedCount),
            "quantizable": .integer(row.quantizableCount),
          ]
        }),
    ]
  }
}
