// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// The samples that a quantization uses: some to measure ranges on, others to measure the result.
struct QuantizeData {
  var calibration: DatasetCalibration?
  /// Samples as arrays, for networks that take no data set.
  var arrays: ArrayCalibration?
  var evaluator: Evaluator?
  var resolution: PreprocessingResolution?
  var notes: [String] = []
  var warnings: [DataWarning] = []
  /// `300 training images`.
  var calibrationWords = ""
  /// `10,000 test images`.
  var measuredWords = ""

  /// Held-out samples of a set without splits that are measured when nothing else was asked.
  static let heldOutCount = 200

  /// What ranges are measured on.
  var calibrationSource: (any CalibrationSource)? { calibration ?? arrays }

  /// Opens what the options name.
  init(_ command: QuantizeCommand, file: ModelFile, needsSamples: Bool) throws {
    guard command.data != nil || command.evaluateOn != nil else { return }
    if needsSamples, try readArrays(command, file) { return }
    let interface: NetworkInterface
    do { interface = try NetworkInterface(of: file.graph) } catch {
      throw CommandError.naming(file.path, error)
    }
    var held: [Int]?
    var training: Dataset?
    if let path = command.data {
      let dataset = try Self.open(path, .train, or: .test)
      training = dataset
      try resolve(for: dataset, command, file, interface)
      let indices = dataset.sampleIndices(count: command.samples, seed: command.common.seed)
      if needsSamples { try calibrate(dataset, interface, indices) }
      if dataset.splits.isEmpty { held = Self.heldOut(dataset, without: indices, command) }
      notes = dataset.notes
    }
    try measure(command, file, interface, training: training, heldOut: held)
  }

  /// Whether the data is an archive with an array for each input; the result is not measured then.
  private mutating func readArrays(_ command: QuantizeCommand, _ file: ModelFile) throws -> Bool {
    guard let path = command.data, path.hasSuffix(".npz"), command.evaluateOn == nil,
      file.graph.inputs.map({ file.graph[$0].name }) != ["x"],
      let source = try ArrayCalibration(
        contentsOf: path, for: file.graph, count: command.samples)
    else { return false }
    arrays = source
    calibrationWords = "\(Format.integer(source.sampleCount)) samples"
    notes = ["an array for each input; labels to score by are not among them"]
    return true
  }

  private mutating func calibrate(
    _ dataset: Dataset, _ interface: NetworkInterface, _ indices: [Int]
  ) throws {
    guard let resolution else { return }
    let source = try DatasetCalibration(
      dataset, preprocessing: resolution.preprocessing, interface: interface, indices: indices)
    warnings = try DataCheck.warnings(
      for: source.loader, indices: source.indices, classCount: interface.classCount)
    calibration = source
    let part = dataset.split == .all ? "" : dataset.split.words + " "
    calibrationWords = "\(Format.integer(source.sampleCount)) \(part)\(Self.noun(dataset))"
  }

  private mutating func measure(
    _ command: QuantizeCommand, _ file: ModelFile, _ interface: NetworkInterface,
    training: Dataset?, heldOut: [Int]?
  ) throws {
    var dataset: Dataset?
    var indices: [Int]?
    if let path = command.evaluateOn {
      dataset = try Dataset.open(path, split: .test)
    } else if let training, let heldOut {
      dataset = heldOut.isEmpty ? nil : training
      indices = heldOut
    } else if let training, training.splits.contains(.test), let path = command.data {
      dataset = try Dataset.open(path, split: .test)
    }
    guard let dataset else { return }
    if resolution == nil { try resolve(for: dataset, command, file, interface) }
    guard let resolution else { return }
    evaluator = try Evaluator(
      dataset, preprocessing: resolution.preprocessing, interface: interface, indices: indices)
    let count = indices?.count ?? dataset.count
    let part = dataset.split == .all ? "" : dataset.split.words + " "
    measuredWords = "\(Format.integer(count)) \(part)\(Self.noun(dataset))"
    if indices != nil { measuredWords += " not calibrated with" }
  }

  private mutating func resolve(
    for dataset: Dataset, _ command: QuantizeCommand, _ file: ModelFile,
    _ interface: NetworkInterface
  ) throws {
    resolution = try Preprocessing.resolve(
      options: try command.preprocessing.options(), metadata: file.graph.metadata.properties,
      modelPath: file.path, kind: dataset.kind, inputShape: interface.sampleShape)
  }

  /// The part wanted of a set, or the other one where that is all there is.
  private static func open(
    _ path: String, _ split: DatasetSplit, or other: DatasetSplit
  ) throws(DataError) -> Dataset {
    do { return try Dataset.open(path, split: split) } catch {
      guard case .splitMissing = error else { throw error }
      return try Dataset.open(path, split: other)
    }
  }

  /// Samples that ranges are not measured on; all of them where a loss is limited.
  private static func heldOut(
    _ dataset: Dataset, without used: [Int], _ command: QuantizeCommand
  ) -> [Int] {
    let taken = Set(used)
    let rest = (0..<dataset.count).filter { !taken.contains($0) }
    guard command.maxDrop == nil, rest.count > heldOutCount else { return rest }
    return (0..<heldOutCount).map { rest[$0 * rest.count / heldOutCount] }
  }

  private static func noun(_ dataset: Dataset) -> String {
    dataset.kind == .npz ? "samples" : "images"
  }
}
