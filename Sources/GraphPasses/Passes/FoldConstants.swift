// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Computes nodes whose inputs are all constants.
///
/// Quantized weights stay quantized (`DequantizeLinear` is left alone) unless `dequantizes` is
/// set, and a result that is much larger than what it is computed from, or that would take more
/// memory than passes may add, stays a computation.
package struct FoldConstants: GraphPass {
  package var name: String { dequantizes ? "fold-all-constants" : "fold-constants" }

  /// Whether `DequantizeLinear` of constants is computed too.
  package var dequantizes: Bool

  /// Bytes up to which a result may be larger than twice its inputs.
  package static let growthLimit = 1 << 20

  /// Products that folding one node may take, since it runs on the reference implementation.
  package static let workLimit = 1 << 30

  /// Bytes up to which a weight that a file describes by its shape alone is made.
  package static let weightLimit = 1 << 29

  package init(dequantizes: Bool = false) { self.dequantizes = dequantizes }

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    if node.op is Opaque || !node.op.isPure { return nil }
    if !dequantizes, node.op is DequantizeLinear { return nil }
    let outputs = node.outputs.compactMap { $0 }
    guard !outputs.isEmpty, !outputs.contains(where: index.isOutput),
      node.inputs.allSatisfy({ $0 == nil || index.constant($0) != nil })
    else { return nil }
    let operands = node.inputs.map { index.constant($0) }
    guard isWorthwhile(node, operands, in: index),
      let results = try? node.op.evaluate(operands, outputCount: node.outputs.count),
      results.count == node.outputs.count
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    for (output, result) in zip(node.outputs, results) {
      if let output { patch.setConstant(result, of: output) }
    }
    return patch
  }

  /// Whether the node makes the weights of products and nothing else.
  private func isWeight(_ node: Node, in index: GraphIndex) -> Bool {
    guard let output = index.onlyOutput(of: node) else { return false }
    let users = index.consumers(of: output)
    return !users.isEmpty
      && users.allSatisfy { user in
        (user.op is Conv || user.op is Gemm || user.op is MatMul)
          && user.inputs.dropFirst().contains(output) && user.inputs[0] != output
      }
  }

  private func isWorthwhile(_ node: Node, _ operands: [Tensor?], in index: GraphIndex) -> Bool {
    let known = operands.map { $0.map { Operand($0) } }
    guard let types = try? node.op.inferTypes(known, outputCount: node.outputs.count) else {
      return false
    }
    var resultBytes = 0
    for type in types {
      guard let type, let shape = type.shape, type.isWithinBounds,
        let bytes = try? Tensor.checkedByteCount(elementType: type.elementType, shape: shape)
      else { return false }
      resultBytes += bytes
    }
    guard resultBytes <= index.constantAllowance else { return false }
    if node.op is ConstantOfShape, isWeight(node, in: index) {
      return resultBytes <= FoldConstants.weightLimit
    }
    let given = Set(node.inputs.compactMap { $0 })
    let givenBytes = given.reduce(0) { $0 + (index.constant($1)?.bytes.count ?? 0) }
    let growsByConversion = node.op is DequantizeLinear || node.op is Cast
    guard
      resultBytes <= max(FoldConstants.growthLimit, (growsByConversion ? 16 : 2) * givenBytes)
    else { return false }
    let work = node.op.cost(inputs: known.map { $0?.type }, outputs: types)
    return (work?.multiplyAccumulates ?? 0) <= FoldConstants.workLimit
  }
}
