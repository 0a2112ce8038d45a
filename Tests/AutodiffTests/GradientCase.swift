// SPDX-License-Identifier: Apache-2.0
import Autodiff
import GraphIR
import TensorCore
import Testing

/// A graph in double precision whose gradients are checked, and the values of its inputs.
struct Network {
  var graph = Graph(name: "case")
  private(set) var inputs: [String: Tensor] = [:]
  private var seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  /// An input to differentiate by, with numbers spread over `low..<high` at random.
  mutating func variable(_ shape: [Int], _ low: Double = -1, _ high: Double = 1) -> ValueID {
    variable(tensor(shape, low, high))
  }

  mutating func variable(_ tensor: Tensor) -> ValueID {
    let name = "x\(graph.inputs.count)"
    inputs[name] = tensor
    return graph.addInput(
      name: name, type: TensorType(tensor.elementType, shape: tensor.shape))
  }

  mutating func constant(_ shape: [Int], _ low: Double = -1, _ high: Double = 1) -> ValueID {
    graph.addConstant(tensor(shape, low, high), name: "constant")
  }

  mutating func constant(_ tensor: Tensor) -> ValueID {
    graph.addConstant(tensor, name: "constant")
  }

  mutating func list(_ numbers: Int64...) -> ValueID {
    graph.addConstant(Tensor(numbers, shape: [numbers.count]), name: "list")
  }

  mutating func tensor(_ shape: [Int], _ low: Double, _ high: Double) -> Tensor {
    seed &+= 1
    var source = RandomSource(seed: seed)
    let numbers = (0..<shape.reduce(1, *)).map { _ in low + (high - low) * source.nextUniform() }
    return Tensor(numbers, shape: shape)
  }

  mutating func node(_ op: any Op, _ inputs: ValueID?...) -> ValueID {
    graph.addNode(op, name: op.kind, inputs: inputs, outputNames: ["y"])[0]
  }

  mutating func nodes(_ op: any Op, _ inputs: [ValueID?], _ count: Int) -> [ValueID] {
    graph.addNode(
      op, name: op.kind, inputs: inputs, outputNames: (0..<count).map { "y\($0)" })
  }
}

/// One gradient to check: a network that ends in a value, of which a weighted sum is the loss.
struct GradientCase: Sendable, CustomTestStringConvertible {
  var name: String
  var build: @Sendable (inout Network) -> ValueID

  init(_ name: String, _ build: @escaping @Sendable (inout Network) -> ValueID) {
    self.name = name
    self.build = build
  }

  var testDescription: String { name }

  /// Compares the gradient of every floating-point input with central differences.
  ///
  /// With steps of h = 2⁻¹⁷ ≈ 8e-6, the truncation error is h²/6 ≈ 1e-11 times the third derivative,
  /// and the rounding error of a loss of size L is 2⁻⁵³ L / h ≈ 1e-11 L. Third derivatives in these
  /// cases stay below 10³ and losses below 10², so 1e-7, plus as much of the gradient, leaves a
  /// factor of ten; a wrong rule is off by far more.
  func check(seed: UInt64 = 7, sourceLocation: SourceLocation = #_sourceLocation) throws {
    var network = Network(seed: seed)
    let result = build(&network)
    network.graph.inferTypes()
    let shape = try #require(network.graph[result].type?.shape, sourceLocation: sourceLocation)
    let weights = network.constant(shape, 0.5, 1.5)
    let weighted = network.node(Binary(.multiply), result, weights)
    let loss = network.node(Reduce(.sum, keepsDimensions: false), weighted)
    network.graph.inferTypes()
    let wanted = network.graph.inputs.filter {
      network.graph[$0].type?.elementType == .float64
    }
    let (graph, gradients) = try network.graph.addingGradients(
      of: loss, withRespectTo: wanted)
    var backward = graph
    backward.setOutputs(wanted.compactMap { gradients[$0] })
    #expect(backward.outputs.count == wanted.count, sourceLocation: sourceLocation)
    try Verifier.verify(backward)
    let found = try Interpreter(backward).run(network.inputs)
    var forward = network.graph
    forward.setOutputs([loss])
    let interpreter = Interpreter(forward)
    for (input, gradient) in zip(wanted, found) {
      let name = graph[input].name
      let value = try #require(network.inputs[name], sourceLocation: sourceLocation)
      #expect(gradient.shape == value.shape, sourceLocation: sourceLocation)
      #expect(
        graph[try #require(gradients[input])].type?.shape == value.shape,
        "the inferred shape", sourceLocation: sourceLocation)
      let numbers = value.elements(as: Double.self)
      let slopes = gradient.elements(as: Double.self)
      // At most 24 elements of each input, spread over it.
      for index in stride(from: 0, to: numbers.count, by: max(1, numbers.count / 24)) {
        let step = 0x1p-17
        let losses = try [step, -step].map { move in
          var moved = numbers
          moved[index] += move
          var inputs = network.inputs
          inputs[name] = Tensor(moved, shape: value.shape)
          return try interpreter.run(inputs)[0].elements(as: Double.self)[0]
        }
        let expected = (losses[0] - losses[1]) / (2 * step)
        let isClose = abs(slopes[index] - expected) <= 1e-7 * (1 + abs(expected))
        #expect(
          isClose,
          "\(name)[\(index)]: \(slopes[index]), differences give \(expected), seed \(seed)",
          sourceLocation: sourceLocation)
      }
    }
  }
}
