// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension TrainingBuilder {
  /// The type in which an elementwise node works: that of its operands in memory, which must be
  /// reals.
  func workingType(_ values: [ValueID?]) -> ElementType? {
    var result: ElementType?
    for case .some(let value) in values {
      guard let placement = placement(of: value) else { return nil }
      switch placement.elementType {
      case .bfloat16: result = .bfloat16
      case .float32: result = result ?? .float32
      default: return nil
      }
    }
    return result
  }

  /// The layout in which a value lies, where that is dense; else channels-last.
  func layout(of value: ValueID) -> Layout {
    guard let present = placement(of: value), !isInput(present), !present.isDense(.channelsLast),
      present.isDense(.plain)
    else { return .channelsLast }
    return .plain
  }

  /// An elementwise function of one operand.
  func addEltwise(_ node: Node, _ function: Eltwise) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let output = node.outputs[0],
      let type = workingType([input]), self.type(of: output)?.elementType == .float32,
      let source = dense(input, layout(of: input), as: type), source.count > 0
    else { return false }
    let target = mayOverwrite(source) ? source : allocate(type, source.shape, layout(of: input))
    let count = shardShape(source).count
    guard let kind = type.oneDNN else { return false }
    let flat = try MemoryDescriptor(dense: kind, shape: [count])
    let attributes = try PrimitiveAttributes()
    let made = try primitive("elementwise function") {
      dnnl_eltwise_forward_primitive_desc_create(
        $0, engine.handle, dnnl_forward_inference, function.algorithm, flat.handle, flat.handle,
        function.alpha, function.beta, attributes.handle)
    }
    try addPrimitive(
      made,
      [
        ShardArgument(argument: DNNL_ARG_SRC, descriptor: flat, placement: source, cut: .batch),
        ShardArgument(
          argument: DNNL_ARG_DST, descriptor: flat, placement: target, cut: .batch, isWrite: true),
      ], isSharded: isSharded(source.shape),
      label: label(node, implementation: made.implementation, precision: type))
    setPlacement(target, of: output)
    return true
  }

  /// A function of two operands of one shape, by elements of the flat tensors.
  func addFlat(
    _ node: Node, _ a: ValueID, _ b: ValueID, to output: ValueID,
    _ body:
      @escaping @Sendable (
        swk_type, UnsafeMutableRawPointer, UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int
      ) -> Void
  ) -> Bool {
    guard let type = workingType([a, b]), let kind = type.kernel, shape(of: a) == shape(of: b)
    else { return false }
    let layout = layout(of: a)
    guard let left = dense(a, layout, as: type), let right = dense(b, layout, as: type) else {
      return false
    }
    let target =
      [left, right].first { mayOverwrite($0) } ?? allocate(type, left.shape, layout)
    addSharded(
      label(node, implementation: "swiftlet", precision: type), reads: [left, right],
      writes: [target], alike: left.shape
    ) { memory, part in
      let count = part(left).count
      let (x, y) = (memory.address(part(left)), memory.address(part(right)))
      let to = memory.address(part(target))
      return { body(kind, x, y, to, count) }
    }
    setPlacement(target, of: output)
    return true
  }

  /// A binary primitive whose second operand may be broadcast.
  func addBinary(_ node: Node, _ algorithm: dnnl_alg_kind_t) throws(OneDNNError) -> Bool {
    guard var left = node.inputs[0], var right = node.inputs[1], let output = node.outputs[0],
      let result = type(of: output), result.elementType == .float32,
      (1...5).contains(result.shape.count), !result.shape.contains(0),
      let type = workingType([left, right])
    else { return false }
    if shape(of: left) != result.shape {
      guard shape(of: right) == result.shape,
        algorithm == dnnl_binary_add || algorithm == dnnl_binary_mul
      else { return false }
      swap(&left, &right)
    }
    guard let rightShape = shape(of: right) else { return false }
    let layout = layout(of: left)
    let full =
      [Int](repeating: 1, count: result.shape.count - rightShape.count) + rightShape
    guard let a = dense(left, layout, as: type),
      let b = dense(right, rightShape == result.shape ? layout : .plain, as: type)?
        .reshaped(to: full)
    else { return false }
    if algorithm == dnnl_binary_mul, addChannelProduct(node, a, b, layout, to: output) {
      return true
    }
    let target = mayOverwrite(a) ? a : allocate(type, result.shape, layout)
    let isSharded = isSharded(result.shape)
    let bIsCut = isSharded && full[0] == result.shape[0]
    let from = try batchArgument(DNNL_ARG_SRC_0, a)
    let second = bIsCut ? shardShape(b) : b
    let with = try descriptor(second)
    let attributes = try PrimitiveAttributes()
    var made: dnnl_primitive_desc_t?
    let status = dnnl_binary_primitive_desc_create(
      &made, engine.handle, algorithm, from.descriptor.handle, with.handle,
      from.descriptor.handle, attributes.handle)
    guard status == dnnl_success, let made else { return false }
    let primitive = try Primitive(owning: made)
    try addPrimitive(
      primitive,
      [
        from,
        ShardArgument(
          argument: DNNL_ARG_SRC_1, descriptor: with, placement: b, cut: bIsCut ? .batch : .shared),
        try batchArgument(DNNL_ARG_DST, target, isWrite: true),
      ], isSharded: isSharded,
      label: label(node, implementation: primitive.implementation, precision: type))
    setPlacement(target, of: output)
    return true
  }

  /// A product with one factor per channel of each sample.
  private func addChannelProduct(
    _ node: Node, _ a: Placement, _ b: Placement, _ layout: Layout, to output: ValueID
  ) -> Bool {
    guard a.shape.count >= 3, layout == .channelsLast, a.isDense(.channelsLast),
      b.shape[0] == a.shape[0], b.shape[1] == a.shape[1],
      b.shape[2...].allSatisfy({ $0 == 1 }), a.shape[2...].reduce(1, *) > 1,
      let type = a.elementType.kernel
    else { return false }
    let target = mayOverwrite(a) ? a : allocate(a.elementType, a.shape, .channelsLast)
    let channels = a.shape[1]
    let pixels = a.shape[2...].reduce(1, *)
    addSharded(
      label(node, implementation: "swiftlet", precision: a.elementType), reads: [a, b],
      writes: [target], alike: a.shape
    ) { memory, part in
      let (x, factor) = (memory.address(part(a)), memory.address(part(b)))
      let to = memory.address(part(target))
      let rows = part(a).shape[0] * pixels
      return {
        var format = swk_format(type: type, scale: 1, zero_point: 0)
        var factorFormat = format
        var epilogue = swk_epilogue(
          type: type, activation: SWK_NONE, alpha: 0, beta: 0, inverse_scale: 1, zero_point: 0)
        swk_mul_channels(
          &format, x, &factorFormat, factor, &epilogue, to, channels, pixels, 0, rows)
      }
    }
    setPlacement(target, of: output)
    return true
  }
}

extension Unary: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let function = Eltwise(function) else { return false }
    return try builder.addEltwise(node, function)
  }
}

extension Clip: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    let bounds = (1...2).map { index -> Float? in
      guard index < node.inputs.count, let value = node.inputs[index] else {
        return index == 1 ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude
      }
      return builder.graph.constant(value)?.floats().first
    }
    guard let lower = bounds[0], let upper = bounds[1] else { return false }
    return try builder.addEltwise(node, .clip(lower, upper))
  }
}

extension Binary: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let a = node.inputs[0], let b = node.inputs[1], let output = node.outputs[0] else {
      return false
    }
    switch function {
    case .add:
      if builder.addFlat(
        node, a, b, to: output, { swk_add_real($0, $1, $2, $3, 0, $4) })
      {
        return true
      }
      return try builder.addBinary(node, dnnl_binary_add)
    case .subtract: return try builder.addBinary(node, dnnl_binary_sub)
    case .multiply: return try builder.addBinary(node, dnnl_binary_mul)
    case .divide: return try builder.addBinary(node, dnnl_binary_div)
    default: return false
    }
  }
}

extension Variadic: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    let inputs = node.inputs.compactMap { $0 }
    guard function == .sum, inputs.count > 1, let output = node.outputs[0],
      let type = builder.workingType(inputs), let kind = type.kernel,
      let shape = builder.shape(of: output),
      inputs.allSatisfy({ builder.shape(of: $0) == shape })
    else { return false }
    let layout = builder.layout(of: inputs[0])
    let parts = inputs.compactMap { builder.dense($0, layout, as: type) }
    guard parts.count == inputs.count else { return false }
    let target =
      parts.prefix(2).first { builder.mayOverwrite($0) }
      ?? builder.allocate(type, shape, layout)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: type), reads: parts,
      writes: [target], alike: shape
    ) { memory, part in
      let count = part(target).count
      let from = parts.map { memory.address(part($0)) }
      let to = memory.address(part(target))
      return {
        swk_add_real(kind, from[0], from[1], to, 0, count)
        for next in from.dropFirst(2) { swk_add_real(kind, to, next, to, 0, count) }
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}

extension Unary.Function {
  /// The function's derivative as our kernels have it.
  var gradientKernel: (swk_gradient_function, alpha: Float, beta: Float)? {
    switch self {
    case .relu: (SWK_GRADIENT_CLIP, 0, .infinity)
    case .leakyRelu(let alpha): (SWK_GRADIENT_LEAKY_RELU, alpha, 0)
    case .hardSigmoid(let alpha, let beta): (SWK_GRADIENT_HARD_SIGMOID, alpha, beta)
    case .hardSwish: (SWK_GRADIENT_HARD_SWISH, 0, 0)
    case .sigmoid: (SWK_GRADIENT_SIGMOID, 0, 0)
    case .tanh: (SWK_GRADIENT_TANH, 0, 0)
    case .swish(let alpha) where alpha == 1: (SWK_GRADIENT_SILU, 0, 0)
    default: nil
    }
  }
}

extension TrainingBuilder {
  fileprivate func addUnaryGradient(
    _ node: Node, _ function: swk_gradient_function, _ alpha: Float, _ beta: Float
  ) -> Bool {
    guard let dY = node.inputs[0], let x = node.inputs[1], let output = node.outputs[0] else {
      return false
    }
    return addFlat(node, dY, x, to: output) { type, dY, x, dX, count in
      var arguments = swk_unary_gradient_args(
        type: type, function: function, alpha: alpha, beta: beta)
      swk_unary_gradient(&arguments, dY, x, dX, 0, count)
    }
  }
}

extension UnaryGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let (kernel, alpha, beta) = function.gradientKernel else { return false }
    return builder.addUnaryGradient(node, kernel, alpha, beta)
  }
}

extension ClipGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    builder.addUnaryGradient(node, SWK_GRADIENT_CLIP, lower, upper)
  }
}
