// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

extension Reduce: Lowerable {
  /// oneDNN's reduction, where it has the function; extremes are loops of our own.
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs.first.flatMap({ $0 }), let output = node.outputs[0],
      let type = builder.type(of: input), type.elementType == .float32,
      let shape = builder.shape(of: output), (1...6).contains(type.shape.count),
      type.shape.reduce(1, *) > 0
    else { return false }
    let rank = type.shape.count
    var axes = Array(0..<rank)
    if node.inputs.count > 1, let listed = node.inputs[1] {
      guard let given = builder.graph.constant(listed)?.integers(), !given.isEmpty else {
        return false
      }
      axes = given.map { $0 < 0 ? Int($0) + rank : Int($0) }
    }
    guard axes.allSatisfy((0..<rank).contains), axes.contains(where: { type.shape[$0] != 1 })
    else { return false }
    var kept = type.shape
    for axis in axes { kept[axis] = 1 }
    if function == .maximum || function == .minimum {
      return try lowerExtreme(
        node, input: input, output: output, from: type.shape, to: kept, as: shape, axes: axes,
        into: builder)
    }
    guard let algorithm, let (source, layout) = try builder.anyDense(input, as: builder.realType)
    else { return false }
    let target = builder.allocate(builder.realType, kept, layout)
    let from = try builder.descriptor(source)
    let to = try builder.descriptor(target)
    let attributes = try PrimitiveAttributes()
    var made: dnnl_primitive_desc_t?
    let status = dnnl_reduction_primitive_desc_create(
      &made, builder.engine.handle, algorithm, from.handle, to.handle,
      function == .l2 ? 2 : function == .l1 ? 1 : 0, 0, attributes.handle)
    guard status == dnnl_success, let made else { return false }
    let primitive = try Primitive(owning: made)
    try builder.addPrimitive(
      primitive,
      [
        PrimitiveArgument(argument: DNNL_ARG_SRC, descriptor: from, placement: source),
        PrimitiveArgument(argument: DNNL_ARG_DST, descriptor: to, placement: target),
      ], writes: [DNNL_ARG_DST],
      label: builder.label(
        node, implementation: primitive.implementation, precision: builder.realType.shortName))
    return try builder.setReshaped(target, of: node, value: output, to: shape)
  }

  /// The greatest or least elements along neighbouring axes. oneDNN's would make the largest finite
  /// number of rows that are infinite throughout, and pass over what is no number.
  private func lowerExtreme(
    _ node: Node, input: ValueID, output: ValueID, from shape: [Int], to kept: [Int],
    as result: [Int], axes: [Int], into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    let sorted = Set(axes).sorted()
    guard let first = sorted.first, let last = sorted.last, last - first + 1 == sorted.count,
      let source = try builder.dense(input, .plain, as: .float32)
    else { return false }
    let count = shape[first...last].reduce(1, *)
    let inner = shape[(last + 1)...].reduce(1, *)
    let target = builder.allocate(.float32, kept, .plain)
    let isMaximum = function == .maximum
    builder.addRows(
      of: shape[..<first].reduce(1, *), work: shape.reduce(1, *), from: source, to: target,
      label: builder.label(node, implementation: "swiftlet", precision: "f32")
    ) { from, to, range in
      let from = from.assumingMemoryBound(to: Float.self)
      let to = to.assumingMemoryBound(to: Float.self)
      for outer in range {
        let rows = from + outer * count * inner
        let extreme = to + outer * inner
        extreme.update(from: rows, count: inner)
        for row in 1..<max(count, 1) {
          for column in 0..<inner {
            let (value, best) = (rows[row * inner + column], extreme[column])
            if (isMaximum ? value > best : value < best) || value.isNaN { extreme[column] = value }
          }
        }
      }
    }
    return try builder.setReshaped(target, of: node, value: output, to: result)
  }

  private var algorithm: dnnl_alg_kind_t? {
    switch function {
    case .sum: dnnl_reduction_sum
    case .mean: dnnl_reduction_mean
    case .l2: dnnl_reduction_norm_lp_sum
    case .l1: dnnl_reduction_norm_lp_power_p_sum
    default: nil
    }
  }
}
