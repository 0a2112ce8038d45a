// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import DataIO
import Foundation
import GraphIR
import GraphPasses
import TensorCore

/// Scores a network on labelled batches, compiled as for inference.
struct NetworkScorer {
  private let model: CompiledModel
  private let inputName: String
  private let batchSize: Int
  /// Whether the network ends in a softmax: its outputs are then probabilities.
  private let givesProbabilities: Bool

  /// - Throws: `PassError`, `GraphError` or `CompileError` naming the node that cannot be run.
  init(_ network: Graph, batchSize: Int, threads: Int?) throws {
    let portable = try PassPipeline.portable.run(network).graph
    let interface = try TrainingInterface(of: portable)
    inputName = interface.inputName
    self.batchSize = interface.fixedBatch ?? batchSize
    let lowered = try PassPipeline.lowering.run(
      try portable.specialized(batch: self.batchSize)
    ).graph
    let isQuantized = portable.nodes.contains { $0.op is QuantizeLinear }
    model = try CompiledModel(
      lowered,
      options: CompileOptions(threads: threads, precision: isQuantized ? .int8 : .fp32))
    let last = GraphIndex(portable).producer(of: portable.outputs.first)?.op as? Softmax
    givesProbabilities = last.map { !$0.isLogarithm } ?? false
  }

  /// The score on all batches of one epoch of a source.
  ///
  /// - Throws: What the source throws for data that cannot be read.
  func score(
    on source: any BatchSource, report: (Int, Int) throws -> Void = { _, _ in }
  ) throws -> Score {
    var score = Score(count: 0, correct: 0, loss: 0)
    let stream = source.batches(epoch: 0, startingAt: 0)
    var done = 0
    while let batch = try stream.next() {
      let rows = try scores(of: batch.images)
      for (row, label) in zip(rows, batch.labels) { score.add(row, label, givesProbabilities) }
      done += 1
      try report(done, source.batchesPerEpoch)
    }
    if score.count > 0 { score.loss /= Double(score.count) }
    return score
  }

  /// One row of scores per sample; batches are cut or filled up to the size that was compiled.
  private func scores(of images: Tensor) throws -> [ArraySlice<Float>] {
    let count = images.shape.first ?? 0
    let sample = images.shape.dropFirst().reduce(1, *) * MemoryLayout<Float>.size
    var rows: [ArraySlice<Float>] = []
    var start = 0
    while start < count {
      let taken = min(batchSize, count - start)
      var bytes = Array(images.bytes[start * sample..<(start + taken) * sample])
      bytes += [UInt8](repeating: 0, count: (batchSize - taken) * sample)
      let input = try Tensor(
        elementType: .float32, shape: [batchSize] + images.shape.dropFirst(), bytes: bytes)
      let scores = try model.run([inputName: input]).first?.floats() ?? []
      let width = scores.count / batchSize
      for row in 0..<taken { rows.append(scores[row * width..<(row + 1) * width]) }
      start += taken
    }
    return rows
  }
}

extension Score {
  /// Adds one sample; `loss` is a sum until all are there.
  fileprivate mutating func add(_ row: ArraySlice<Float>, _ label: Int, _ givesProbabilities: Bool)
  {
    count += 1
    guard label >= 0, label < row.count else { return }
    if row.indexOfGreatest == label { correct += 1 }
    let own = Double(row[row.startIndex + label])
    if givesProbabilities {
      loss -= log(max(own, Double(Float.leastNormalMagnitude)))
    } else {
      let greatest = Double(row.max() ?? 0)
      let sum = row.reduce(0.0) { $0 + exp(Double($1) - greatest) }
      loss += log(sum) + greatest - own
    }
  }
}

extension ArraySlice<Float> {
  /// The place of the greatest element, the first of equal ones; 0 where none is a number.
  var indexOfGreatest: Int {
    var best = startIndex
    for index in indices where self[index] > self[best] || self[best].isNaN { best = index }
    return best - startIndex
  }
}
