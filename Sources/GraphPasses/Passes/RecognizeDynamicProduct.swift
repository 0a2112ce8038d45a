// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Writes a `MatMulInteger` of codes that `DynamicQuantizeLinear` made with a constant matrix, and
/// the cast and scales that turn its sums into real numbers, as one node.
///
/// The result has no form in ONNX.
package struct RecognizeDynamicProduct: GraphPass {
  package var name: String { "recognize-dynamic-product" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let op = node.op as? Binary, op.function == .multiply, node.inputs.count == 2,
      let output = index.onlyOutput(of: node)
    else { return nil }
    for (real, scales) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
      guard let real, let scales, index.soleConsumer(of: real) != nil,
        let (cast, to) = index.producer(of: real, as: Cast.self), to.target == .float32,
        let sums = cast.inputs[0], index.soleConsumer(of: sums) != nil,
        let (product, _) = index.producer(of: sums, as: MatMulInteger.self),
        let operands = operands(of: product, scales: scales, in: index),
        index.haveEqualDimensions(real, output)
      else { continue }
      var patch = GraphPatch(of: index.graph)
      patch.remove(node)
      patch.remove(cast)
      patch.remove(product)
      patch.addNode(
        DynamicMatMul(), name: product.name.isEmpty ? node.name : product.name, inputs: operands,
        outputs: [output])
      return patch
    }
    return nil
  }

  private func operands(
    of product: Node, scales: ValueID, in index: GraphIndex
  ) -> [ValueID?]? {
    guard product.inputs.count >= 3, let codes = product.inputs[0], let zero = product.inputs[2],
      let (source, _) = index.producer(of: codes, as: DynamicQuantizeLinear.self),
      source.outputs.count == 3, source.outputs[0] == codes, source.outputs[2] == zero,
      let scale = source.outputs[1], let weight = index.constant(product.inputs[1]),
      weight.rank == 2, weight.elementType == .int8,
      product.inputs.count < 4
        || index.constant(product.inputs[3])?.integers()
          .allSatisfy({ $0 == 0 }) ?? (product.inputs[3] == nil),
      let (joint, op) = index.producer(of: scales, as: Binary.self), op.function == .multiply,
      joint.inputs.contains(scale), let factor = joint.inputs.first(where: { $0 != scale }),
      let factors = index.constant(factor), factors.elementType == .float32,
      factors.count == 1 || (factors.rank == 1 && factors.count == weight.shape[1])
    else { return nil }
    return [codes, scale, zero, product.inputs[1], factor]
  }
}
