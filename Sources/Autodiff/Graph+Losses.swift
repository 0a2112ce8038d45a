// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

extension Graph {
  /// Appends the mean over the batch of the cross-entropy between targets and `softmax(logits)`.
  ///
  /// - Parameters:
  ///   - logits: `[N, C]`.
  ///   - targets: `[N, C]`, each row a distribution over the classes.
  /// - Returns: The loss, a scalar, and the probabilities `[N, C]`.
  public mutating func addSoftmaxCrossEntropy(
    logits: ValueID, targets: ValueID, name: String = "loss"
  ) -> (loss: ValueID, probabilities: ValueID) {
    let results = addNode(
      SoftmaxCrossEntropy(), name: name, inputs: [logits, targets],
      outputNames: [name, "\(name).probabilities"])
    inferTypes()
    return (results[0], results[1])
  }

  /// Appends the mean of the squared differences of all elements.
  ///
  /// - Parameters:
  ///   - prediction: Of any shape.
  ///   - target: Of the same shape and element type.
  /// - Returns: The loss, a scalar.
  public mutating func addMeanSquaredError(
    prediction: ValueID, target: ValueID, name: String = "loss"
  ) -> ValueID {
    var builder = LossBuilder(graph: self, name: name)
    let difference = builder.add(Binary(.subtract), prediction, target)
    let square = builder.add(Binary(.multiply), difference, difference)
    let loss = builder.finish(Reduce(.mean, keepsDimensions: false), square)
    self = builder.graph
    inferTypes()
    return loss
  }

  /// Appends the divergence of a student's softened distribution from a teacher's:
  /// `T² · KL(softmax(teacher / T) ‖ softmax(student / T))`, the mean over all rows.
  ///
  /// Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015, section 2;
  /// the divergence in place of the cross-entropy, from which it differs by a constant.
  ///
  /// - Parameters:
  ///   - student: Logits, the classes along the last axis.
  ///   - teacher: Logits of the same shape and element type; gradients stop there.
  ///   - temperature: T, in units of the logits; positive.
  /// - Returns: The loss, a scalar.
  public mutating func addKullbackLeibler(
    student: ValueID, teacher: ValueID, temperature: Double = 1, name: String = "loss"
  ) -> ValueID {
    precondition(temperature > 0, "the temperature of a softened distribution must be positive")
    var builder = LossBuilder(graph: self, name: name)
    let inverse = builder.scalar(1 / temperature, like: student)
    let fixed = builder.add(StopGradient(), teacher)
    let soft = [student, fixed].map { builder.add(Binary(.multiply), $0, inverse) }
    let logarithms = soft.map { builder.add(Softmax(axis: -1, isLogarithm: true), $0) }
    let shares = builder.add(Unary(.exp), logarithms[1])
    let distance = builder.add(Binary(.subtract), logarithms[1], logarithms[0])
    let last = builder.graph.addConstant(Tensor([Int64(-1)], shape: [1]), name: "\(name).axis")
    let rows = builder.add(
      Reduce(.sum, keepsDimensions: false), builder.add(Binary(.multiply), shares, distance), last)
    let mean = builder.add(Reduce(.mean, keepsDimensions: false), rows)
    let scale = builder.scalar(temperature * temperature, like: student)
    let loss = builder.finish(Binary(.multiply), mean, scale)
    self = builder.graph
    inferTypes()
    return loss
  }
}

/// Appends the nodes of a loss under one name.
private struct LossBuilder {
  var graph: Graph
  var name: String

  mutating func add(_ op: any Op, _ inputs: ValueID...) -> ValueID {
    let title = "\(name)/\(op.kind)"
    return graph.addNode(op, name: title, inputs: inputs, outputNames: [title])[0]
  }

  /// Adds the last node, whose result has the loss's name.
  mutating func finish(_ op: any Op, _ inputs: ValueID...) -> ValueID {
    graph.addNode(op, name: name, inputs: inputs, outputNames: [name])[0]
  }

  mutating func scalar(_ number: Double, like model: ValueID) -> ValueID {
    let type = graph.type(model)?.elementType ?? .float32
    return graph.addConstant(
      Tensor(reals: [number], shape: [], elementType: type), name: "\(name).scalar")
  }
}
