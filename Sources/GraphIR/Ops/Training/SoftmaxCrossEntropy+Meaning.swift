// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension SoftmaxCrossEntropy {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(2...2)
    try checkOutputCount(outputCount, 1...2)
    let logits = try operands.required(0, "logits").type
    let targets = try operands.required(1, "targets").type
    let dimensions = try checkRows(logits, "logits", targets)
    let elementType = logits?.elementType ?? targets?.elementType
    let types = elementType.map { [TensorType($0, []), TensorType($0, dimensions)] } ?? [nil, nil]
    return Array(types.prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let logits = try inputs.required(0, "logits")
    let targets = try inputs.required(1, "targets").reals()
    let (rows, classes) = (logits.shape[0], logits.shape[1])
    var values = logits.reals()
    var loss = 0.0
    for row in 0..<(classes > 0 ? rows : 0) {
      let line = (row * classes)..<((row + 1) * classes)
      var greatest = -Double.infinity
      for index in line { greatest = max(greatest, values[index]) }
      var sum = 0.0
      for index in line { sum += exp(values[index] - greatest) }
      for index in line {
        let logarithm = values[index] - greatest - log(sum)
        if targets[index] != 0 { loss -= targets[index] * logarithm }
        values[index] = exp(logarithm)
      }
    }
    return zip(results, [[loss / Double(rows)], values]).map {
      Tensor(reals: $1, shape: $0.shape, elementType: $0.elementType)
    }
  }
}

extension SoftmaxCrossEntropyGradient {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    try checkScalar(operands.required(0, "dLoss").type, "dLoss")
    let probabilities = try operands.required(1, "probabilities").type
    let targets = try operands.required(2, "targets").type
    let dimensions = try checkRows(probabilities, "probabilities", targets)
    return [(probabilities ?? targets).map { TensorType($0.elementType, dimensions) }]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let (elementType, shape) = try resultTypes(inputs, outputCount: outputCount)[0]
    let factor = try inputs.required(0, "dLoss").scalarReal("dLoss") / Double(shape[0])
    let targets = try inputs.required(2, "targets").reals()
    var values = try inputs.required(1, "probabilities").reals()
    for row in 0..<(shape[1] > 0 ? shape[0] : 0) {
      let line = (row * shape[1])..<((row + 1) * shape[1])
      var sum = 0.0
      for index in line { sum += targets[index] }
      for index in line { values[index] = factor * (values[index] * sum - targets[index]) }
    }
    return [Tensor(reals: values, shape: shape, elementType: elementType)]
  }
}

extension Op {
  /// Checks that both operands are matrices of reals with the same dimensions, and returns these.
  fileprivate func checkRows(
    _ type: TensorType?, _ name: String, _ targets: TensorType?
  ) throws(OpError) -> [Dimension] {
    let open = [Dimension](repeating: .unknown, count: 2)
    let dimensions = try checkReals(type, name, like: open)
    return try checkReals(targets, "targets", like: dimensions) ?? open
  }
}
