// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// Something about the data that is probably not as meant, though it can be used.
public enum DataWarning: Sendable, Equatable, CustomStringConvertible {
  /// Every sample looked at has the same values.
  case samplesAllEqual(count: Int)

  /// Samples of which every value is the same.
  case samplesConstant(count: Int, of: Int)

  /// Values after preprocessing that no trained network expects.
  case suspiciousScale(mean: Double, std: Double, greatest: Double)

  /// Bytes 0…255 that would enter the network unscaled.
  case looksLikeBytes
  case tooFewSamples(count: Int, advised: Int)
  case singleLabel(Int, count: Int)

  public var description: String {
    switch self {
    case .samplesAllEqual(let count):
      "all \(count) samples looked at are equal: is this the right data?"
    case .samplesConstant(let count, let total):
      "\(count) of \(total) samples looked at have one value throughout"
    case .suspiciousScale(let mean, let std, let greatest):
      "after preprocessing the input has mean \(Self.text(mean)), deviation \(Self.text(std)) and "
        + "magnitudes up to \(Self.text(greatest)); networks are mostly trained with mean near 0 "
        + "and deviation near 1: check --scale, --mean and --std"
    case .looksLikeBytes:
      "the input holds whole numbers 0…255 as they are; if the network was trained with scaled "
        + "images, say --scale 255 or --preprocess"
    case .tooFewSamples(let count, let advised):
      "\(count) samples are few to measure ranges by; \(advised) or more are advised"
    case .singleLabel(let label, let count):
      "all \(count) samples chosen carry label \(label): the ranges of other classes are not seen"
    }
  }

  private static func text(_ value: Double) -> String {
    let magnitude = abs(value)
    let factor: Double = magnitude >= 100 ? 1 : magnitude >= 10 ? 10 : magnitude >= 1 ? 100 : 1000
    return Preprocessing.text((value * factor).rounded() / factor)
  }
}

/// A quick look at the samples that a network will be calibrated or measured with.
public enum DataCheck {
  /// Samples that are read at most.
  static let greatestLook = 32

  /// Fewer samples than this are warned of.
  static let advisedCount = 100

  /// Reads a few of the samples at `indices` and tells what looks wrong.
  ///
  /// - Parameters:
  ///   - indices: The samples that will be used; up to 32 of them, spread evenly, are read.
  ///   - classCount: Classes of the network, if it is a classifier.
  ///   - isCalibration: Whether ranges will be measured, which needs enough and various samples.
  /// - Returns: What is worth a warning, in the order to be shown.
  /// - Throws: `DataError` if a sample cannot be read, does not fit the network's input, holds
  ///   NaN or infinity, or any label of the set is beyond the classes.
  public static func warnings(
    for loader: BatchLoader, indices: [Int], classCount: Int? = nil, isCalibration: Bool = true
  ) throws(DataError) -> [DataWarning] {
    let dataset = loader.dataset
    if let classCount { try dataset.checkLabels(classCount: classCount) }
    let looked = spread(indices)
    var statistics = Statistics()
    var first: Tensor?
    var equalCount = 0
    for index in looked {
      let input = try loader.batch([index]).input
      let constant = statistics.add(input)
      guard statistics.isFinite else {
        throw .notFinite(path: dataset.location(ofSampleAt: index))
      }
      if constant { statistics.constantCount += 1 }
      if first == nil { first = input }
      if input == first { equalCount += 1 }
    }
    var warnings: [DataWarning] = []
    if looked.count > 1 && equalCount == looked.count {
      warnings.append(.samplesAllEqual(count: looked.count))
    } else if statistics.constantCount > 0 {
      warnings.append(.samplesConstant(count: statistics.constantCount, of: looked.count))
    }
    if let warning = scaleWarning(statistics, loader) { warnings.append(warning) }
    guard isCalibration else { return warnings }
    if indices.count < advisedCount {
      warnings.append(.tooFewSamples(count: indices.count, advised: advisedCount))
    }
    if let labels = dataset.labels, indices.count > 1 {
      let seen = Set(indices.map { labels[$0] })
      if seen.count == 1, let label = seen.first {
        warnings.append(.singleLabel(label, count: indices.count))
      }
    }
    return warnings
  }

  private static func spread(_ indices: [Int]) -> [Int] {
    guard indices.count > greatestLook else { return indices }
    return (0..<greatestLook).map { indices[$0 * indices.count / greatestLook] }
  }

  /// Data that enters unscaled because that was asked for is not suspicious.
  private static func scaleWarning(
    _ statistics: Statistics, _ loader: BatchLoader
  ) -> DataWarning? {
    let preprocessing = loader.preprocessing
    guard statistics.count > 0, loader.elementType.isFloatingPoint else { return nil }
    if loader.dataset.kind == .npz && preprocessing.keepsValues {
      let isBytes =
        statistics.isWhole && statistics.least >= 0
        && (50...255).contains(statistics.greatest)
      return isBytes ? .looksLikeBytes : nil
    }
    guard preprocessing.scale != 1 || preprocessing.std.contains(where: { $0 != 1 }) else {
      return nil
    }
    let greatest = max(abs(statistics.least), abs(statistics.greatest))
    let isUsual = abs(statistics.mean) < 3 && (0.03...6).contains(statistics.std) && greatest <= 50
    return isUsual
      ? nil
      : .suspiciousScale(mean: statistics.mean, std: statistics.std, greatest: greatest)
  }
}

/// Moments of the values seen.
private struct Statistics {
  var count = 0
  var constantCount = 0
  var least = Double.infinity
  var greatest = -Double.infinity
  var isFinite = true
  var isWhole = true
  private var sum = 0.0
  private var sumOfSquares = 0.0

  var mean: Double { sum / Double(count) }
  var std: Double { max(0, sumOfSquares / Double(count) - mean * mean).squareRoot() }

  /// Adds the elements and returns whether they are all the same.
  mutating func add(_ tensor: Tensor) -> Bool {
    var lowest = Double.infinity
    var highest = -Double.infinity
    for value in tensor.floats() {
      let real = Double(value)
      if !real.isFinite { isFinite = false }
      lowest = min(lowest, real)
      highest = max(highest, real)
      sum += real
      sumOfSquares += real * real
      if isWhole && real != real.rounded() { isWhole = false }
    }
    count += tensor.count
    least = min(least, lowest)
    greatest = max(greatest, highest)
    return tensor.count > 1 && lowest == highest
  }
}
