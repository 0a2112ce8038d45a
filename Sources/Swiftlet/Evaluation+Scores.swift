// SPDX-License-Identifier: Apache-2.0
import Foundation
import TensorCore

/// Counts what the scores of one network say, batch by batch.
struct ScoreCounter {
  private var count = 0
  private var scoreCount = 0
  private var top1 = 0
  private var top5 = 0
  private var labelled = 0
  private var byLabel: [Int: (count: Int, correct: Int)] = [:]
  private var agreeing = 0
  private var signal = 0.0
  private var noise = 0.0
  private var hasReference = false
  var seconds = 0.0

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - scores: `[samples, …]`, as many scores for each sample.
  ///   - labels: The class of each sample, if it is known.
  ///   - reference: Another network's scores for the same samples.
  mutating func add(
    _ scores: [Float], samples: Int, labels: [Int]?, reference: [Float]? = nil
  ) {
    guard samples > 0 else { return }
    let width = scores.count / samples
    count += samples
    scoreCount = width
    for sample in 0..<samples {
      let row = scores[sample * width..<(sample + 1) * width]
      if let labels { add(row, label: labels[sample]) }
      if let reference, reference.count == scores.count {
        compare(row, with: reference[sample * width..<(sample + 1) * width])
      }
    }
  }

  /// Equal scores rank by class index, so that the first greatest one is the network's answer.
  private mutating func add(_ row: ArraySlice<Float>, label: Int) {
    labelled += 1
    var entry = byLabel[label] ?? (0, 0)
    entry.count += 1
    defer { byLabel[label] = entry }
    guard label >= 0, label < row.count else { return }
    let own = row[row.startIndex + label]
    guard !own.isNaN else { return }
    var rank = 0
    for (index, score) in row.enumerated() where score > own || (score == own && index < label) {
      rank += 1
    }
    if rank == 0 {
      top1 += 1
      entry.correct += 1
    }
    if rank < 5 { top5 += 1 }
  }

  private mutating func compare(_ row: ArraySlice<Float>, with reference: ArraySlice<Float>) {
    hasReference = true
    if Self.best(row) == Self.best(reference) { agreeing += 1 }
    for (value, wanted) in zip(row, reference) {
      signal += Double(wanted) * Double(wanted)
      let difference = Double(value) - Double(wanted)
      noise += difference * difference
    }
  }

  private static func best(_ row: ArraySlice<Float>) -> Int {
    var best = row.startIndex
    for index in row.indices where row[index] > row[best] { best = index }
    return best - row.startIndex
  }

  var evaluation: Evaluation {
    var result = Evaluation()
    result.count = count
    result.scoreCount = scoreCount
    result.seconds = seconds
    if labelled > 0 {
      result.top1 = Double(top1) / Double(labelled)
      result.top5 = Double(top5) / Double(labelled)
      result.classes = byLabel.sorted { $0.key < $1.key }.map {
        Evaluation.ClassScore(label: $0.key, count: $0.value.count, correct: $0.value.correct)
      }
    }
    if hasReference {
      result.agreement = Double(agreeing) / Double(count)
      result.signalToNoise =
        noise == 0 ? .infinity : signal == 0 ? -.infinity : 10 * log10(signal / noise)
    }
    return result
  }
}
