// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// The operands that every optimizer's update has: tensors of the weight's shape, then scalars of
/// which the last, the gradient scale, may be left out.
private struct UpdateRule {
  var op: any Op
  var tensors: [String]
  var scalars: [String]

  /// - Returns: The types of weight and state: all tensors but the gradient.
  func types(_ operands: [Operand?], outputCount: Int) throws(OpError) -> [TensorType?] {
    let required = tensors.count + scalars.count
    try operands.checkCount(required...(required + 1))
    let states = tensors.filter { $0 != "gradient" }
    try op.checkOutputCount(outputCount, states.count...states.count)
    var types: [TensorType?] = []
    var dimensions: [Dimension]?
    for (index, name) in tensors.enumerated() {
      let type = try operands.required(index, name).type
      dimensions = try op.checkReals(type, name, like: dimensions)
      if name != "gradient" { types.append(type) }
    }
    for (index, name) in scalars.enumerated() {
      try op.checkScalar(operands.required(tensors.count + index, name).type, name)
    }
    try op.checkScalar(operands.optional(required)?.type, "gradient scale")
    return types.map { type in type.map { TensorType($0.elementType, dimensions) } }
  }

  /// The tensors as reals, and the scalars with the gradient scale, or 1, at the end.
  func values(
    _ inputs: [Tensor?]
  ) throws(OpError) -> (tensors: [[Double]], scalars: [Double]) {
    var lists: [[Double]] = []
    for (index, name) in tensors.enumerated() {
      lists.append(try inputs.required(index, name).reals())
    }
    var numbers: [Double] = []
    for (index, name) in scalars.enumerated() {
      numbers.append(try inputs.required(tensors.count + index, name).scalarReal(name))
    }
    let scale = inputs.optional(tensors.count + scalars.count)
    numbers.append(try scale?.scalarReal("gradient scale") ?? 1)
    return (lists, numbers)
  }
}

private func tensors(
  _ values: [[Double]], _ types: [(elementType: ElementType, shape: [Int])]
) -> [Tensor] {
  zip(types, values).map { Tensor(reals: $1, shape: $0.shape, elementType: $0.elementType) }
}

extension SGDUpdate {
  private var rule: UpdateRule {
    UpdateRule(op: self, tensors: ["weight", "gradient", "velocity"], scalars: ["learning rate"])
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] { try rule.types(operands, outputCount: outputCount) }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let (lists, scalars) = try rule.values(inputs)
    var (weight, velocity) = (lists[0], lists[2])
    let (momentum, decay) = (Double(momentum), Double(weightDecay))
    for index in weight.indices {
      let gradient = lists[1][index] * scalars[1] + decay * weight[index]
      velocity[index] = momentum * velocity[index] + gradient
      let direction = usesNesterov ? gradient + momentum * velocity[index] : velocity[index]
      weight[index] -= scalars[0] * direction
    }
    return tensors([weight, velocity], results)
  }
}

extension AdamUpdate {
  private var rule: UpdateRule {
    UpdateRule(
      op: self, tensors: ["weight", "gradient", "first moment", "second moment"],
      scalars: ["learning rate", "step"])
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] { try rule.types(operands, outputCount: outputCount) }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let (lists, scalars) = try rule.values(inputs)
    let (rate, step) = (scalars[0], scalars[1])
    var (weight, first, second) = (lists[0], lists[2], lists[3])
    let (beta1, beta2, decay) = (Double(beta1), Double(beta2), Double(weightDecay))
    let (firstShare, secondShare) = (1 - pow(beta1, step), 1 - pow(beta2, step))
    for index in weight.indices {
      var gradient = lists[1][index] * scalars[2]
      var shrunk = weight[index]
      if decouplesDecay {
        shrunk -= rate * decay * shrunk
      } else {
        gradient += decay * shrunk
      }
      first[index] = beta1 * first[index] + (1 - beta1) * gradient
      second[index] = beta2 * second[index] + (1 - beta2) * gradient * gradient
      let deviation = (second[index] / secondShare).squareRoot() + Double(epsilon)
      weight[index] = shrunk - rate * (first[index] / firstShare) / deviation
    }
    return tensors([weight, first, second], results)
  }
}

extension RMSPropUpdate {
  private var rule: UpdateRule {
    UpdateRule(
      op: self, tensors: ["weight", "gradient", "mean square", "velocity"],
      scalars: ["learning rate"])
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] { try rule.types(operands, outputCount: outputCount) }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let (lists, scalars) = try rule.values(inputs)
    var (weight, square, velocity) = (lists[0], lists[2], lists[3])
    let smoothing = Double(smoothing)
    for index in weight.indices {
      let gradient = lists[1][index] * scalars[1] + Double(weightDecay) * weight[index]
      square[index] = smoothing * square[index] + (1 - smoothing) * gradient * gradient
      velocity[index] =
        Double(momentum) * velocity[index]
        + gradient / (square[index].squareRoot() + Double(epsilon))
      weight[index] -= scalars[0] * velocity[index]
    }
    return tensors([weight, square, velocity], results)
  }
}

extension AverageUpdate {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    let average = try operands.required(0, "average").type
    let value = try operands.required(1, "value").type
    try ElementTypeRule.floating.check(average, "average")
    let dimensions = try checkReals(value, "value", like: average?.dimensions)
    try checkScalar(operands.required(2, "decay").type, "decay")
    return [average.map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let (elementType, shape) = try resultTypes(inputs, outputCount: outputCount)[0]
    let average = try inputs.required(0, "average").reals()
    let value = try inputs.required(1, "value").reals()
    let decay = try inputs.required(2, "decay").scalarReal("decay")
    let values = zip(average, value).map { $0 * decay + $1 * (1 - decay) }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension ClipScale {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...max(1, operands.count))
    try checkOutputCount(outputCount, 1...1)
    guard limit > 0 else {
      throw .invalidAttribute(name: "limit", found: "\(limit)", expected: "a positive number")
    }
    for index in operands.indices {
      let name = "gradient_\(index)"
      try ElementTypeRule.floating.check(operands.required(index, name).type, name)
    }
    return [operands.optional(0)?.type.map { TensorType($0.elementType, []) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let elementType = try resultTypes(inputs, outputCount: outputCount)[0].elementType
    var sum = 0.0
    for case .some(let input) in inputs {
      for value in input.reals() { sum += value * value }
    }
    let norm = sum.squareRoot()
    let scale = norm > Double(limit) ? Double(limit) / norm : 1
    return [Tensor(reals: [scale], shape: [], elementType: elementType)]
  }
}
