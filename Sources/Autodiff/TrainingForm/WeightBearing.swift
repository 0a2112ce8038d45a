// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// An operator some of whose constant operands are trained.
protocol WeightBearing: Op {
  /// The roles of operands, by position, that are weights if they are constants.
  ///
  /// - Parameter operands: What stands behind each input.
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role]
}

/// What tells a weight from a number of the arithmetic.
struct WeightOperand {
  /// The number of elements, where the operand is a constant of a floating-point type.
  var constantCount: Int?

  /// Whether weights were used in computing the operand.
  var isBehindWeights: Bool
}

extension Conv: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    [1: .weight, 2: .bias]
  }
}

extension ConvTranspose: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    [1: .weight, 2: .bias]
  }
}

extension AdderConv: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] { [1: .weight] }
}

extension Gemm: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    [0: .weight, 1: .weight, 2: .bias]
  }
}

extension MatMul: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    [0: .weight, 1: .weight]
  }
}

extension Gather: WeightBearing {
  /// The rows of an embedding.
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] { [0: .weight] }
}

extension BatchNormalization: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    [1: .normalizationScale, 2: .normalizationBias]
  }
}

extension LayerNormalization: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    [1: .normalizationScale, 2: .normalizationBias]
  }
}

extension InstanceNormalization: WeightBearing {
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    [1: .normalizationScale, 2: .normalizationBias]
  }
}

extension Expand: WeightBearing {
  /// A learned token that is repeated for each image.
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    (operands.first?.constantCount ?? 0) > 1 ? [0: .weight] : [:]
  }
}

extension Binary: WeightBearing {
  /// A vector that is added to, or scales, what weights made, and the slopes of PReLU.
  ///
  /// Such are the bias of a matrix product, a position embedding, the scale of a layer. Numbers, and
  /// what is done to the network's own input, are no weights.
  func weightRoles(_ operands: [WeightOperand]) -> [Int: TrainableGraph.Role] {
    let role: TrainableGraph.Role
    switch function {
    case .prelu: return [1: .weight]
    case .add: role = .bias
    case .multiply: role = .normalizationScale
    default: return [:]
    }
    guard operands.count == 2 else { return [:] }
    for index in 0..<2 where (operands[index].constantCount ?? 0) > 1 {
      if operands[1 - index].isBehindWeights { return [index: role] }
    }
    return [:]
  }
}
