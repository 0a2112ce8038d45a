// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// An operator with a gradient rule.
///
/// A rule reads the gradients of the node's outputs, adds nodes to the graph, and contributes a
/// gradient of the input's own shape to each input that needs one. It is only asked where at least
/// one output has a gradient and one input needs one. Where it contributes nothing, the gradient
/// is zero.
public protocol Differentiable: Op {
  /// Adds the nodes that carry gradients from the node's outputs to its inputs.
  ///
  /// - Throws: `AutodiffError` naming the node.
  func addGradients(to builder: inout GradientBuilder) throws(AutodiffError)
}
