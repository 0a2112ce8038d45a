// SPDX-License-Identifier: Apache-2.0
public import GraphIR

extension Unary: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    switch function {
    case .ceil, .floor, .round, .sign: return
    case .negate: builder.contribute(try builder.add(Unary(.negate), gradient), to: 0)
    default:
      builder.contribute(
        try builder.add(UnaryGradient(of: function), gradient, builder.input(0)), to: 0)
    }
  }
}

extension Clip: Differentiable {
  /// Constant bounds take `ClipGradient`; computed ones also get a gradient: that of the elements
  /// that lie on or beyond them.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let x = try builder.input(0)
    let bounds = [builder.optionalInput(1), builder.optionalInput(2)]
    let isKnown = bounds.allSatisfy { $0 == nil || builder.graph.constant($0) != nil }
    if isKnown, !builder.needsGradient(1), !builder.needsGradient(2) {
      let numbers = bounds.map { builder.graph.constant($0)?.floats().first }
      let op = ClipGradient(lower: numbers[0] ?? -.infinity, upper: numbers[1] ?? .infinity)
      builder.contribute(try builder.add(op, gradient, x), to: 0)
      return
    }
    var inner = gradient
    let comparisons: [Binary.Function] = [.lessOrEqual, .greaterOrEqual]
    for (index, bound) in bounds.enumerated() {
      guard let bound else { continue }
      let isBeyond = try builder.add(Binary(comparisons[index]), x, bound)
      inner = try builder.masked(inner, where: builder.add(Unary(.not), isBeyond))
      guard builder.needsGradient(index + 1) else { continue }
      let outer = try builder.masked(gradient, where: isBeyond)
      builder.contribute(try builder.add(SumToShape(), outer, bound), to: index + 1)
    }
    builder.contribute(inner, to: 0)
  }
}

extension Binary: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    for input in 0..<2 where builder.needsGradient(input) {
      let part = try input == 0 ? left(gradient, &builder) : right(gradient, &builder)
      guard let part else { continue }
      builder.contribute(try builder.summed(part, like: builder.input(input)), to: input)
    }
  }

  /// The gradient of the first input before broadcasting is undone; `nil` for none.
  private func left(
    _ gradient: ValueID, _ builder: inout GradientBuilder
  ) throws(AutodiffError) -> ValueID? {
    let (a, b) = (try builder.input(0), try builder.input(1))
    switch function {
    case .add, .subtract: return gradient
    case .multiply: return try builder.product(gradient, b)
    case .divide: return try builder.add(Binary(.divide), gradient, b)
    case .power: return try baseGradient(gradient, a, b, &builder)
    case .prelu:
      let isPositive = try builder.add(Binary(.greater), a, builder.scalar(0, like: a))
      return try builder.add(Where(), isPositive, gradient, builder.product(gradient, b))
    default: throw builder.error("its function has no derivative")
    }
  }

  private func right(
    _ gradient: ValueID, _ builder: inout GradientBuilder
  ) throws(AutodiffError) -> ValueID? {
    let (a, b) = (try builder.input(0), try builder.input(1))
    switch function {
    case .add: return gradient
    case .subtract: return try builder.add(Unary(.negate), gradient)
    case .multiply: return try builder.product(gradient, a)
    case .divide:
      let ratio = try builder.add(Binary(.divide), builder.output(0), b)
      return try builder.add(Unary(.negate), builder.product(gradient, ratio))
    case .power:
      let logarithm = try builder.add(Unary(.log), a)
      let slope = try builder.product(builder.output(0), logarithm)
      let isPositive = try builder.add(Binary(.greater), a, builder.scalar(0, like: a))
      return try builder.masked(builder.product(gradient, slope), where: isPositive)
    case .prelu:
      let isNegative = try builder.add(Binary(.less), a, builder.scalar(0, like: a))
      return try builder.masked(builder.product(gradient, a), where: isNegative)
    default: throw builder.error("its function has no derivative")
    }
  }

  /// `b · a^(b − 1)` times the gradient, without `0 · ∞` at exponents 0, 1 and 2.
  private func baseGradient(
    _ gradient: ValueID, _ a: ValueID, _ exponent: ValueID, _ builder: inout GradientBuilder
  ) throws(AutodiffError) -> ValueID? {
    if let constant = builder.graph.constant(exponent), constant.count == 1,
      let power = constant.reals().first, [0, 1, 2].contains(power)
    {
      if power == 0 { return nil }
      if power == 1 { return gradient }
      return try builder.product(gradient, builder.product(a, builder.scalar(2, like: a)))
    }
    let type = builder.elementType(a)
    let b =
      builder.elementType(exponent) == type ? exponent : try builder.add(Cast(to: type), exponent)
    let lower = try builder.add(Binary(.subtract), b, builder.scalar(1, like: a))
    let slope = try builder.product(b, builder.add(Binary(.power), a, lower))
    let isZero = try builder.add(Binary(.equal), b, builder.scalar(0, like: a))
    let whole = try builder.product(gradient, slope)
    return try builder.add(Where(), isZero, builder.scalar(0, like: a), whole)
  }
}

extension Variadic: Differentiable {
  /// Inputs that are equally great, or small, share the gradient.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    var gradient = try builder.outputGradient()
    let inputs = builder.node.inputs.compactMap { $0 }
    var shares: [ValueID] = []
    switch function {
    case .sum: break
    case .mean:
      gradient = try builder.product(
        gradient, builder.scalar(1 / Double(inputs.count), like: gradient))
    case .minimum, .maximum:
      guard inputs.count > 1 else { break }
      for input in inputs {
        let isTaken = try builder.add(Binary(.equal), input, builder.output(0))
        shares.append(try builder.add(Cast(to: builder.elementType(gradient)), isTaken))
      }
      gradient = try builder.add(
        Binary(.divide), gradient, builder.add(Variadic(.sum), shares)[0])
    }
    for index in inputs.indices where builder.needsGradient(index) {
      let part = shares.isEmpty ? gradient : try builder.product(gradient, shares[index])
      builder.contribute(try builder.summed(part, like: inputs[index]), to: index)
    }
  }
}

extension Where: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let condition = try builder.input(0)
    for index in 1...2 where builder.needsGradient(index) {
      let zero = builder.scalar(0, like: gradient)
      let part =
        index == 1
        ? try builder.add(Where(), condition, gradient, zero)
        : try builder.add(Where(), condition, zero, gradient)
      builder.contribute(try builder.summed(part, like: builder.input(index)), to: index)
    }
  }
}

extension Cast: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let type = builder.elementType(try builder.input(0))
    builder.contribute(try builder.add(Cast(to: type), gradient), to: 0)
  }
}

extension Identity: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    builder.contribute(try builder.outputGradient(), to: 0)
  }
}

extension Dropout: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    builder.contribute(try builder.outputGradient(), to: 0)
  }
}

extension RandomDropout: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    builder.contribute(try builder.add(self, builder.outputGradient(), builder.input(1)), to: 0)
  }
}

extension StopGradient: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {}
}

extension StraightThrough: Differentiable {
  /// The bounds belong to the range, so they are moved to their outer neighbours for
  /// `ClipGradient`, whose range is open.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    guard lower != nil || upper != nil else {
      builder.contribute(gradient, to: 0)
      return
    }
    let op = ClipGradient(
      lower: lower?.nextDown ?? -.infinity, upper: upper?.nextUp ?? .infinity)
    builder.contribute(try builder.add(op, gradient, builder.input(0)), to: 0)
  }
}
