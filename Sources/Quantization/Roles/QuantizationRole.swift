// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// What a node means to quantization.
package enum QuantizationRole: Sendable, Equatable {
  /// A product with constant weights, run on integer codes.
  case weighted(WeightedOperands)
  /// Arithmetic on codes with scales of their own on every side, such as a residual addition.
  case arithmetic(operands: [Int])
  /// A function of each single element; runs with the node before it, or on codes by itself.
  case elementwise
  /// Elements are moved or selected: the same code on both sides.
  case carrying(operands: [Int])
  /// Several values side by side in one.
  case joining(operands: [Int])
  /// Computed in real numbers.
  case real
}

/// The operands of a product with constant weights, by position.
package struct WeightedOperands: Sendable, Equatable {
  package var data: Int
  package var weight: Int
  package var bias: Int?
  /// The axis of the weights that is the output channel; `nil` where a single scale must do.
  package var channelAxis: Int?
}

/// An operator that quantization can do something with.
package protocol QuantizationRoleProviding: Op {
  func quantizationRole(of node: Node, in index: GraphIndex) -> QuantizationRole
}

extension Node {
  package func quantizationRole(in index: GraphIndex) -> QuantizationRole {
    (op as? any QuantizationRoleProviding)?.quantizationRole(of: self, in: index) ?? .real
  }
}
