// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting
package import Swiftlet

/// The command `swiftlet evaluate`.
package struct EvaluateCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures top-1 and top-5, or how networks agree.",
    usage: """
      swiftlet evaluate resnet20.int8.onnx --data cifar10/
      swiftlet evaluate resnet20.int8.onnx --data photos/ --reference resnet20.onnx
      swiftlet evaluate resnet20.int8.onnx --data cifar10/ --arithmetic integer-only
      """,
    discussion: """
      Data is a folder with CIFAR binary batches, IDX files or images, or an .npz with x and y. \
      The test split is measured where the set has splits, otherwise everything.
      """)

  @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model.onnx"))
  package var model: String

  @Option(help: ArgumentHelp("The data set.", valueName: "path"))
  package var data: String

  @Option(help: ArgumentHelp("Samples drawn with --seed (default: all).", valueName: "n"))
  package var samples: Int?

  @Option(help: ArgumentHelp("Another network to compare the scores with.", valueName: "file"))
  package var reference: String?

  @Option(
    help: "fp32, bf16 or int8; by default int8 for a quantized network, else fp32.")
  package var precision: Precision?

  @Option(
    help: ArgumentHelp(
      "How 8-bit layers compute: native, or integer-only (fixed-point multipliers; slow).",
      valueName: "name"))
  package var arithmetic = Arithmetic.native

  @OptionGroup(title: "Preprocessing") package var preprocessing: PreprocessingArguments
  @OptionGroup package var common: CommonOptions

  package init() {}

  package func validate() throws {
    if let samples, samples < 1 {
      throw ValidationError("--samples \(samples): accepted: 1 or more")
    }
  }

  package func run(on console: Console) throws {
    let file = try ModelFile(model)
    let other = try reference.map { try ModelFile($0) }
    let set = try Measured(
      file: file, path: data, preprocessing: try preprocessing.options(), samples: samples,
      seed: common.seed)
    let executor = try Self.executor(file, precision, common, arithmetic)
    let executors = try (other.map { [try Self.executor($0, nil, common)] } ?? []) + [executor]
    try console.say("Data", set.evaluator.loader.dataset.description)
    for note in set.evaluator.loader.dataset.notes { try console.say("", note) }
    try console.say("Preprocessing", set.words)
    for warning in set.warnings { console.warn("\(warning)") }
    let progress = console.progress("Measuring", total: set.evaluator.indices.count)
    let scores: [Evaluation]
    do {
      scores = try set.evaluator.scores(of: executors) { progress.update(to: $0) }
    } catch {
      throw CommandError.naming(model, error)
    }
    progress.finish()
    guard let score = scores.last else { return }
    if score.top1 == nil && other == nil {
      throw CommandError(
        "\(data): the data has no labels",
        reasons: ["--reference FLOAT.onnx measures agreement with another network instead"])
    }
    let view = EvaluationView(
      model: model, evaluation: score, classNames: set.evaluator.loader.dataset.classNames)
    try console.say()
    try console.show(view.table)
    if let classes = view.classTable {
      try console.say()
      if !common.quiet { try console.show(classes) }
    }
    try console.object(view.json)
  }

  static func executor(
    _ file: ModelFile, _ precision: Precision?, _ common: CommonOptions,
    _ arithmetic: Arithmetic = .native
  ) throws -> any GraphExecutor {
    do {
      let portable = try file.graph.portable()
      if arithmetic == .integerOnly {
        return try IntegerOnlyNetwork(portable, threads: common.threadCount)
      }
      return try BatchedModel(
        portable: portable,
        options: common.compileOptions(precision ?? portable.naturalPrecision))
    } catch {
      throw CommandError.naming(file.path, error)
    }
  }
}

/// How the layers of integer codes are computed.
package enum Arithmetic: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// By the kernels that are fastest here.
  case native
  /// In integers from the codes of the input to those of the last layer.
  case integerOnly = "integer-only"
}

/// What `evaluate` shows.
package struct EvaluationView {
  package var model: String
  package var evaluation: Evaluation
  package var classNames: [String]?

  package init(model: String, evaluation: Evaluation, classNames: [String]? = nil) {
    self.model = model
    self.evaluation = evaluation
    self.classNames = classNames
  }

  package var table: Table {
    var table = Table(columns: [
      Table.Column("", fit: .keep), Table.Column("", alignment: .right), Table.Column(""),
    ])
    let images = "\(Format.integer(evaluation.count)) samples"
    if let top1 = evaluation.top1 {
      table.add(
        Table.Cell("Top-1", tone: .strong), Table.Cell(Format.percent(top1)),
        Table.Cell(images, tone: .faint))
    }
    if let top5 = evaluation.meaningfulTop5 {
      table.add(Table.Cell("Top-5", tone: .strong), Table.Cell(Format.percent(top5)))
    }
    if let agreement = evaluation.agreement {
      table.add(
        Table.Cell("Agreement", tone: .strong), Table.Cell(Format.percent(agreement)),
        Table.Cell(evaluation.top1 == nil ? images : "", tone: .faint))
    }
    if let ratio = evaluation.signalToNoise {
      table.add(Table.Cell("SQNR", tone: .strong), Table.Cell(Format.decibels(ratio)))
    }
    let rate = Double(evaluation.count) / evaluation.seconds
    table.add(
      Table.Cell("Time in network", tone: .strong),
      Table.Cell(Format.duration(evaluation.seconds)),
      Table.Cell(
        evaluation.seconds > 0 ? Format.rate(rate, unit: "samples") : "", tone: .faint))
    return table
  }

  /// Classes in label order, or the worst ones where there are many.
  package var classTable: Table? {
    let classes = evaluation.classes
    guard classes.count > 1 else { return nil }
    let shown =
      classes.count <= 20
      ? classes
      : Array(classes.sorted { ($0.accuracy, $0.label) < ($1.accuracy, $1.label) }.prefix(10))
    var table = Table(columns: [
      Table.Column("class", fit: .truncate), Table.Column("top-1", alignment: .right),
      Table.Column("samples", alignment: .right),
    ])
    for score in shown {
      table.add(
        Table.Cell(name(score.label)), Table.Cell(Format.percent(score.accuracy)),
        Table.Cell(Format.integer(score.count)))
    }
    if shown.count < classes.count {
      table.notes = ["the worst of \(classes.count) classes; --json has all"]
    }
    return table
  }

  private func name(_ label: Int) -> String {
    guard let classNames, classNames.indices.contains(label) else { return "\(label)" }
    return "\(label) \(classNames[label])"
  }

  package var json: JSONValue {
    var object: JSONValue = [
      "model": .string(model), "count": .integer(evaluation.count),
      "top1": .optional(evaluation.top1.map(JSONValue.percent)),
      "top5": .optional(evaluation.top5.map(JSONValue.percent)),
    ]
    if let agreement = evaluation.agreement {
      object["agreement"] = .number(JSONValue.percent(agreement))
    }
    if let ratio = evaluation.signalToNoise { object["sqnr_db"] = .number(ratio) }
    object["seconds"] = .number(evaluation.seconds)
    object["classes"] = .array(
      evaluation.classes.map { score in
        var entry: JSONValue = [
          "label": .integer(score.label), "count": .integer(score.count),
          "top1": .number(JSONValue.percent(score.accuracy)),
        ]
        if let classNames, classNames.indices.contains(score.label) {
          entry["name"] = .string(classNames[score.label])
        }
        return entry
      })
    return object
  }
}
