// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// A part of a data set.
public enum DatasetSplit: String, Sendable, Codable, Equatable, CaseIterable {
  case train, test, all

  /// The split's name in a sentence.
  public var words: String {
    switch self {
    case .train: "training"
    case .test: "test"
    case .all: "whole"
    }
  }
}

/// How a data set is stored.
public enum DatasetKind: String, Sendable, Codable, Equatable, CaseIterable {
  case cifar, idx, images, npz
}

/// A data set on disk: samples by index, read when asked for, and their labels.
///
/// Samples may be read from several threads. CIFAR and uncompressed `.npz` samples are read from
/// the file one by one and images are decoded one by one, so memory does not grow with their
/// number; compressed IDX files and compressed `.npz` arrays are held decompressed.
public struct Dataset: Sendable {
  /// The path that was opened.
  public let path: String
  public let kind: DatasetKind

  /// The split that this value holds; `.all` where the set has no splits.
  public let split: DatasetSplit

  /// The splits that the set has: `.train`, `.test`, both, or none.
  public let splits: [DatasetSplit]

  /// Class index of each sample; `nil` for unlabelled data.
  public let labels: [Int]?

  /// Names of the classes in label order, where the set tells.
  public let classNames: [String]?

  /// `[channels, height, width]` of images, or an array's shape; `nil` where samples may differ.
  public let sampleShape: [Int]?

  /// The set's name, such as "CIFAR-10".
  public let variant: String

  /// What was assumed while opening, in words for a person; usually empty.
  public let notes: [String]

  private let source: any SampleSource
  private let classCount: Int?

  /// Number of samples.
  public var count: Int { source.count }

  /// Number of classes as far as the set tells; the network may have more.
  ///
  /// Stated by the format or the class folders, else one more than the greatest label.
  public var classCountHint: Int? {
    classCount ?? classNames?.count ?? labels?.max().map { $0 + 1 }
  }

  init(path: String, kind: DatasetKind, opened: OpenedSet) {
    self.path = path
    self.kind = kind
    split = opened.split
    splits = opened.splits
    labels = opened.labels
    classNames = opened.classNames
    sampleShape = opened.sampleShape
    variant = opened.variant
    notes = opened.notes
    source = opened.source
    classCount = opened.classCount
  }

  /// The sample at `index`, as it is stored.
  ///
  /// - Throws: `DataError.sampleOutOfRange`, or what is wrong with the sample's file.
  public func sample(at index: Int) throws(DataError) -> RawSample {
    guard index >= 0, index < count else { throw .sampleOutOfRange(index: index, count: count) }
    return try source.sample(at: index)
  }

  /// The file that holds the sample, and where in it, to name it to a person.
  public func location(ofSampleAt index: Int) -> String { source.location(at: index) }

  /// `count` different sample indices drawn at random, in ascending order; all if there are fewer.
  ///
  /// The same seed gives the same indices on every machine.
  public func sampleIndices(count wanted: Int, seed: UInt64) -> [Int] {
    guard wanted < count else { return Array(0..<count) }
    var random = RandomSource(seed: seed)
    return random.sample(max(0, wanted), below: count).sorted()
  }

  /// Checks that every label is a class of a network with `classCount` classes.
  ///
  /// - Throws: `DataError.labelBeyondClasses`, naming the file of the first that is not.
  public func checkLabels(classCount: Int) throws(DataError) {
    guard let labels else { return }
    for (index, label) in labels.enumerated() where label < 0 || label >= classCount {
      throw .labelBeyondClasses(
        path: location(ofSampleAt: index), label: label, classCount: classCount)
    }
  }
}

extension Dataset: CustomStringConvertible {
  /// The set in a few words: "CIFAR-10, 50000 training images, 10 classes".
  public var description: String {
    let what = kind == .npz ? "samples" : "images"
    let part = split == .all ? "" : split.words + " "
    let classes = labels == nil ? "unlabelled" : "\(classCountHint ?? 0) classes"
    return "\(variant), \(count) \(part)\(what), \(classes)"
  }
}
