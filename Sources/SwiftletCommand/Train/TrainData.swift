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

  init(_ request: TrainRequest) throws {
    let dataset = try Dataset.open(request.data, split: .train)
    let recipe = try request.recipe(dataset.kind)
    let options = request.preprocessing
    (network, name) = try Self.network(request, dataset, options, seed: recipe.seed)
    let file = request.model ?? name
    let interface: NetworkInterface
    do { interface = try NetworkInterface(of: network) } catch {
      throw CommandError.naming(file, error)
    }
    resolution = try Self.resolution(
      request, network, kind: dataset.kind, sampleShape: interface.sampleShape)
    let preprocessing = resolution.preprocessing
    let parts = try dataset.divided(validationShare: recipe.validationShare, seed: recipe.seed)
    let loader = try DatasetLoader(
      dataset, preprocessing: preprocessing, inputShape: interface.sampleShape,
      classCount: interface.classCount, indices: parts.training, options: recipe.loaderOptions)
    training = loader
    validation = parts.validation.isEmpty ? nil : loader.evaluating(parts.validation)
    let measured = try Self.measured(request, dataset)
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

  /// The preprocessing that the network stores or, where it stores none, that of the network that
  /// it learns from.
  private static func resolution(
    _ request: TrainRequest, _ network: Graph, kind: DatasetKind, sampleShape: [Int]
  ) throws(DataError) -> PreprocessingResolution {
    let own = try Preprocessing.resolve(
      options: request.preprocessing, metadata: network.metadata.properties,
      modelPath: request.model, kind: kind, inputShape: sampleShape)
    guard own.origin.isGuess || own.base?.isGuess ?? false, let other = request.addition?.model
    else { return own }
    return try Preprocessing.resolve(
      options: request.preprocessing, metadata: other.graph.metadata.properties,
      modelPath: other.path, kind: kind, inputShape: sampleShape)
  }

  /// The set whose scores are told, if there is one.
  private static func measured(
    _ request: TrainRequest, _ dataset: Dataset
  ) throws(DataError) -> Dataset? {
    if let path = request.evaluateOn { return try Dataset.open(path, split: .test) }
    guard dataset.splits.contains(.test) else { return nil }
    return try Dataset.open(request.data, split: .test)
  }

  private static func network(
    _ request: TrainRequest, _ dataset: Dataset, _ options: PreprocessingOptions, seed: UInt64
  ) throws -> (Graph, String) {
    if let path = request.model {
      let file = try ModelFile(path)
      guard !file.graph.isQuantized else {
        throw CommandError(
          "\(path): the network is quantized", reasons: ["give the float network it was made from"])
      }
      return (file.graph, file.name)
    }
    let architecture = try ArchitectureRegistry.architecture(named: request.zoo?.name ?? "")
    let known = try request.addition?.model.flatMap {
      try NetworkInterface(of: $0.graph).classCount
    }
    var wanted = ArchitectureOptions(
      classCount: request.zoo?.classes ?? known ?? dataset.classCountHint,
      width: request.zoo?.width, seed: seed)
    wanted.input = try inputShape(request, dataset, options, architecture)
    return (try architecture.graph(wanted), architecture.name)
  }

  /// What was asked for, else the shape of the data, else what the architecture was made for.
  private static func inputShape(
    _ request: TrainRequest, _ dataset: Dataset, _ options: PreprocessingOptions,
    _ architecture: Architecture
  ) throws -> InputShape? {
    if let input = request.zoo?.input { return input }
    let isGrey = options.channelOrder == .grey
    if let shape = dataset.sampleShape {
      guard shape.count == 3 else {
        throw CommandError(
          "\(request.data): samples of shape \(shape) are no images",
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

extension TrainData {
  /// Samples of the training split as evaluations see them.
  func calibration(count: Int = 128, seed: UInt64) throws -> DatasetCalibration {
    try DatasetCalibration(
      dataset, preprocessing: resolution.preprocessing,
      interface: try NetworkInterface(of: network),
      indices: dataset.sampleIndices(count: count, seed: seed))
  }
}
