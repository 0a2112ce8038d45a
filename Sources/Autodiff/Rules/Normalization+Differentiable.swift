// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

extension BatchStatisticsNormalization: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let (first, second) = try builder.outputGradientParts()
    let y = activation == .none || !activation.isRecoverableFromResult
    let hasAddend = builder.optionalInput(5) != nil
    let results = try builder.add(
      BatchStatisticsNormalizationGradient(activation: activation),
      [
        first, second, builder.input(0), y ? nil : builder.output(0), builder.input(1),
        builder.input(2), builder.output(1), builder.output(2),
      ], outputs: hasAddend ? 4 : 3)
    for index in 0..<3 { builder.contribute(results[index], to: index) }
    if hasAddend { builder.contribute(results[3], to: 5) }
  }
}

extension BatchNormalization: Differentiable {
  /// The stored statistics are constants: the normalization is an affine map per channel.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    guard !trainingMode else {
      throw builder.error("in training mode it must be brought into training form first")
    }
    guard !builder.needsGradient(3), !builder.needsGradient(4) else {
      throw builder.error("its stored statistics have no gradient")
    }
    let gradient = try builder.outputGradient()
    let (scale, mean, variance) = (
      try builder.input(1), try builder.input(3), try builder.input(4)
    )
    if builder.needsGradient(0) {
      let zeros = try builder.zeros(like: mean)
      builder.contribute(try builder.add(self, gradient, scale, zeros, zeros, variance), to: 0)
    }
    if builder.needsGradient(1) {
      guard let channels = builder.type(mean)?.shape else { throw builder.unknown("the channels") }
      let ones = builder.constant(
        Tensor(
          reals: Array(repeating: 1, count: channels.reduce(1, *)), shape: channels,
          elementType: builder.elementType(scale)))
      let zeros = try builder.zeros(like: mean)
      let normal = try builder.add(self, builder.input(0), ones, zeros, mean, variance)
      builder.contribute(
        try builder.add(ChannelSum(), builder.product(gradient, normal)), to: 1)
    }
    if builder.needsGradient(2) {
      builder.contribute(try builder.add(ChannelSum(), gradient), to: 2)
    }
  }
}

extension LayerNormalization: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let (x, scale) = (try builder.input(0), try builder.input(1))
    let op = LayerNormalizationGradient(axis: axis, epsilon: epsilon)
    let results = try builder.add(op, [gradient, x, scale], outputs: 3)
    builder.contribute(results[0], to: 0)
    builder.contribute(results[1], to: 1)
    guard builder.needsGradient(2) else { return }
    let bias = try builder.input(2)
    let isAlike = builder.haveEqualShapes(bias, scale)
    builder.contribute(isAlike ? results[2] : try builder.summed(gradient, like: bias), to: 2)
  }
}

extension RowNormalization: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let op = RowNormalizationGradient(epsilon: epsilon)
    builder.contribute(try builder.add(op, builder.outputGradient(), builder.input(0)), to: 0)
  }
}

extension Softmax: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let y = try builder.output(0)
    let rank = try builder.dimensions(y).count
    let first = axis < 0 ? axis + rank : axis
    if !flattensTrailingAxes || first == rank - 1 {
      let op = SoftmaxGradient(axis: axis, isLogarithm: isLogarithm)
      builder.contribute(try builder.add(op, gradient, y), to: 0)
      return
    }
    let op = SoftmaxGradient(axis: 1, isLogarithm: isLogarithm)
    let flat = try builder.add(
      op, builder.add(Flatten(axis: first), gradient), builder.add(Flatten(axis: first), y))
    builder.contribute(try builder.reshaped(flat, like: y), to: 0)
  }
}

extension SoftmaxCrossEntropy: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let (logits, targets) = (try builder.input(0), try builder.input(1))
    if builder.needsGradient(0) {
      let op = SoftmaxCrossEntropyGradient()
      let probabilities: ValueID
      if builder.node.outputs.count > 1, let output = builder.node.outputs[1] {
        probabilities = output
      } else {
        probabilities = try builder.add(Softmax(axis: 1), logits)
      }
      builder.contribute(try builder.add(op, gradient, probabilities, targets), to: 0)
    }
    if builder.needsGradient(1) {
      let logarithms = try builder.add(Softmax(axis: 1, isLogarithm: true), logits)
      let rows = try builder.add(
        Cast(to: builder.elementType(logits)), builder.add(Shape(start: 0, end: 1), logits))
      let share = try builder.add(Unary(.negate), builder.add(Binary(.divide), gradient, rows))
      builder.contribute(try builder.product(logarithms, share), to: 1)
    }
  }
}
