// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Swiftlet
package import Training

/// How a network is to be trained, as options of the command.
package struct RecipeArguments: ParsableArguments {
  @Option(help: ArgumentHelp("A YAML file; options override its fields.", valueName: "file"))
  package var recipe: String?

  @Option(help: ArgumentHelp("Passes over the training samples.", valueName: "n"))
  package var epochs: Int?

  @Option(help: ArgumentHelp("Samples of a batch.", valueName: "n"))
  package var batch: Int?

  @Option(help: ArgumentHelp("Batches of one update.", valueName: "n"))
  package var accumulation: Int?

  @Option(help: ArgumentHelp("Learning rate.", valueName: "x"))
  package var lr: Double?

  @Option(help: ArgumentHelp("sgd, adam, adamw or rmsprop.", valueName: "name"))
  package var optimizer: String?

  @Option(help: ArgumentHelp("Momentum of sgd or rmsprop.", valueName: "x"))
  package var momentum: Double?

  @Flag(help: "Nesterov's momentum for sgd.")
  package var nesterov = false

  @Option(
    help: ArgumentHelp(
      "constant, step, multi_step, linear, polynomial, cosine or one_cycle.", valueName: "name"))
  package var schedule: String?

  @Option(help: ArgumentHelp("Epochs over which the rate rises at first.", valueName: "n"))
  package var warmup: Double?

  @Option(help: ArgumentHelp("Weight decay.", valueName: "x"))
  package var weightDecay: Double?

  @Option(help: ArgumentHelp("Share of a target given to all classes.", valueName: "x"))
  package var labelSmoothing: Double?

  @Option(help: ArgumentHelp("Greatest norm of the gradients.", valueName: "x"))
  package var clip: Double?

  @Option(help: ArgumentHelp("Average weights with this decay.", valueName: "x"))
  package var ema: Double?

  @Option(help: ArgumentHelp("fp32 or bf16.", valueName: "name"))
  package var precision: String?

  @Option(
    help: ArgumentHelp(
      "none, or a list such as pad-crop=4,flip,cutout=16; by default what suits the data.",
      valueName: "list"))
  package var augment: String?

  @Option(
    help: ArgumentHelp("Share of the training samples to validate with.", valueName: "x"))
  package var validation: Double?

  @Option(
    help: ArgumentHelp(
      "Evaluations without improvement after which training stops.", valueName: "n"))
  package var patience: Int?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Any field of a recipe, such as schedule.end=0.01; may be repeated.",
      valueName: "field=value"))
  package var fields: [String] = []

  package init() {}

  /// The recipe of the file with the options' values in place of its own.
  ///
  /// - Parameters:
  ///   - seed: The value of `--seed`.
  ///   - standardRate: The learning rate if nothing is said of it; `nil` for the recipe's own.
  ///   - kind: The data that augmentation suits if nothing is said of it.
  ///   - loss: The value of the option that says what is made small.
  /// - Throws: `CommandError` naming the option, or the file and field.
  package func resolved(
    seed: UInt64?, standardRate: String?, kind: DatasetKind, loss: String? = nil
  ) throws(CommandError) -> TrainingRecipe {
    var file =
      try recipe.map { (path) throws(CommandError) in try RecipeFile(path: path) }
      ?? RecipeFile()
    if !file.says("augmentation"), augment == nil {
      try setAugmentation(Self.usualAugmentation(of: kind), in: &file)
    }
    if let standardRate, !file.says("learning_rate") {
      try file.set(["learning_rate"], to: standardRate, option: "--lr")
    }
    try apply(to: &file, seed: seed)
    if let loss { try file.set(["loss"], to: loss, option: "--loss") }
    if let augment { try setAugmentation(augment, in: &file) }
    for field in fields {
      let parts = field.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw CommandError(
          "--set \(field): accepted: field=value, such as schedule.end=0.01", status: .wrongUsage)
      }
      try file.set(
        parts[0].split(separator: ".").map(String.init), to: parts[1], option: "--set \(field)")
    }
    return try file.recipe()
  }

  private func apply(to file: inout RecipeFile, seed: UInt64?) throws(CommandError) {
    func set(_ option: String, _ names: [String], _ value: String?) throws(CommandError) {
      if let value { try file.set(names, to: value, option: option) }
    }
    func text(_ value: some LosslessStringConvertible) -> String { String(value) }
    try set("--epochs", ["epochs"], epochs.map(text))
    try set("--batch", ["batch_size"], batch.map(text))
    try set("--accumulation", ["accumulation"], accumulation.map(text))
    try set("--lr", ["learning_rate"], lr.map(text))
    try set("--optimizer", ["optimizer"], optimizer.map { "{kind: \($0)}" })
    try set("--momentum", ["optimizer", "momentum"], momentum.map(text))
    try set("--nesterov", ["optimizer", "nesterov"], nesterov ? "true" : nil)
    try set("--schedule", ["schedule"], schedule.map { "{kind: \($0)}" })
    if warmup != nil, schedule == nil, !file.says("schedule") {
      try file.set(["schedule", "kind"], to: "cosine", option: "--warmup")
    }
    try set("--warmup", ["schedule", "warmup_epochs"], warmup.map(text))
    try set("--weight-decay", ["weight_decay"], weightDecay.map(text))
    try set("--label-smoothing", ["label_smoothing"], labelSmoothing.map(text))
    try set("--clip", ["gradient_clipping"], clip.map(text))
    try set("--ema", ["ema", "decay"], ema.map(text))
    try set("--precision", ["precision"], precision)
    try set("--validation", ["validation_share"], validation.map(text))
    try set("--patience", ["early_stop_patience"], patience.map(text))
    try set("--seed", ["seed"], seed.map(text))
  }

  /// What is usual for data of a kind, in the words of `--augment`.
  private static func usualAugmentation(of kind: DatasetKind) -> String {
    switch kind {
    case .cifar: "pad-crop=4,flip"
    case .images: "random-resized-crop,flip"
    case .idx, .npz: "none"
    }
  }

  /// Each word of `--augment`: the field that it sets, the value without one given, and how a
  /// given one is written.
  private static let changes: [(word: String, field: String, usual: String, form: String)] = [
    ("pad-crop", "pad_crop", "4", "%"), ("flip", "horizontal_flip", "true", ""),
    ("cutout", "cutout", "16", "%"), ("mixup", "mixup", "0.2", "%"),
    ("random-resized-crop", "random_resized_crop", "{}", "{scale: [%, 1]}"),
    (
      "color-jitter", "color_jitter", "{brightness: 0.4, contrast: 0.4, saturation: 0.4}",
      "{brightness: %, contrast: %, saturation: %}"
    ),
    ("random-erasing", "random_erasing", "{}", "{probability: %}"),
  ]

  private func setAugmentation(_ list: String, in file: inout RecipeFile) throws(CommandError) {
    try file.set(["augmentation"], to: "{}", option: "--augment")
    guard list != "none" else { return }
    for item in list.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard let change = Self.changes.first(where: { $0.word == parts.first }),
        parts.count == 1 || (!change.form.isEmpty && Double(parts[1]) != nil)
      else {
        throw CommandError(
          "--augment \(list): \"\(item)\" is not known",
          reasons: [
            "accepted: none, or words with commas between: "
              + Self.changes.map { $0.word + ($0.form.isEmpty ? "" : "[=number]") }
              .joined(separator: ", ")
          ], status: .wrongUsage)
      }
      let value =
        parts.count == 1 ? change.usual : change.form.replacing("%", with: parts[1])
      try file.set(["augmentation", change.field], to: value, option: "--augment")
    }
  }
}
