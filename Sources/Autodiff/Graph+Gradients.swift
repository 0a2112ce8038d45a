// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

extension Graph {
  /// The graph with nodes behind it that compute the gradients of a loss (reverse mode).
  ///
  /// Nodes get gradients only where they lie on a path from a wanted value to the loss. Where
  /// several contributions meet they are added: `Add` of two, `Sum` of more.
  ///
  /// - Parameters:
  ///   - loss: A floating-point value of one element.
  ///   - parameters: The values to differentiate by: inputs, constants or computed values.
  /// - Returns: The graph, its inputs, outputs and nodes as before, with nodes appended; and the
  ///   gradient of each parameter, in the parameter's shape. A parameter that the loss does not
  ///   depend on has none.
  /// - Throws: `AutodiffError`, naming the node whose operator has no rule.
  /// - Complexity: O(nodes).
  public func addingGradients(
    of loss: ValueID, withRespectTo parameters: [ValueID]
  ) throws(AutodiffError) -> (graph: Graph, gradients: [ValueID: ValueID]) {
    var builder = GradientBuilder(self, parameters: parameters)
    try builder.start(at: loss, parameters: parameters)
    for node in nodes.reversed() { try builder.differentiate(node) }
    var gradients: [ValueID: ValueID] = [:]
    for parameter in parameters {
      gradients[parameter] = try builder.gradient(of: parameter)
    }
    return (builder.graph, gradients)
  }
}
