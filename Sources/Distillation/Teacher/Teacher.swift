// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import GraphPasses
import TensorCore
import Training

/// A network that a student learns from, as it is in inference.
public struct Teacher: Sendable {
  /// What messages call it.
  public let name: String

  /// The portable form, its batch norms folded or, where they cannot be, products and sums.
  public let network: Graph

  /// - Parameter network: Any network with one input whose first dimension is the batch, and scores
  ///   as its first output.
  /// - Throws: `PassError` if a pass breaks the network.
  public init(_ network: Graph, name: String) throws(PassError) {
    self.name = name
    var portable = try PassPipeline.portable.run(network).graph
    portable.expandNormalizations()
    self.network = portable
  }

  /// The network for samples of one shape, its only output the scores before any softmax.
  ///
  /// - Parameter shape: With the batch in front.
  /// - Throws: `DistillationError.unfitTeacher`.
  func fitted(to shape: [Int], classCount: Int) throws(DistillationError) -> Graph {
    guard network.inputs.count == 1, let input = network.inputs.first else {
      let names = network.inputs.map { network[$0].name }
      throw unfit("it has \(names.count) inputs (\(names.joined(separator: ", "))), not one")
    }
    let given = network[input].type?.dimensions ?? []
    guard given.count == shape.count,
      zip(given, shape).allSatisfy({ $0.value == nil || $0.value == $1 })
    else {
      let words = given.map(\.description).joined(separator: "×")
      throw unfit(
        "it takes \(words), the student \(shape.map(String.init).joined(separator: "×")) "
          + "(expected the same shape)")
    }
    do {
      var graph = try PassPipeline(FoldShapes(), DropDeadNodes()).run(
        try network.specialized(to: [network[input].name: shape])
      ).graph
      graph.setOutputs([try TrainingGraphBuilder.addScores(to: &graph, classCount: classCount)])
      graph = try PassPipeline(DropDeadNodes()).run(graph).graph
      graph.inferTypes()
      return graph
    } catch {
      throw unfit("\(error)")
    }
  }

  private func unfit(_ reason: String) -> DistillationError {
    .unfitTeacher(name: name, reason: reason)
  }
}

extension Graph {
  /// Puts a product and a sum per channel in place of each batch norm that stands alone.
  fileprivate mutating func expandNormalizations() {
    var result = self
    result.setNodes([])
    for node in nodes {
      guard let op = node.op as? BatchNormalization, !op.trainingMode,
        let x = node.inputs[0], let output = node.outputs[0],
        let rank = type(x)?.dimensions?.count, rank >= 2
      else {
        result.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
        continue
      }
      let numbers = node.inputs.dropFirst().compactMap { constant($0)?.floats() }
      guard numbers.count == 4 else {
        result.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
        continue
      }
      let channels = numbers[0].count
      let factors = (0..<channels).map {
        numbers[0][$0] / (numbers[3][$0] + op.epsilon).squareRoot()
      }
      let offsets = (0..<channels).map { numbers[1][$0] - numbers[2][$0] * factors[$0] }
      let shape = [1, channels] + Array(repeating: 1, count: rank - 2)
      let factor = result.addConstant(
        Tensor(factors, shape: shape), name: "\(node.name)/factor")
      let offset = result.addConstant(
        Tensor(offsets, shape: shape), name: "\(node.name)/offset")
      let product = result.addNode(
        Binary(.multiply), name: "\(node.name)/scale", inputs: [x, factor],
        outputNames: ["\(node.name)/scaled"])
      result.addNode(
        Binary(.add), name: node.name, inputs: product + [offset], outputs: [output])
    }
    result.inferTypes()
    self = result
  }
}
