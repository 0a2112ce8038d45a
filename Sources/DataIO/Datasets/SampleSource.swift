// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// One sample as it is stored, before preprocessing.
public enum RawSample: Sendable, Equatable {
  /// An image of bytes.
  case image(ImageBytes)

  /// An array of numbers, without the dimension of samples.
  case array(Tensor)
}

/// Random access to the samples of an opened data set, from any thread.
protocol SampleSource: Sendable {
  var count: Int { get }

  /// The sample, whose index is within `count`.
  func sample(at index: Int) throws(DataError) -> RawSample

  /// The file that holds the sample, and where in it, to name it to a person.
  func location(at index: Int) -> String
}

/// What a reader found in a folder or file, before it becomes a `Dataset`.
struct OpenedSet {
  var source: any SampleSource
  var labels: [Int]?
  var sampleShape: [Int]?
  var split: DatasetSplit = .all
  var splits: [DatasetSplit] = []
  var classNames: [String]?
  var classCount: Int?
  var variant: String
  var notes: [String] = []
}
