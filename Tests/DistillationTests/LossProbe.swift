// SPDX-License-Identifier: Apache-2.0
import Autodiff
import Distillation
import GraphIR
import TensorCore
import Testing
import Training

/// A loss between tensors of a student and a teacher, run on the reference operators.
struct LossProbe {
  var graph: Graph
  let loss: ValueID
  let students: [ValueID]
  let teachers: [ValueID]
  let values: [String: Tensor]

  /// - Parameter pairs: What the loss compares, `[N, …]` each.
  init(_ loss: any DistillationLoss, _ pairs: [(student: Tensor, teacher: Tensor)]) throws {
    var graph = Graph(name: "probe")
    var values: [String: Tensor] = [:]
    var features: [FeaturePair] = []
    for (index, pair) in pairs.enumerated() {
      func input(_ name: String, _ tensor: Tensor) -> Feature {
        let id = graph.addInput(
          name: "\(name)\(index)", type: TensorType(.float32, shape: tensor.shape))
        values["\(name)\(index)"] = tensor
        return Feature(value: id, shape: tensor.shape)
      }
      features.append(
        FeaturePair(student: input("s", pair.student), teacher: input("t", pair.teacher)))
    }
    let batch = pairs[0].student.shape[0]
    let targets = graph.addInput(name: "targets", type: TensorType(.float32, shape: [batch, 3]))
    let rows = (0..<batch).flatMap { _ in [1, 0, 0] as [Float] }
    var context = LossContext(
      network: TrainableGraph(graph: graph), samples: targets, scores: targets, targets: targets,
      batchSize: batch, seed: 5)
    let term = try loss.addLoss(of: features, to: &context)
    graph = context.network.graph
    graph.inferTypes()
    self.loss = term
    students = features.map(\.student.value)
    teachers = features.map(\.teacher.value)
    for parameter in context.network.parameters { values[parameter.name] = parameter.initial }
    values["targets"] = Tensor(rows, shape: [batch, 3])
    self.graph = graph
    self.values = values
  }

  /// The loss, with other values for some of the inputs.
  func value(_ changed: [String: Tensor] = [:]) throws -> Double {
    var graph = graph
    graph.setOutputs([loss])
    graph.dropUnusedInputs()
    let names = Set(graph.inputs.map { graph[$0].name })
    let given = values.merging(changed) { $1 }.filter { names.contains($0.key) }
    return try Interpreter(graph).run(given)[0].reals()[0]
  }

  /// The gradient by a value.
  func gradient(by value: ValueID) throws -> [Double] {
    let (backward, gradients) = try graph.addingGradients(of: loss, withRespectTo: [value])
    var graph = backward
    graph.setOutputs([try #require(gradients[value])])
    try Verifier.verify(graph)
    graph.dropUnusedInputs()
    let names = Set(graph.inputs.map { graph[$0].name })
    return try Interpreter(graph).run(values.filter { names.contains($0.key) })[0].reals()
  }
}

/// Reals drawn at random.
func drawn(_ shape: [Int], seed: UInt64, from low: Double = -1, to high: Double = 1) -> Tensor {
  var random = RandomSource(seed: seed)
  let values = (0..<shape.reduce(1, *)).map { _ in
    Float(low + (high - low) * random.nextUniform())
  }
  return Tensor(values, shape: shape)
}

/// Whether two numbers agree to six digits, as the worked examples have.
func agree(_ found: Double, _ wanted: Double) -> Bool {
  abs(found - wanted) <= 1e-6 * max(1, abs(wanted))
}
