// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization
public import TensorCore

/// Samples ready for a network, and their labels.
public struct Batch: Sendable, Equatable {
  /// Which samples of the data set these are.
  public let indices: [Int]

  /// `[samples, …]`; for images `[samples, channels, height, width]`.
  public let input: Tensor

  /// Class index of each sample; `nil` for unlabelled data.
  public let labels: [Int]?
}

/// Reads samples of a data set and prepares them for a network.
///
/// The same indices give the same batch, whatever was read before. Immutable: it may be used from
/// several threads.
public struct BatchLoader: Sendable {
  public let dataset: Dataset
  public let preprocessing: Preprocessing

  /// The network's input without the batch dimension; negative or 0 where any size is taken.
  public let inputShape: [Int]?

  /// The element type of the network's input.
  public let elementType: ElementType
  private let preparation: SamplePreparation

  /// - Parameters:
  ///   - inputShape: The network's input without the batch dimension, such as `[3, 224, 224]`;
  ///     sizes that are negative or 0 are not checked, `nil` checks nothing.
  ///   - elementType: What the batches hold; values are converted to it after preprocessing.
  /// - Throws: `DataError.invalidOption` if a part of `preprocessing` cannot be used.
  public init(
    dataset: Dataset, preprocessing: Preprocessing, inputShape: [Int]? = nil,
    elementType: ElementType = .float32
  ) throws(DataError) {
    try preprocessing.validate()
    self.dataset = dataset
    self.preprocessing = preprocessing
    self.inputShape = inputShape
    self.elementType = elementType
    preparation = SamplePreparation(preprocessing, isImageFile: dataset.kind == .images)
  }

  /// The samples at `indices`, in that order, as one batch.
  ///
  /// - Throws: `DataError` naming the file of the first sample that cannot be read or whose shape
  ///   is not the network's, or not that of the samples before it.
  public func batch(_ indices: [Int]) throws(DataError) -> Batch {
    var shape: [Int] = []
    var bytes: [UInt8] = []
    for (position, index) in indices.enumerated() {
      let sample = try prepared(index)
      if position == 0 {
        shape = sample.shape
        bytes.reserveCapacity(sample.bytes.count * indices.count)
      }
      guard sample.shape == shape else {
        throw .sizeMismatch(
          path: dataset.location(ofSampleAt: index), found: sample.shape, expected: shape)
      }
      bytes += sample.bytes
    }
    let type: ElementType = elementType.bitWidth < 8 ? .float32 : elementType
    let input = Tensor(
      uncheckedElementType: type, shape: [indices.count] + shape, bytes: bytes)
    let labels = dataset.labels.map { labels in indices.map { labels[$0] } }
    return Batch(indices: indices, input: input.converted(to: elementType), labels: labels)
  }

  /// Calls `body` with the samples at `indices` in batches of at most `size`, in order.
  ///
  /// The next batch is read on a second thread while `body` runs; two batches are in memory at
  /// most. What `body` sees does not depend on timing.
  ///
  /// - Throws: `DataError` as `batch(_:)` does, or what `body` throws.
  public func forEachBatch(
    of indices: [Int], size: Int, _ body: (Batch) throws -> Void
  ) throws {
    precondition(size > 0, "a batch needs at least one sample")
    let queue = DispatchQueue(label: "swiftlet.batches")
    func started(at start: Int) -> PendingBatch? {
      guard start < indices.count else { return nil }
      let pending = PendingBatch()
      let part = Array(indices[start..<min(start + size, indices.count)])
      queue.async { pending.finish(Result { () throws(DataError) in try batch(part) }) }
      return pending
    }
    var start = 0
    var pending = started(at: 0)
    while let current = pending {
      start += size
      pending = started(at: start)
      try body(current.wait())
    }
  }

  private func prepared(_ index: Int) throws(DataError) -> PreparedSample {
    let location = dataset.location(ofSampleAt: index)
    switch try dataset.sample(at: index) {
    case .image(let image):
      let prepared = try preparation.planes(of: image, path: location)
      try check(prepared.shape, location)
      guard elementType != .float32 else { return prepared }
      return converted(prepared)
    case .array(let array):
      let tensor = try preparation.values(of: array, elementType: storedType, path: location)
      return PreparedSample(shape: try fitted(tensor.shape, location), bytes: tensor.bytes)
    }
  }

  private var storedType: ElementType { elementType.bitWidth < 8 ? .float32 : elementType }

  private func converted(_ sample: PreparedSample) -> PreparedSample {
    let tensor = Tensor(
      uncheckedElementType: .float32, shape: sample.shape, bytes: sample.bytes)
    return PreparedSample(shape: sample.shape, bytes: tensor.converted(to: storedType).bytes)
  }

  private func check(_ shape: [Int], _ location: String) throws(DataError) {
    guard let inputShape, !Self.fits(shape, inputShape) else { return }
    throw .sizeMismatch(path: location, found: shape, expected: inputShape)
  }

  /// The network's shape for an array that differs from it only by dimensions of 1.
  private func fitted(_ shape: [Int], _ location: String) throws(DataError) -> [Int] {
    guard let inputShape, !Self.fits(shape, inputShape) else { return shape }
    guard shape.filter({ $0 != 1 }) == inputShape.filter({ $0 != 1 }),
      !inputShape.contains(where: { $0 <= 0 })
    else { throw .sizeMismatch(path: location, found: shape, expected: inputShape) }
    return inputShape
  }

  private static func fits(_ shape: [Int], _ expected: [Int]) -> Bool {
    shape.count == expected.count && zip(shape, expected).allSatisfy { $1 <= 0 || $0 == $1 }
  }
}

/// A batch that another thread is reading.
///
/// A class because two threads share it.
private final class PendingBatch: Sendable {
  private let result = Mutex<Result<Batch, DataError>?>(nil)
  private let isDone = DispatchSemaphore(value: 0)

  func finish(_ value: Result<Batch, DataError>) {
    result.withLock { $0 = value }
    isDone.signal()
  }

  func wait() throws(DataError) -> Batch {
    isDone.wait()
    guard let value = result.withLock({ $0 }) else {
      preconditionFailure("a batch was waited for twice")
    }
    return try value.get()
  }
}
