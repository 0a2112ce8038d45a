// SPDX-License-Identifier: Apache-2.0

/// `alpha · A′ · B′ + beta · C`, with `A` and `B` optionally transposed and `C` broadcast.
public struct Gemm: Op {
  public var kind: String { "Gemm" }
  public var alpha: Float
  public var beta: Float
  public var transposesA: Bool
  public var transposesB: Bool

  public init(
    alpha: Float = 1, beta: Float = 1, transposesA: Bool = false, transposesB: Bool = false
  ) {
    self.alpha = alpha
    self.beta = beta
    self.transposesA = transposesA
    self.transposesB = transposesB
  }
}

/// Matrix product over the last two axes, the axes before them broadcast.
public struct MatMul: Op {
  public var kind: String { "MatMul" }
  public init() {}
}

/// Matrix product of 8-bit integers with zero points, accumulated in 32 bits.
public struct MatMulInteger: Op {
  public var kind: String { "MatMulInteger" }
  public init() {}
}
