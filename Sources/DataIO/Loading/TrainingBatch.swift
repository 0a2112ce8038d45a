// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// The samples of one training step and what the network should say of them.
public struct TrainingBatch: Sendable, Equatable {
  /// `[samples, channels, height, width]` of float32, or `[samples, …]` for other arrays.
  public let images: Tensor

  /// `[samples, classes]` of float32, each row a distribution: 1 for the label, softened by label
  /// smoothing and mixed where images are.
  public let targets: Tensor

  /// Class index of each sample, of an image that is mixed the one with the greater share.
  public let labels: [Int]

  public init(images: Tensor, targets: Tensor, labels: [Int]) {
    self.images = images
    self.targets = targets
    self.labels = labels
  }
}

/// Batches of training samples, epoch after epoch.
///
/// The same epoch and number give the same batch, whatever was read before.
public protocol BatchSource: Sendable {
  /// Batches of one epoch.
  var batchesPerEpoch: Int { get }

  /// Samples of a batch; the last of an epoch may have fewer where the source allows it.
  var batchSize: Int { get }

  var classCount: Int { get }

  /// The shape of one sample: `[channels, height, width]` for images.
  var sampleShape: [Int] { get }

  /// The batches of `epoch`, counted from 0, from number `startingAt` on.
  func batches(epoch: Int, startingAt: Int) -> BatchStream
}
