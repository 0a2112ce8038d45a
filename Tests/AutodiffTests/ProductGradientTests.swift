// SPDX-License-Identifier: Apache-2.0
import GraphIR
import Testing

@Suite("Gradients of convolutions and products agree with finite differences")
struct ProductGradientTests {
  private static func convolution(
    _ name: String, _ op: Conv, x: [Int], w: [Int]
  ) -> GradientCase {
    GradientCase(name) {
      let operands = [$0.variable(x), $0.variable(w), $0.variable([w[0]])]
      return $0.nodes(op, operands, 1)[0]
    }
  }

  static let convolutions: [GradientCase] = [
    convolution("plain", Conv(), x: [2, 3, 5, 4], w: [4, 3, 3, 2]),
    convolution(
      "strided and padded", Conv(strides: [2, 1], padding: .explicit([1, 0, 2, 1])),
      x: [1, 2, 6, 5], w: [3, 2, 3, 3]),
    convolution(
      "rows that no window reaches", Conv(strides: [3, 3]), x: [1, 1, 8, 7], w: [2, 1, 2, 2]),
    convolution(
      "dilated", Conv(dilations: [2, 3], padding: .explicit([2, 3, 2, 3])), x: [1, 2, 5, 6],
      w: [2, 2, 3, 3]),
    convolution("grouped", Conv(group: 2), x: [2, 4, 4, 4], w: [6, 2, 3, 3]),
    convolution(
      "depthwise", Conv(padding: .explicit([1, 1, 1, 1]), group: 3), x: [1, 3, 4, 4],
      w: [3, 1, 3, 3]),
    convolution("pointwise, strided", Conv(strides: [2, 2]), x: [2, 3, 5, 5], w: [2, 3, 1, 1]),
    convolution(
      "same upper", Conv(strides: [2, 2], padding: .sameUpper), x: [1, 2, 5, 6], w: [2, 2, 3, 2]),
    convolution(
      "same lower", Conv(strides: [2, 2], padding: .sameLower), x: [1, 2, 6, 5], w: [2, 2, 2, 3]),
    convolution("valid", Conv(padding: .valid), x: [1, 2, 4, 4], w: [2, 2, 3, 3]),
    convolution(
      "one axis", Conv(strides: [2], dilations: [2], padding: .explicit([1, 2])), x: [2, 2, 9],
      w: [3, 2, 3]),
    convolution(
      "three axes", Conv(strides: [1, 2, 1], padding: .explicit([0, 1, 0, 1, 0, 1])),
      x: [1, 2, 3, 4, 3], w: [2, 2, 2, 3, 2]),
  ]

  @Test(
    "A product of a matrix with its own transpose",
    arguments: [Gemm(alpha: 0.5, transposesB: true), Gemm(alpha: 1.5, transposesA: true)])
  func gram(product: Gemm) throws {
    let gradient = GradientCase("Gram matrix") {
      let x = $0.variable([3, 4])
      let side: Int = product.transposesB ? 3 : 4
      let c = $0.variable([1, side])
      return $0.node(product, x, x, c)
    }
    try gradient.check()
  }

  @Test("Convolution", arguments: convolutions)
  func convolution(_ gradient: GradientCase) throws { try gradient.check() }

  private static func transposed(
    _ name: String, _ op: ConvTranspose, x: [Int], w: [Int]
  ) -> GradientCase {
    GradientCase(name) {
      let operands = [$0.variable(x), $0.variable(w), $0.variable([w[1] * op.group])]
      return $0.nodes(op, operands, 1)[0]
    }
  }

  static let transposedConvolutions: [GradientCase] = [
    transposed("plain", ConvTranspose(), x: [2, 3, 3, 2], w: [3, 2, 2, 3]),
    transposed(
      "strided and padded", ConvTranspose(strides: [2, 3], padding: .explicit([1, 0, 0, 2])),
      x: [1, 2, 3, 3], w: [2, 3, 3, 4]),
    transposed(
      "grouped and dilated", ConvTranspose(dilations: [2, 1], group: 2), x: [1, 4, 3, 3],
      w: [4, 2, 2, 2]),
    transposed(
      "with output padding",
      ConvTranspose(strides: [2, 2], padding: .explicit([1, 1, 1, 1]), outputPadding: [1, 1]),
      x: [1, 2, 3, 3], w: [2, 2, 3, 3]),
    transposed(
      "with output padding and no pads", ConvTranspose(strides: [2], outputPadding: [1]),
      x: [1, 2, 3], w: [2, 2, 3]),
    transposed(
      "of a given shape, larger than what there is",
      ConvTranspose(strides: [2, 2], outputShape: [9, 8]), x: [1, 1, 3, 3], w: [1, 2, 3, 3]),
    transposed(
      "same upper", ConvTranspose(strides: [2, 2], padding: .sameUpper), x: [1, 2, 3, 3],
      w: [2, 1, 3, 3]),
  ]

  @Test("Transposed convolution", arguments: transposedConvolutions)
  func transposedConvolution(_ gradient: GradientCase) throws { try gradient.check() }

  private static func product(_ a: [Int], _ b: [Int]) -> GradientCase {
    GradientCase("\(a) · \(b)") { $0.node(MatMul(), $0.variable(a), $0.variable(b)) }
  }

  @Test(
    "Matrix product",
    arguments: [
      product([3, 4], [4, 2]), product([2, 3, 4], [4, 2]), product([2, 3, 4], [2, 4, 2]),
      product([2, 1, 3, 4], [5, 4, 2]), product([3, 4], [2, 4, 5]), product([4], [4, 3]),
      product([2, 4], [4]), product([4], [4]), product([4], [2, 4, 3]), product([2, 3, 4], [4]),
    ])
  func matrixProduct(_ gradient: GradientCase) throws { try gradient.check() }

  private static let gemms: [GradientCase] = [false, true].flatMap { a in
    [false, true].flatMap { b in
      [[2, 3], [3], [1, 3], [2, 1], [1], []].map { c in
        GradientCase("transposes \(a), \(b), addend \(c)") {
          $0.node(
            Gemm(alpha: 0.5, beta: 2, transposesA: a, transposesB: b),
            $0.variable(a ? [4, 2] : [2, 4]), $0.variable(b ? [3, 4] : [4, 3]), $0.variable(c))
        }
      }
    }
  }

  @Test("Gemm", arguments: gemms)
  func gemm(_ gradient: GradientCase) throws { try gradient.check() }

  @Test("Attention of plain operators")
  func attention() throws {
    let attention = GradientCase("attention") {
      let shape = [2, 2, 3, 4]
      let (q, k, v) = ($0.variable(shape), $0.variable(shape), $0.variable(shape))
      let scores = $0.node(MatMul(), q, $0.node(Transpose(permutation: [0, 1, 3, 2]), k))
      let scaled = $0.node(Binary(.divide), scores, $0.constant([], 2, 2))
      let shares = $0.node(Softmax(axis: -1), scaled)
      let joined = $0.node(Transpose(permutation: [0, 2, 1, 3]), $0.node(MatMul(), shares, v))
      return $0.node(Reshape(), joined, $0.list(2, 3, 8))
    }
    try attention.check()
  }
}
