// SPDX-License-Identifier: Apache-2.0
public import GraphIR

extension MatMul: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    var gradient = try builder.outputGradient()
    var (a, b) = (try builder.input(0), try builder.input(1))
    let ranks = (try builder.dimensions(a).count, try builder.dimensions(b).count)
    if ranks.1 == 1 {
      b = try builder.add(Unsqueeze(), b, builder.list([1]))
      gradient = try builder.add(Unsqueeze(), gradient, builder.list([-1]))
    }
    if ranks.0 == 1 {
      a = try builder.add(Unsqueeze(), a, builder.list([0]))
      gradient = try builder.add(Unsqueeze(), gradient, builder.list([-2]))
    }
    let (left, right) = (try builder.dimensions(a).count, try builder.dimensions(b).count)
    if builder.needsGradient(0) {
      let part =
        left == 2 && right == 2
        ? try builder.add(Gemm(transposesB: true), gradient, b)
        : try builder.add(MatMul(), gradient, transposed(b, rank: right, &builder))
      let sum = try builder.summed(part, like: a)
      builder.contribute(try builder.reshaped(sum, like: builder.input(0)), to: 0)
    }
    if builder.needsGradient(1) {
      let part =
        right == 2
        ? try builder.add(
          Gemm(transposesA: true), rows(a, rank: left, &builder),
          rows(gradient, rank: builder.dimensions(gradient).count, &builder))
        : try builder.add(MatMul(), transposed(a, rank: left, &builder), gradient)
      let sum = try builder.summed(part, like: b)
      builder.contribute(try builder.reshaped(sum, like: builder.input(1)), to: 1)
    }
  }

  private func transposed(
    _ value: ValueID, rank: Int, _ builder: inout GradientBuilder
  ) throws(AutodiffError) -> ValueID {
    var permutation = Array(0..<rank)
    permutation.swapAt(rank - 2, rank - 1)
    return try builder.add(Transpose(permutation: permutation), value)
  }

  /// All matrices of a value one below the other.
  private func rows(
    _ value: ValueID, rank: Int, _ builder: inout GradientBuilder
  ) throws(AutodiffError) -> ValueID {
    rank == 2 ? value : try builder.add(Flatten(axis: rank - 1), value)
  }
}

extension Gemm: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let (a, b) = (try builder.input(0), try builder.input(1))
    if a == b, transposesA != transposesB, builder.needsGradient(0) {
      // Of X Xᵀ it is (dY + dYᵀ) X: one product for both factors.
      let both = try builder.add(
        Binary(.add), gradient, builder.add(Transpose(permutation: [1, 0]), gradient))
      let operands = transposesB ? [both, a] : [a, both]
      builder.contribute(
        try builder.add(Gemm(alpha: alpha), operands[0], operands[1]), to: 0)
      return try addAddendGradient(gradient, &builder)
    }
    if builder.needsGradient(0) {
      let part =
        transposesA
        ? try builder.add(
          Gemm(alpha: alpha, transposesA: transposesB, transposesB: true), b, gradient)
        : try builder.add(Gemm(alpha: alpha, transposesB: !transposesB), gradient, b)
      builder.contribute(part, to: 0)
    }
    if builder.needsGradient(1) {
      let part =
        transposesB
        ? try builder.add(
          Gemm(alpha: alpha, transposesA: true, transposesB: transposesA), gradient, a)
        : try builder.add(Gemm(alpha: alpha, transposesA: !transposesA), a, gradient)
      builder.contribute(part, to: 1)
    }
    try addAddendGradient(gradient, &builder)
  }

  private func addAddendGradient(
    _ gradient: ValueID, _ builder: inout GradientBuilder
  ) throws(AutodiffError) {
    guard builder.needsGradient(2), beta != 0 else { return }
    let c = try builder.input(2)
    let columns = try builder.dimensions(gradient)[1]
    let isRow = try builder.dimensions(c) == [columns] && columns.value != nil
    var sum =
      isRow ? try builder.add(ChannelSum(), gradient) : try builder.summed(gradient, like: c)
    if beta != 1 { sum = try builder.product(sum, builder.scalar(Double(beta), like: sum)) }
    builder.contribute(sum, to: 2)
  }
}
