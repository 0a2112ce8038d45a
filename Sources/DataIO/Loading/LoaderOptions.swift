// SPDX-License-Identifier: Apache-2.0

/// How a data set is turned into training batches.
public struct LoaderOptions: Codable, Equatable, Sendable {
  /// Samples of a batch.
  public var batchSize: Int

  /// Seed of the order and of every augmentation.
  public var seed: UInt64

  /// Whether each epoch has an order of its own; otherwise that of the data set.
  public var isShuffled: Bool

  /// Whether samples that do not fill a batch form a smaller one at the end of the epoch.
  ///
  /// Otherwise they are left out, other ones in each epoch if it is shuffled.
  public var keepsPartialBatch: Bool

  /// Share of each target that is spread evenly over all classes.
  ///
  /// Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016,
  /// section 7.
  public var labelSmoothing: Double
  public var augmentation: AugmentationOptions

  /// Batches that may wait ready.
  public var prefetchCount: Int

  /// Bytes that samples held in memory may take; larger sets are read sample by sample.
  public var memoryLimit: Int

  public init(
    batchSize: Int = 128, seed: UInt64 = 0, augmentation: AugmentationOptions = .init(),
    labelSmoothing: Double = 0
  ) {
    self.batchSize = batchSize
    self.seed = seed
    self.augmentation = augmentation
    self.labelSmoothing = labelSmoothing
    isShuffled = true
    keepsPartialBatch = false
    prefetchCount = 3
    memoryLimit = 1 << 30
  }

  /// Options that give every sample once, in order, as it is.
  public static func evaluation(batchSize: Int) -> LoaderOptions {
    var options = LoaderOptions(batchSize: batchSize)
    options.isShuffled = false
    options.keepsPartialBatch = true
    return options
  }

  /// Checks that every part can be used.
  ///
  /// - Throws: `DataError.invalidOption` naming the part.
  public func validate() throws(DataError) {
    guard (1...1 << 20).contains(batchSize) else {
      throw .invalidOption(option: "batch", value: "\(batchSize)", accepted: "1…1048576 samples")
    }
    guard labelSmoothing >= 0, labelSmoothing < 1 else {
      throw .invalidOption(
        option: "label_smoothing", value: Preprocessing.text(labelSmoothing),
        accepted: "0 up to, not including, 1")
    }
    guard (0...64).contains(prefetchCount) else {
      throw .invalidOption(option: "prefetch", value: "\(prefetchCount)", accepted: "0…64 batches")
    }
    try augmentation.validate()
  }
}
