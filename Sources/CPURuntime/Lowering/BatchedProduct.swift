// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

/// A product of two computed tensors of matrices, read where they lie.
struct BatchedProduct {
  let left: Placement
  let right: Placement
  let target: Placement
  let bias: [Float]?
  let node: Node
  let kind: String
}

extension ProgramBuilder {
  /// A value as reals for a product: where it lies if it is real, in memory of its own if it is an
  /// input.
  func productOperand(_ value: ValueID) throws(OneDNNError) -> Placement? {
    guard let present = try placement(of: value) else { return nil }
    if present.elementType == realType, !isInput(present), present.strides.allSatisfy({ $0 > 0 }) {
      return present
    }
    return try dense(value, .plain, as: realType)
  }

  /// Where a result for the one `Transpose` that reads it, or its codes, is best put: in the order
  /// that makes the transposed one dense.
  func allocateForConsumer(
    _ value: ValueID, _ type: ElementType, _ shape: [Int]
  ) -> Placement {
    var readers = graph.nodes[position...].filter { $0.inputs.contains(value) }
    if readers.count == 1, readers[0].op is QuantizeLinear, let codes = readers[0].outputs[0] {
      readers = graph.nodes[position...].filter { $0.inputs.contains(codes) }
    }
    guard readers.count == 1, let transpose = readers[0].op as? Transpose,
      let order = transpose.permutation, order.sorted() == Array(shape.indices),
      order.last == shape.count - 1
    else { return allocate(type, shape, .plain) }
    let moved = allocate(type, order.map { shape[$0] }, .plain)
    return moved.transposed(shape.indices.map { order.firstIndex(of: $0) ?? $0 })
  }

  /// Adds the product; operands that oneDNN has no fast kernel for are copied first.
  func add(
    _ product: BatchedProduct, attributes: () throws(OneDNNError) -> PrimitiveAttributes
  ) throws(OneDNNError) -> Bool {
    if let primitive = try primitive(product, try attributes()),
      !primitive.implementation.hasPrefix("ref")
    {
      try add(product, primitive)
      return true
    }
    var copied = product
    copied = BatchedProduct(
      left: try denseCopy(product.left), right: try denseCopy(product.right),
      target: product.target, bias: product.bias, node: product.node, kind: product.kind)
    guard let primitive = try primitive(copied, try attributes()) else { return false }
    try add(copied, primitive)
    return true
  }

  private func denseCopy(_ source: Placement) throws(OneDNNError) -> Placement {
    if source.isDense(.plain) { return source }
    let target = allocate(source.elementType, source.shape, .plain)
    addCopy(from: source, to: target)
    return target
  }

  /// Shape and strides with axes of extent one in front up to a rank.
  private func aligned(_ placement: Placement, rank: Int) throws(OneDNNError) -> MemoryDescriptor {
    let missing = rank - placement.shape.count
    let span = zip(placement.shape, placement.strides).map { $0 * $1 }.max() ?? 1
    // Axes of extent one take the stride that a dense tensor would have there.
    var strides = Array(repeating: span, count: missing) + placement.strides
    let shape = Array(repeating: 1, count: missing) + placement.shape
    for axis in shape.indices.reversed() where shape[axis] == 1 && axis < rank - 2 {
      strides[axis] = zip(shape, strides).dropFirst(axis + 1).map { $0 * $1 }.max() ?? 1
    }
    return try descriptor(placement, shape: shape, strides: strides)
  }

  private func primitive(
    _ product: BatchedProduct, _ attributes: PrimitiveAttributes
  ) throws(OneDNNError) -> Primitive? {
    let rank = product.target.shape.count
    let from = try aligned(product.left, rank: rank)
    let with = try aligned(product.right, rank: rank)
    let to = try aligned(product.target, rank: rank)
    let bias = try product.bias.map { (values) throws(OneDNNError) in
      try MemoryDescriptor(
        dense: dnnl_f32, shape: [Int](repeating: 1, count: rank - 1) + [values.count])
    }
    var made: dnnl_primitive_desc_t?
    let status = dnnl_matmul_primitive_desc_create(
      &made, engine.handle, from.handle, with.handle, bias?.handle, to.handle, attributes.handle)
    guard status == dnnl_success, let made else { return nil }
    return try Primitive(owning: made)
  }

  private func add(_ product: BatchedProduct, _ primitive: Primitive) throws(OneDNNError) {
    let rank = product.target.shape.count
    var arguments = [
      PrimitiveArgument(
        argument: DNNL_ARG_SRC, descriptor: try aligned(product.left, rank: rank),
        placement: product.left),
      PrimitiveArgument(
        argument: DNNL_ARG_WEIGHTS, descriptor: try aligned(product.right, rank: rank),
        placement: product.right),
      PrimitiveArgument(
        argument: DNNL_ARG_DST, descriptor: try aligned(product.target, rank: rank),
        placement: product.target),
    ]
    if let bias = product.bias {
      arguments.append(
        PrimitiveArgument(
          argument: DNNL_ARG_BIAS,
          descriptor: try MemoryDescriptor(
            dense: dnnl_f32, shape: [Int](repeating: 1, count: rank - 1) + [bias.count]),
          placement: try addConstant(bias)))
    }
    try addPrimitive(
      primitive, arguments, writes: [DNNL_ARG_DST],
      label: label(
        product.node, kind: product.kind, implementation: primitive.implementation,
        precision: product.left.elementType.shortName))
  }
}
