// SPDX-License-Identifier: Apache-2.0
import Autodiff
import GraphIR
import TensorCore
import Testing

@Suite("Gradients of elementwise operators agree with finite differences")
struct ElementwiseGradientTests {
  private static func unary(
    _ function: Unary.Function, _ low: Double = -2, _ high: Double = 2
  ) -> GradientCase {
    GradientCase(Unary(function).kind) { $0.node(Unary(function), $0.variable([4, 5], low, high)) }
  }

  /// Ranges keep clear of the edges of a function's domain; random numbers, of its kinks.
  static let functions: [GradientCase] = [
    unary(.abs), unary(.acos, -0.8, 0.8), unary(.acosh, 1.5, 3), unary(.asin, -0.8, 0.8),
    unary(.asinh), unary(.atan), unary(.atanh, -0.8, 0.8), unary(.ceil), unary(.celu(alpha: 1.5)),
    unary(.cos), unary(.cosh), unary(.elu(alpha: 0.7)), unary(.erf), unary(.exp), unary(.floor),
    unary(.gelu(tanhApproximation: false)), unary(.gelu(tanhApproximation: true)),
    unary(.hardSigmoid(alpha: 0.3, beta: 0.4)), unary(.hardSwish, -5, 5),
    unary(.leakyRelu(alpha: 0.1)), unary(.log, 0.5, 3), unary(.mish), unary(.negate),
    unary(.reciprocal, 0.5, 2), unary(.relu), unary(.round), unary(.selu(alpha: 1.6, gamma: 1.1)),
    unary(.shrink(bias: 0.2, lambda: 0.5)), unary(.sigmoid), unary(.sign), unary(.sin),
    unary(.sinh), unary(.softplus), unary(.softsign), unary(.sqrt, 0.5, 2),
    unary(.swish(alpha: 1.3)), unary(.tan, -1, 1), unary(.tanh),
    unary(.thresholdedRelu(alpha: 0.5)),
  ].filter { !["Ceil", "Floor", "Round", "Sign"].contains($0.name) }

  @Test("Functions of one element", arguments: functions)
  func function(_ gradient: GradientCase) throws { try gradient.check() }

  @Test("Steps have no gradient", arguments: [Unary.Function.ceil, .floor, .round, .sign])
  func steps(_ function: Unary.Function) throws {
    let sum = GradientCase("sum") {
      let x = $0.variable([5])
      return $0.node(Binary(.add), x, $0.node(Unary(function), x))
    }
    try sum.check()
  }

  private static func binary(
    _ function: Binary.Function, _ left: [Int], _ right: [Int], _ low: Double = -1
  ) -> GradientCase {
    GradientCase("\(Binary(function).kind) \(left) \(right)") {
      $0.node(Binary(function), $0.variable(left, low, 2), $0.variable(right, low, 2))
    }
  }

  private static let binaries: [GradientCase] =
    [
      ([2, 3], [2, 3]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1], [1, 3]), ([], [2, 3]),
      ([2, 3, 2], [3, 1]), ([1], [2]),
    ].flatMap { left, right in
      [
        binary(.add, left, right), binary(.subtract, left, right), binary(.multiply, left, right),
        binary(.divide, left, right, 0.5), binary(.power, left, right, 0.5),
      ]
    } + [
      binary(.prelu, [2, 3, 2], [3, 1]), binary(.prelu, [2, 3], [2, 3]),
      binary(.prelu, [2, 3], [1]),
    ]

  @Test("Functions of two elements, broadcast", arguments: binaries)
  func function2(_ gradient: GradientCase) throws { try gradient.check() }

  @Test("Powers with constant exponents also of negative numbers", arguments: [0, 1, 2, 3, -1])
  func powers(_ exponent: Double) throws {
    let power = GradientCase("power") {
      let x = $0.variable([4])
      let raised = $0.node(Binary(.power), x, $0.constant(Tensor(scalar: exponent)))
      return $0.node(Binary(.add), raised, x)
    }
    try power.check()
  }

  @Test("The slope of the square is 0 at 0, that of a power with exponent 0 everywhere")
  func powersAtZero() throws {
    for exponent in [0.0, 2.0] {
      var network = Network(seed: 1)
      let x = network.variable(Tensor([0.0, 3.0], shape: [2]))
      let e = network.constant(Tensor([exponent, exponent], shape: [2]))
      let y = network.node(Binary(.power), x, e)
      let loss = network.node(Reduce(.sum, keepsDimensions: false), y)
      var (graph, gradients) = try network.graph.addingGradients(of: loss, withRespectTo: [x])
      graph.setOutputs([try #require(gradients[x])])
      let result = try Interpreter(graph).run(network.inputs)[0]
      #expect(result == Tensor([0.0, exponent * 3], shape: [2]))
    }
  }

  private static let sums: [GradientCase] =
    [Variadic.Function.sum, .mean, .minimum, .maximum].flatMap { function in
      [[[2, 3]], [[2, 3], [3]], [[2, 3], [1, 3], [2, 1], []]].map { shapes in
        GradientCase("\(function.rawValue) of \(shapes)") { network in
          let inputs = shapes.map { network.variable($0) }
          return network.nodes(Variadic(function), inputs, 1)[0]
        }
      }
    }

  @Test("Functions of many tensors", arguments: sums)
  func variadic(_ gradient: GradientCase) throws { try gradient.check() }

  @Test("Equal greatest inputs share the gradient")
  func ties() throws {
    var network = Network(seed: 1)
    let a = network.variable(Tensor([1.0, 5.0], shape: [2]))
    let b = network.variable(Tensor([1.0, 2.0], shape: [2]))
    let y = network.node(Variadic(.maximum), a, b)
    let loss = network.node(Reduce(.sum, keepsDimensions: false), y)
    var (graph, gradients) = try network.graph.addingGradients(of: loss, withRespectTo: [a, b])
    graph.setOutputs([try #require(gradients[a]), try #require(gradients[b])])
    let results = try Interpreter(graph).run(network.inputs)
    #expect(results[0] == Tensor([0.5, 1.0], shape: [2]))
    #expect(results[1] == Tensor([0.5, 0.0], shape: [2]))
  }

  static let others: [GradientCase] = [
    GradientCase("clip") {
      let bounds = ($0.constant([], -0.5, -0.5), $0.constant([], 0.4, 0.4))
      return $0.node(Clip(), $0.variable([4, 5]), bounds.0, bounds.1)
    },
    GradientCase("clip from above only") {
      $0.node(Clip(), $0.variable([4, 5]), nil, $0.constant([], 0.4, 0.4))
    },
    GradientCase("clip with trained bounds") {
      let bounds = ($0.variable([], -0.5, -0.4), $0.variable([1], 0.4, 0.5))
      return $0.node(Clip(), $0.variable([4, 5]), bounds.0, bounds.1)
    },
    GradientCase("where") {
      let mask = Tensor(integers: [1, 0, 1], shape: [3], elementType: .bool)
      return $0.node(Where(), $0.constant(mask), $0.variable([2, 3]), $0.variable([2, 1]))
    },
    GradientCase("identity, dropout of inference and a cast to the same type") {
      let x = $0.node(Dropout(), $0.node(Identity(), $0.variable([3])))
      return $0.node(Cast(to: .float64), x)
    },
    GradientCase("random dropout") {
      let x = $0.variable([4, 6])
      return $0.node(
        RandomDropout(ratio: 0.4, stream: 3), x, $0.constant(Tensor(scalar: Int64(9))))
    },
  ]

  @Test("Bounds, masks and dropout", arguments: others)
  func other(_ gradient: GradientCase) throws { try gradient.check() }
}
