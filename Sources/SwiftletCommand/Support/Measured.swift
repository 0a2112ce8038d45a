// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// A data set as a network takes it, opened and looked at.
struct Measured {
  let evaluator: Evaluator
  let resolution: PreprocessingResolution
  let warnings: [DataWarning]

  /// Opens the test split of a set that has splits, everything of one that has none.
  init(
    file: ModelFile, path: String, preprocessing: PreprocessingOptions, samples: Int?, seed: UInt64
  ) throws {
    let interface: NetworkInterface
    do { interface = try NetworkInterface(of: file.graph) } catch {
      throw CommandError.naming(file.path, error)
    }
    let dataset = try Dataset.open(path, split: .test)
    resolution = try Preprocessing.resolve(
      options: preprocessing, metadata: file.graph.metadata.properties, modelPath: file.path,
      kind: dataset.kind, inputShape: interface.sampleShape)
    let indices = samples.map { dataset.sampleIndices(count: $0, seed: seed) }
    evaluator = try Evaluator(
      dataset, preprocessing: resolution.preprocessing, interface: interface, indices: indices)
    warnings = try DataCheck.warnings(
      for: evaluator.loader, indices: evaluator.indices, classCount: interface.classCount,
      isCalibration: false)
  }

  /// The preprocessing and where it came from.
  var words: String {
    let kind = evaluator.loader.dataset.kind
    return "\(resolution.preprocessing.description(of: kind))      \(resolution.originWords)"
  }
}
