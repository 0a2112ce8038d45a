// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import DataIO
import TensorCore

/// Measures classifiers on a data set.
public struct Evaluator: Sendable {
  /// Samples in one run of the network, at most.
  public static let batchSize = 32

  /// Bytes of all activations of one run, at most; programs share most of them.
  private static let activationBytes = 192 << 20

  public let loader: BatchLoader
  public let interface: NetworkInterface

  /// The samples that are measured, in this order.
  public let indices: [Int]

  /// - Parameters:
  ///   - dataset: Samples and, if there are any, labels.
  ///   - preprocessing: What is done to the samples first.
  ///   - interface: The network's input and classes.
  ///   - indices: The samples to measure; all of them by default.
  /// - Throws: `DataError` if a part of the preprocessing cannot be used, or a label is beyond the
  ///   network's classes.
  public init(
    _ dataset: Dataset, preprocessing: Preprocessing, interface: NetworkInterface,
    indices: [Int]? = nil
  ) throws(DataError) {
    loader = try BatchLoader(
      dataset: dataset, preprocessing: preprocessing, inputShape: interface.sampleShape,
      elementType: interface.elementType)
    if let classes = interface.classCount { try dataset.checkLabels(classCount: classes) }
    self.interface = interface
    self.indices = indices ?? Array(0..<dataset.count)
  }

  /// The score of one network.
  ///
  /// - Parameters:
  ///   - model: Runs batches of the interface's input.
  ///   - progress: Called after each batch with the number of samples done.
  /// - Throws: `DataError` naming a sample that cannot be read, `InterfaceError` if the scores
  ///   don't divide evenly, or what running throws.
  public func score(
    of model: any GraphExecutor, progress: (Int) throws -> Void = { _ in }
  ) throws -> Evaluation {
    try scores(of: [model], progress: progress)[0]
  }

  /// The scores of several networks on the same samples, which are read once.
  ///
  /// All but the first carry agreement and signal-to-noise ratio against the first.
  ///
  /// - Throws: As `score(of:progress:)`.
  public func scores(
    of models: [any GraphExecutor], progress: (Int) throws -> Void = { _ in }
  ) throws -> [Evaluation] {
    var counters = models.map { _ in ScoreCounter() }
    var done = 0
    let clock = ContinuousClock()
    let size = interface.batchSize(within: Self.activationBytes)
    try loader.forEachBatch(of: indices, size: size) { batch in
      let samples = batch.indices.count
      let input = padded(batch.input)
      var reference: [Float]?
      for (position, model) in models.enumerated() {
        let start = clock.now
        let outputs = try model.run([interface.inputName: input])
        counters[position].seconds += (clock.now - start) / .seconds(1)
        guard let output = outputs.first else { throw InterfaceError.noOutput }
        let scores = try cut(output, samples: samples, of: input.shape[0])
        counters[position].add(
          scores, samples: samples, labels: batch.labels, reference: reference)
        reference = reference ?? scores
      }
      done += samples
      try progress(done)
    }
    return counters.map(\.evaluation)
  }

  /// The batch filled up with zeros to the size that the network fixes.
  private func padded(_ input: Tensor) -> Tensor {
    guard let fixed = interface.fixedBatch, input.shape[0] < fixed else { return input }
    let shape = [fixed] + input.shape.dropFirst()
    let missing = input.elementType.byteCount(of: shape.reduce(1, *)) - input.bytes.count
    return Tensor(
      uncheckedElementType: input.elementType, shape: shape,
      bytes: input.bytes + [UInt8](repeating: 0, count: missing))
  }

  private func cut(
    _ output: Tensor, samples: Int, of batch: Int
  ) throws(InterfaceError) -> [Float] {
    let scores = output.floats()
    guard batch > 0, scores.count % batch == 0 else {
      throw .unevenScores(output: output.shape, samples: batch)
    }
    return samples == batch ? scores : Array(scores.prefix(scores.count / batch * samples))
  }
}
