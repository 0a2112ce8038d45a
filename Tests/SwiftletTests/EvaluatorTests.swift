// SPDX-License-Identifier: Apache-2.0
import Swiftlet
import TestSupport
import Testing

@Suite("Evaluation counts what the scores say")
struct EvaluatorTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// A data set whose samples are their own scores.
  private func dataset(_ rows: [[Float]], labels: [Int64]?) throws -> Dataset {
    let path = folder.file("scores.npz")
    var arrays = [
      (name: "x", tensor: Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count]))
    ]
    if let labels { arrays.append((name: "y", tensor: Tensor(labels, shape: [labels.count]))) }
    try NpzFile.write(arrays, to: path)
    return try Dataset.open(path)
  }

  private func score(
    _ rows: [[Float]], labels: [Int64]?, batch: Dimension = .symbol("N")
  ) throws -> Evaluation {
    let graph = SmallNetwork.identity(width: rows[0].count, batch: batch)
    let evaluator = try Evaluator(
      try dataset(rows, labels: labels), preprocessing: .raw,
      interface: try NetworkInterface(of: graph))
    return try evaluator.score(of: try BatchedModel(portable: graph))
  }

  @Test("The label's rank decides between top-1, top-5 and neither")
  func ranks() throws {
    let result = try score(
      [[9, 1, 2, 3, 4, 5], [9, 1, 2, 3, 4, 5], [9, 1, 2, 3, 4, 5], [0, 7, 0, 0, 0, 0]],
      labels: [0, 5, 1, 1])
    #expect(result.count == 4)
    #expect(result.top1 == 0.5)
    #expect(result.top5 == 0.75)
    #expect(result.classes.map(\.label) == [0, 1, 5])
    #expect(result.classes.map(\.accuracy) == [1, 0.5, 0])
  }

  @Test("Of equal scores the first is the answer")
  func ties() throws {
    let result = try score([[1, 1, 0], [1, 1, 0]], labels: [0, 1])
    #expect(result.top1 == 0.5)
  }

  @Test("A score that is not a number is no answer")
  func notANumber() throws {
    let counter = try score([[.nan, 1, 0], [0, 1, 0]], labels: [0, 1])
    #expect(counter.top1 == 0.5)
  }

  @Test("A batch size that the network fixes is filled up, and the filling is not counted")
  func fixedBatch() throws {
    let rows = (0..<5).map { index in (0..<3).map { Float($0 == index % 3 ? 1 : 0) } }
    let result = try score(rows, labels: [0, 1, 2, 0, 2], batch: .fixed(2))
    #expect(result.count == 5)
    #expect(result.top1 == 0.8)
  }

  @Test("Against another network: agreement, and the power of the difference")
  func reference() throws {
    let graph = SmallNetwork.identity(width: 2)
    let evaluator = try Evaluator(
      try dataset([[3, 4], [1, 0]], labels: nil), preprocessing: .raw,
      interface: try NetworkInterface(of: graph))
    let reference = try BatchedModel(portable: graph)
    let scores = try evaluator.scores(of: [reference, Shifted(base: reference)])
    #expect(scores[0].top1 == nil)
    #expect(scores[0].agreement == nil)
    // Scores [3, 4] and [1, 0] against [4, 4] and [2, 0]: both sums of two squares of 1.
    #expect(scores[1].agreement == 0.5)
    #expect(abs((scores[1].signalToNoise ?? 0) - 11.139433523) < 1e-6)
  }

  @Test("A label beyond the classes is an error that names it")
  func labelBeyond() throws {
    let graph = SmallNetwork.identity(width: 2)
    let set = try dataset([[3, 4], [1, 0]], labels: [0, 2])
    let interface = try NetworkInterface(of: graph)
    #expect(throws: DataError.self) {
      try Evaluator(set, preprocessing: .raw, interface: interface)
    }
  }
}

/// Adds 1 to the first score of each sample.
private struct Shifted: GraphExecutor {
  let base: BatchedModel

  func run(_ inputs: [String: Tensor]) throws -> [Tensor] {
    try base.run(inputs).map { tensor in
      var values = tensor.floats()
      for index in stride(from: 0, to: values.count, by: tensor.shape[1]) { values[index] += 1 }
      return Tensor(values, shape: tensor.shape)
    }
  }
}
