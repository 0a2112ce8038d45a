// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Folds constants and shape arithmetic by turns: a constant makes a shape known, and that shape
/// the next constant, as where every layer computes its padding from its input.
package struct FoldKnownValues: GraphPass {
  package var name: String { "fold-known-values" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    FoldConstants().patch(at: node, in: index) ?? FoldShapes().patch(at: node, in: index)
  }
}
