// SPDX-License-Identifier: Apache-2.0
import Autodiff
import Foundation
import GraphIR
import TensorCore
import Testing

@Suite("Gradient building adds only what is needed, and says what it cannot do")
struct GradientBuildingTests {
  @Test("Branches that the loss or the parameters do not reach get no nodes")
  func deadBranches() throws {
    var network = Network(seed: 1)
    let x = network.variable([2, 3])
    let w = network.variable([3, 2])
    let product = network.node(MatMul(), x, w)
    let frozen = network.node(Unary(.exp), x)
    let sum = network.node(Binary(.add), product, network.node(MatMul(), frozen, w))
    _ = network.node(Unary(.tan), sum)
    let loss = network.node(Reduce(.sum, keepsDimensions: false), sum)
    let (graph, gradients) = try network.graph.addingGradients(of: loss, withRespectTo: [w])
    let added = graph.nodes.dropFirst(network.graph.nodes.count).map(\.op.kind)
    #expect(added.sorted() == ["Add", "Expand", "Gemm", "Gemm"])
    #expect(gradients.count == 1)
    #expect(graph.inputs == network.graph.inputs)
  }

  @Test("Two contributions are added, more are summed")
  func contributions() throws {
    var network = Network(seed: 1)
    let x = network.variable([])
    let functions = [Unary.Function.exp, .sin, .cos].map { network.node(Unary($0), x) }
    let loss = network.nodes(Variadic(.sum), functions, 1)[0]
    let (graph, _) = try network.graph.addingGradients(of: loss, withRespectTo: [x])
    #expect(graph.nodes.last?.op.kind == "Sum")
  }

  @Test("A normalization's gradient takes two contributions as they are")
  func residual() throws {
    var network = Network(seed: 3)
    let x = network.variable([4, 2])
    let statistics = (network.constant([2]), network.constant([2], 0.5, 1))
    let normal = network.nodes(
      BatchStatisticsNormalization(activation: .relu),
      [x, network.variable([2], 0.5, 1), network.variable([2]), statistics.0, statistics.1], 5)[0]
    let sum = network.node(Binary(.add), normal, network.node(Unary(.exp), normal))
    let loss = network.node(Reduce(.sum, keepsDimensions: false), sum)
    let (graph, _) = try network.graph.addingGradients(of: loss, withRespectTo: [x])
    let added = graph.nodes.dropFirst(network.graph.nodes.count)
    #expect(!added.contains { $0.op is Binary })
    let last = try #require(added.last)
    #expect(last.op is BatchStatisticsNormalizationGradient)
    #expect(last.inputs[0] != nil && last.inputs[1] != nil)
    let case_ = GradientCase("residual") {
      let x = $0.variable([4, 2])
      let inputs = [
        x, $0.variable([2], 0.5, 1), $0.variable([2]), $0.constant([2]), $0.constant([2], 0.5, 1),
      ]
      let normal = $0.nodes(BatchStatisticsNormalization(activation: .relu), inputs, 5)[0]
      let sum = $0.node(Binary(.add), normal, $0.node(Unary(.exp), normal))
      return $0.node(Binary(.multiply), sum, normal)
    }
    try case_.check()
  }

  @Test("A parameter that the loss does not depend on has no gradient")
  func independent() throws {
    var network = Network(seed: 1)
    let (x, y) = (network.variable([]), network.variable([]))
    let loss = network.node(Unary(.exp), x)
    let (graph, gradients) = try network.graph.addingGradients(of: loss, withRespectTo: [x, y])
    #expect(gradients[x] != nil)
    #expect(gradients[y] == nil)
    #expect(graph.nodes.count == 2)
  }

  @Test("Nothing goes back behind StopGradient")
  func stopped() throws {
    var network = Network(seed: 1)
    let x = network.variable(Tensor(scalar: 3.0))
    let fixed = network.node(StopGradient(), x)
    let loss = network.node(Binary(.multiply), x, fixed)
    var (graph, gradients) = try network.graph.addingGradients(of: loss, withRespectTo: [x])
    graph.setOutputs([loss, try #require(gradients[x])])
    let results = try Interpreter(graph).run(network.inputs)
    #expect(results == [Tensor(scalar: 9.0), Tensor(scalar: 3.0)])
  }

  @Test("A rounding is trained through within its bounds, which belong to the range")
  func straightThrough() throws {
    var network = Network(seed: 1)
    let x = network.variable(Tensor([-2.0, -1, 0.3, 1, 1.5], shape: [5]))
    let y = network.node(
      StraightThrough(lower: -1, upper: 1), x, network.node(Unary(.round), x))
    let loss = network.node(Reduce(.sum, keepsDimensions: false), y)
    var (graph, gradients) = try network.graph.addingGradients(of: loss, withRespectTo: [x])
    graph.setOutputs([y, try #require(gradients[x])])
    let results = try Interpreter(graph).run(network.inputs)
    #expect(results[0] == Tensor([-2.0, -1, 0, 1, 2], shape: [5]))
    #expect(results[1] == Tensor([0.0, 1, 1, 1, 0], shape: [5]))
  }

  @Test("A symbolic batch stays symbolic, and the gradients are those of the batch at hand")
  func symbolic() throws {
    var graph = Graph(name: "symbolic")
    let x = graph.addInput(name: "x", type: TensorType(.float64, [.symbol("N"), .fixed(3)]))
    let w = graph.addInput(name: "w", type: TensorType(.float64, shape: [3, 2]))
    let product = graph.addNode(MatMul(), inputs: [x, w], outputNames: ["product"])
    let loss = graph.addNode(
      Reduce(.mean, keepsDimensions: false), inputs: product, outputNames: ["loss"])[0]
    var (whole, gradients) = try graph.addingGradients(of: loss, withRespectTo: [x, w])
    #expect(whole[try #require(gradients[x])].type?.dimensions == [.symbol("N"), .fixed(3)])
    whole.setOutputs([try #require(gradients[w])])
    let results = try Interpreter(whole).run([
      "x": Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3]),
      "w": Tensor(zerosOf: .float64, shape: [3, 2]),
    ])
    // The mean of four elements; each weight meets a column of x.
    #expect(results[0] == Tensor([1.25, 1.25, 1.75, 1.75, 2.25, 2.25], shape: [3, 2]))
  }

  @Test("An operator without a rule is named, with its node and those that have one")
  func noRule() throws {
    var network = Network(seed: 1)
    let x = network.variable([1, 2, 2])
    let y = network.node(LocalResponseNormalization(size: 1), x)
    let loss = network.node(Reduce(.sum, keepsDimensions: false), y)
    let error = #expect(throws: AutodiffError.self) {
      try network.graph.addingGradients(of: loss, withRespectTo: [x])
    }
    guard case .noRule(node: "LRN", kind: "LRN", let known) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(known.contains("Conv") && known.contains("Softmax"))
    #expect("\(try #require(error))".contains("LRN has no gradient rule"))
  }

  @Test("Losses that are no scalar, and parameters of integers, are refused")
  func refused() throws {
    var network = Network(seed: 1)
    let x = network.variable([2])
    let y = network.node(Unary(.exp), x)
    let count = network.variable(Tensor([Int64(1)], shape: [1]))
    network.graph.inferTypes()
    #expect(
      throws: AutodiffError.lossIsNoScalar(value: network.graph[y].name, found: "float64 2")
    ) { try network.graph.addingGradients(of: y, withRespectTo: [x]) }
    #expect(throws: AutodiffError.notFloatingPoint(value: "x1", found: "int64 1")) {
      try network.graph.addingGradients(of: y, withRespectTo: [count])
    }
  }

  @Test("Products over axes, padding by reflection and unknown axes are refused by name")
  func refusedAttributes() throws {
    let cases: [@Sendable (inout Network, ValueID) -> ValueID] = [
      { $0.node(Reduce(.product), $1) }, { $0.node(Pad(mode: .reflect), $1, $0.list(1, 1)) },
      {
        let axes = $0.graph.addInput(name: "axes", type: TensorType(.int64, shape: [1]))
        return $0.node(Reduce(.sum), $1, axes)
      },
    ]
    for build in cases {
      var network = Network(seed: 1)
      let x = network.variable([3])
      let loss = network.node(
        Reduce(.sum, keepsDimensions: false), build(&network, x))
      let error = #expect(throws: AutodiffError.self) {
        try network.graph.addingGradients(of: loss, withRespectTo: [x])
      }
      #expect(error.map { "\($0)".contains("node \"") } == true)
    }
  }

  @Test("The losses are what their names say, and have gradients")
  func losses() throws {
    var network = Network(seed: 1)
    let a = network.variable(Tensor([1.0, 2, 3, 5], shape: [2, 2]))
    let b = network.variable(Tensor([1.0, 4, 0, 5], shape: [2, 2]))
    let error = network.graph.addMeanSquaredError(prediction: a, target: b, name: "mse")
    let divergence = network.graph.addKullbackLeibler(
      student: a, teacher: b, temperature: 2, name: "kl")
    network.graph.setOutputs([error, divergence])
    let results = try Interpreter(network.graph).run(network.inputs)
    #expect(results[0] == Tensor(scalar: 13.0 / 4))
    #expect(network.graph[error].name == "mse" && network.graph[divergence].name == "kl")
    // Rows of two logits are decided by their difference d: p = 1 / (1 + exp(−d / 2)).
    func share(_ d: Double) -> Double { 1 / (1 + exp(-d / 2)) }
    func distance(teacher t: Double, student s: Double) -> Double {
      let on = t * log(t / s)
      let off = (1 - t) * log((1 - t) / (1 - s))
      return on + off
    }
    // Differences of student and teacher: 1 and 3 in the first row, 2 and 5 in the second.
    let expected: [Double] = [
      distance(teacher: share(3), student: share(1)),
      distance(teacher: share(5), student: share(2)),
    ]
    let found = results[1].elements(as: Double.self)[0]
    // A dozen operations of half an ulp each.
    #expect(abs(found - 4 * (expected[0] + expected[1]) / 2) < 1e-14)
    let check = GradientCase("divergence") {
      let student = $0.variable([3, 4], -2, 2)
      let teacher = $0.constant([3, 4], -2, 2)
      return $0.graph.addKullbackLeibler(student: student, teacher: teacher, temperature: 3)
    }
    try check.check()
  }

  @Test("Recomputed nodes give identical gradients, and stand just before their first use")
  func recomputation() throws {
    var network = Network(seed: 5)
    let x = network.variable([3, 4])
    let step = network.constant(Tensor(scalar: Int64(4)))
    let first = network.node(Unary(.sin), x)
    let dropped = network.node(RandomDropout(ratio: 0.5, stream: 1), first, step)
    let second = network.node(Unary(.exp), dropped)
    let third = network.node(Unary(.tanh), second)
    let loss = network.node(Reduce(.sum, keepsDimensions: false), third)
    let count = network.graph.nodes.count
    var (graph, gradients) = try network.graph.addingGradients(of: loss, withRespectTo: [x])
    graph.setOutputs([loss, try #require(gradients[x])])
    let again = graph.withRecomputation(
      of: { $0.op.kind != "ReduceSum" && $0.op.kind != "Tanh" }, forwardNodeCount: count)
    try Verifier.verify(again)
    #expect(again.nodes.count == graph.nodes.count + 3)
    let copies = again.nodes.dropFirst(count).prefix { $0.op.kind != "UnaryGradient" }
    #expect(copies.map(\.op.kind) == ["Expand", "Sin", "RandomDropout", "Exp"])
    // No backward node takes a result of a forward node that is recomputed.
    let forgotten = Set(
      again.nodes.prefix(3).flatMap { $0.outputs.compactMap { $0 } })
    for node in again.nodes.dropFirst(count) {
      #expect(forgotten.isDisjoint(with: node.inputs.compactMap { $0 }))
    }
    #expect(
      try Interpreter(again).run(network.inputs) == Interpreter(graph).run(network.inputs))
  }
}
