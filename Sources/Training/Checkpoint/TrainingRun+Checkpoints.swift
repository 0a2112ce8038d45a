// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import GraphIR
import OnnxIO
import TensorCore

extension TrainingRun {
  private static let bestPrefix = "best/"
  private static let finalPrefix = "final/"

  private var dataShape: CheckpointHeader.DataShape {
    CheckpointHeader.DataShape(
      batchesPerEpoch: training.batchesPerEpoch, batchSize: training.batchSize,
      classCount: training.classCount, sampleShape: training.sampleShape)
  }

  /// The same for the same run and the same progress, so that resumed runs write the same files.
  private var generation: String {
    let last = progress.isComplete ? "end" : "\(progress.epoch).\(progress.batch)"
    return "\(name)-\(progress.step)-\(last)"
  }

  func marked(_ network: Graph) -> Graph {
    var network = network
    network.metadata.properties[CheckpointStore.generationProperty] = generation
    return network
  }

  /// Writes a checkpoint, if there is a place for it.
  ///
  /// - Parameter values: Those of the network's file; at the end of training also what of them is
  ///   no constant of the network is kept.
  func save(_ values: [String: Tensor]) throws {
    guard let store, let options = trainer.options.checkpoints else { return }
    var tensors = state()
    for (name, tensor) in bestValues { tensors[Self.bestPrefix + name] = tensor }
    if progress.isComplete {
      for (name, tensor) in values where !isConstant(name) {
        tensors[Self.finalPrefix + name] = tensor
      }
    }
    try store.save(
      try network(with: values),
      header: CheckpointHeader(
        generation: generation, run: name, recipe: recipe, data: dataShape, progress: progress),
      tensors: tensors)
    savedAt = clock.now
    report(.saved(path: options.path, step: progress.step))
  }

  func saveIfDue() throws {
    guard let interval = trainer.options.checkpoints?.secondInterval,
      (clock.now - savedAt) / .seconds(1) >= interval
    else { return }
    try save(currentValues())
  }

  /// The last epoch's checkpoint is written when all is done.
  func saveAtEndOfEpoch(isLast: Bool) throws {
    guard let interval = trainer.options.checkpoints?.epochInterval, interval > 0, !isLast,
      progress.epoch % interval == 0
    else { return }
    try save(currentValues())
  }

  /// Goes back to where the checkpoint stands, if there is one and it is wanted.
  ///
  /// - Returns: The result, where nothing is left to do.
  func resume() throws -> FinishedNetwork? {
    guard let store, let options = trainer.options.checkpoints, options.resumes else { return nil }
    guard let checkpoint = try store.load() else { return nil }
    try check(checkpoint.header, path: options.path)
    for variable in plan.update.variables where state()[variable.name] != nil {
      guard let tensor = checkpoint.tensors[variable.name], tensor.elementType == .float32,
        tensor.shape == variable.initial.shape
      else {
        throw TrainingError.checkpointMismatch(
          path: options.path, what: "\"\(variable.name)\"",
          saved: checkpoint.tensors[variable.name].map { "of shape \($0.shape)" } ?? "missing",
          given: "of shape \(variable.initial.shape)")
      }
      try session.set(tensor, for: variable.name)
    }
    for (name, tensor) in checkpoint.tensors where name.hasPrefix(Self.bestPrefix) {
      bestValues[String(name.dropFirst(Self.bestPrefix.count))] = tensor
    }
    progress = checkpoint.header.progress
    name = checkpoint.header.run
    guard progress.isComplete else { return nil }
    let file = try OnnxModel.read(contentsOf: URL(fileURLWithPath: checkpoint.networkPath))
    var values: [String: Tensor] = [:]
    for name in plan.networkVariables {
      values[name] =
        isConstant(name)
        ? file.constant(file.value(named: name)) : checkpoint.tensors[Self.finalPrefix + name]
    }
    return FinishedNetwork(
      values: values, validation: progress.finalScores?.validation,
      test: progress.finalScores?.test)
  }

  private func check(_ header: CheckpointHeader, path: String) throws {
    func refuse(_ what: String, _ saved: Any?, _ given: Any?) -> TrainingError {
      func text(_ value: Any?) -> String { value.map { "\($0)" } ?? "absent" }
      return .checkpointMismatch(path: path, what: what, saved: text(saved), given: text(given))
    }
    let current = CheckpointHeader(
      generation: "", run: "", recipe: recipe, data: dataShape, progress: progress)
    if header.format != current.format { throw refuse("format", header.format, current.format) }
    if header.recipe != recipe {
      let (saved, given) = (try Self.fields(of: header.recipe), try Self.fields(of: recipe))
      for field in TrainingRecipe.fieldNames where saved[field] != given[field] {
        throw refuse(field, saved[field], given[field])
      }
    }
    if header.data != dataShape { throw refuse("data", header.data, dataShape) }
  }

  /// The fields of a recipe as texts.
  private static func fields(of recipe: TrainingRecipe) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let object = try JSONSerialization.jsonObject(with: try encoder.encode(recipe))
    guard let fields = object as? [String: Any] else { return [:] }
    return try fields.mapValues { value in
      let data = try JSONSerialization.data(
        withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
      return String(decoding: data, as: UTF8.self)
    }
  }

  /// A number, in hexadecimal digits, that follows from the recipe and all first values.
  func initialDigest() -> String {
    var digest = Digest()
    if let text = try? Self.fields(of: recipe) {
      for field in TrainingRecipe.fieldNames { digest.add(Array((text[field] ?? "").utf8)) }
    }
    for variable in plan.update.variables where isNetworkVariable(variable.name) {
      digest.add(Array(variable.name.utf8))
      digest.add(variable.initial.bytes)
    }
    return digest.text
  }

  private func isNetworkVariable(_ name: String) -> Bool { plan.networkVariables.contains(name) }
}

extension CheckpointHeader.DataShape: CustomStringConvertible {
  var description: String {
    "of \(batchesPerEpoch) batches of \(batchSize) samples \(sampleShape), \(classCount) classes"
  }
}

/// A hash that is the same on every machine.
///
/// Source: Fowler, Noll, Vo, FNV-1a, on words of 64 bits, with a final mix of SplitMix64.
private struct Digest {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bytes: [UInt8]) {
    var state = (state ^ UInt64(bytes.count)) &* 0x100_0000_01b3
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      while offset + 8 <= buffer.count {
        let word = buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        state = (state ^ word) &* 0x100_0000_01b3
        state ^= state >> 29
        offset += 8
      }
      while offset < buffer.count {
        state = (state ^ UInt64(buffer[offset])) &* 0x100_0000_01b3
        offset += 1
      }
    }
    self.state = state
  }

  var text: String {
    var source = RandomSource(seed: state)
    let digits = String(source.next(), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
