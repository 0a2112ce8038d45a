// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

extension Reduce: Differentiable {
  /// Elements that are equally great, or small, share the gradient; the norm has none at 0.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let x = try builder.input(0)
    let rank = try builder.dimensions(x).count
    let axes = try reducedAxes(rank: rank, &builder)
    let gradient = try kept(builder.outputGradient(), axes, rank: rank, &builder)
    let y = try kept(builder.output(0), axes, rank: rank, &builder)
    let slope: ValueID
    switch function {
    case .sum: slope = gradient
    case .mean:
      let share = try builder.add(
        Binary(.divide), builder.count(of: y, like: y), builder.count(of: x, like: x))
      slope = try builder.product(gradient, share)
    case .maximum, .minimum:
      let isTaken = try builder.add(
        Cast(to: builder.elementType(x)), builder.add(Binary(.equal), x, y))
      let list = builder.list(axes)
      let count = try builder.add(Reduce(.sum, emptyAxesMeanNone: true), isTaken, list)
      slope = try builder.product(builder.add(Binary(.divide), gradient, count), isTaken)
    case .l1: slope = try builder.product(gradient, builder.add(Unary(.sign), x))
    case .l2:
      let isPositive = try builder.add(Binary(.greater), y, builder.scalar(0, like: y))
      let ratio = try builder.masked(
        builder.add(Binary(.divide), gradient, y), where: isPositive)
      slope = try builder.product(ratio, x)
    case .sumOfSquares:
      slope = try builder.product(
        builder.product(gradient, builder.scalar(2, like: gradient)), x)
    case .logSum:
      slope = try builder.product(
        gradient, builder.add(Unary(.exp), builder.add(Unary(.negate), y)))
    case .logSumExp:
      let share = try builder.add(Unary(.exp), builder.add(Binary(.subtract), x, y))
      slope = try builder.product(gradient, share)
    case .product: throw builder.error("products over axes have no rule")
    }
    builder.contribute(try builder.expanded(slope, like: x), to: 0)
  }

  private func reducedAxes(
    rank: Int, _ builder: inout GradientBuilder
  ) throws(AutodiffError) -> [Int] {
    let axes = try builder.optionalInput(1).map { list throws(AutodiffError) in
      try builder.integers(list, "the axes")
    }
    guard let axes, !axes.isEmpty else { return emptyAxesMeanNone ? [] : Array(0..<rank) }
    return axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
  }

  /// A reduced value in a shape that broadcasts with the input's.
  private func kept(
    _ value: ValueID, _ axes: [Int], rank: Int, _ builder: inout GradientBuilder
  ) throws(AutodiffError) -> ValueID {
    if keepsDimensions || axes.isEmpty || axes.count == rank { return value }
    return try builder.add(Unsqueeze(), value, builder.list(axes))
  }
}

extension CumSum: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let op = CumSum(isExclusive: isExclusive, isReversed: !isReversed)
    builder.contribute(try builder.add(op, gradient, builder.input(1)), to: 0)
  }
}
