// SPDX-License-Identifier: Apache-2.0

/// A sum of products over the axes that an equation such as `bij,bjk->bik` does not keep.
public struct Einsum: Op {
  public var kind: String { "Einsum" }
  public var equation: String
  public init(equation: String) { self.equation = equation }
}
