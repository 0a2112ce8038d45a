// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// The input by which a network takes samples.
struct TrainingInterface {
  let inputName: String
  /// Extents of one sample; `nil` for one that is free.
  let sampleShape: [Int?]
  /// Where the network fixes it.
  let fixedBatch: Int?

  /// - Throws: `TrainingError` if the network has none or several inputs or no batch dimension.
  init(of graph: Graph) throws(TrainingError) {
    guard graph.inputs.count == 1, let input = graph.inputs.first else {
      throw .noInput(found: graph.inputs.map { graph[$0].name })
    }
    inputName = graph[input].name
    let type = graph[input].type
    guard let dimensions = type?.dimensions, let batch = dimensions.first,
      type?.elementType == .float32
    else {
      throw .noBatchDimension(input: inputName, type: type?.description ?? "of no known type")
    }
    sampleShape = dimensions.dropFirst().map(\.value)
    fixedBatch = batch.value
  }

  func check(batchSize: Int) throws(TrainingError) {
    if let fixedBatch, fixedBatch != batchSize {
      throw .fixedBatch(input: inputName, batch: fixedBatch, wanted: batchSize)
    }
  }

  func check(sampleShape shape: [Int]) throws(TrainingError) {
    let fits =
      shape.count == sampleShape.count
      && zip(sampleShape, shape).allSatisfy { $0 == nil || $0 == $1 }
    if !fits {
      throw .sampleShapeMismatch(
        input: inputName, network: sampleShape.map { $0 ?? 0 }, data: shape)
    }
  }
}
