// SPDX-License-Identifier: Apache-2.0
import ModelZoo
import Reporting
import Swiftlet
import Training

/// The network to train, the samples for it, and the recipe that suits both.
struct TrainData {
  let network: Graph
  /// The name of the architecture or file.
  let name: String
  let recipe: TrainingRecipe
  let resolution: PreprocessingResolution
  let dataset: Dataset
  let training: DatasetLoader
  let validation: DatasetLoader?
  let test: DatasetLoader?
  let warnings: [DataWarning]

  init(_ command: TrainCommand) throws {
    let dataset = try Dataset.open(command.data, split: .train)
    let recipe = try command.recipe.resolved(
      seed: command.common.givenSeed, isFineTuning: command.model != nil, kind: dataset.kind)
    let options = try command.preprocessing.options()
    (network, name) = try Self.network(command, dataset, options, seed: recipe.seed)
    let file = command.model ?? name
    let interface: NetworkInterface
    do { interface = try NetworkInterface(of: network) } catch {
      throw CommandError.naming(file, error)
    }
    resolution = try Preprocessing.resolve(
      options: options, metadata: network.metadata.properties, modelPath: command.model,
      kind: dataset.kind, inputShape: interface.sampleShape)
    let preprocessing = resolution.preprocessing
    let parts = try dataset.divided(validationShare: recipe.validationShare, seed: recipe.seed)
    let loader = try DatasetLoader(
      dataset, preprocessing: preprocessing, inputShape: interface.sampleShape,
      classCount: interface.classCount, indices: parts.training, options: recipe.loaderOptions)
    training = loader
    validation = parts.validation.isEmpty ? nil : loader.evaluating(parts.validation)
    let measured = try Self.measured(command, dataset)
    test = try measured.map { set in
      try DatasetLoader(
        set, preprocessing: preprocessing, inputShape: interface.sampleShape,
        classCount: interface.classCount,
        options: .evaluation(batchSize: recipe.batchSize))
    }
    warnings = try DataCheck.warnings(
      for: BatchLoader(
        dataset: dataset, preprocessing: preprocessing, inputShape: interface.sampleShape),
      indices: Array(parts.training.prefix(64)), classCount: interface.classCount,
      isCalibration: false)
    self.dataset = dataset
    self.recipe = recipe
  }

  /// The set whose scores are told, if there is one.
  private static func measured(
    _ command: TrainCommand, _ dataset: Dataset
  ) throws(DataError) -> Dataset? {
    if let path = command.evaluateOn { return try Dataset.open(path, split: .test) }
    guard dataset.splits.contains(.test) else { return nil }
    return try Dataset.open(command.data, split: .test)
  }

  private static func network(
    _ command: TrainCommand, _ dataset: Dataset, _ options: PreprocessingOptions, seed: UInt64
  ) throws -> (Graph, String) {
    if let path = command.model {
      let file = try ModelFile(path)
      guard !file.graph.isQuantized else {
        throw CommandError(
          "\(path): the network is quantized", reasons: ["give the float network it was made from"])
      }
      return (file.graph, file.name)
    }
    let architecture = try ArchitectureRegistry.architecture(named: command.arch ?? "")
    var wanted = ArchitectureOptions(
      classCount: command.classes ?? dataset.classCountHint, width: command.width, seed: seed)
    wanted.input = try inputShape(command, dataset, options, architecture)
    return (try architecture.graph(wanted), architecture.name)
  }

  /// What was asked for, else the shape of the data, else what the architecture was made for.
  private static func inputShape(
    _ command: TrainCommand, _ dataset: Dataset, _ options: PreprocessingOptions,
    _ architecture: Architecture
  ) throws -> InputShape? {
    if let input = command.input.flatMap({ InputShape($0) }) { return input }
    let isGrey = options.channelOrder == .grey
    if let shape = dataset.sampleShape {
      guard shape.count == 3 else {
        throw CommandError(
          "\(command.data): samples of shape \(shape) are no images",
          reasons: ["--arch takes channels × height × width; --model takes any shape"])
      }
      return InputShape(channels: isGrey ? 1 : shape[0], height: shape[1], width: shape[2])
    }
    let side = options.crop ?? architecture.inputs.first?.height ?? 224
    return InputShape(channels: isGrey ? 1 : 3, height: side, width: side)
  }

  /// The samples in a sentence: `45,000 images, 10 classes; 5,000 to validate with; …`.
  var words: String {
    let noun = dataset.kind == .npz ? "samples" : "images"
    var parts = [
      "\(dataset.variant), \(Format.integer(training.indices.count)) \(noun) to train on, "
        + "\(training.classCount) classes"
    ]
    if let validation {
      parts.append("\(Format.integer(validation.indices.count)) to validate with")
    }
    if let test { parts.append("\(Format.integer(test.indices.count)) to measure on") }
    return parts.joined(separator: " · ")
  }
}
