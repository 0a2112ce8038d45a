// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import DataIO
public import TensorCore

/// Samples of a data set for calibration, read batch by batch when they are asked for.
public struct DatasetCalibration: CalibrationSource {
  public let loader: BatchLoader
  public let inputName: String

  /// The samples, in the order in which they are read.
  public let indices: [Int]

  private let batchSize: Int

  /// Bytes of activations that one batch may take, as calibration keeps them all.
  private static let activationBytes = 64 << 20

  /// - Parameters:
  ///   - dataset: Where the samples come from; labels are not needed.
  ///   - preprocessing: What is done to them first.
  ///   - interface: The network's input. A batch size that it fixes is kept, and samples that do
  ///     not fill a batch are left out.
  ///   - indices: The samples to use (see `Dataset.sampleIndices(count:seed:)`).
  /// - Throws: `DataError` if a part of the preprocessing cannot be used.
  public init(
    _ dataset: Dataset, preprocessing: Preprocessing, interface: NetworkInterface, indices: [Int]
  ) throws(DataError) {
    loader = try BatchLoader(
      dataset: dataset, preprocessing: preprocessing, inputShape: interface.sampleShape,
      elementType: interface.elementType)
    inputName = interface.inputName
    batchSize = interface.batchSize(within: Self.activationBytes)
    let whole = indices.count / batchSize * batchSize
    self.indices = interface.fixedBatch == nil ? indices : Array(indices.prefix(whole))
  }

  public var batchCount: Int { (indices.count + batchSize - 1) / batchSize }

  public var sampleCount: Int { indices.count }

  public func batch(_ index: Int) throws -> [String: Tensor] {
    let start = index * batchSize
    let part = Array(indices[start..<min(start + batchSize, indices.count)])
    return [inputName: try loader.batch(part).input]
  }
}
