// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

@Suite("Adder convolutions run on kernels of their own")
struct AdderConvolutionTests {
  static let cases: [(AdderConv, x: [Int], w: [Int])] = [
    (AdderConv(padding: .explicit([1, 1, 1, 1])), [2, 16, 9, 7], [32, 16, 3, 3]),
    (AdderConv(strides: [2, 2], padding: .sameUpper), [1, 5, 8, 8], [3, 5, 3, 3]),
    (AdderConv(strides: [2, 1]), [3, 8, 6, 5], [20, 8, 1, 2]),
  ]

  @Test("As the operator is defined, on any number of threads", arguments: cases.indices)
  func inference(_ index: Int) throws {
    let (op, x, w) = Self.cases[index]
    var oracle = Oracle(seed: 91)
    let (graph, feeds) = Oracle.graph(
      op, inputs: [("x", oracle.reals(x)), (nil, oracle.reals(w))])
    // Sums of up to 144 terms of one sign, each rounded to f32.
    let tolerance = 145 * 0x1p-24
    #expect(try Oracle.difference(graph, feeds, threads: 1) <= tolerance)
    #expect(try Oracle.difference(graph, feeds, threads: 2) <= tolerance)
    #expect(try Oracle.implementations(graph).contains("swiftlet"))
    #expect(try !Oracle.implementations(graph).contains("reference"))
  }

  @Test("Weights that are computed, and inputs that are no images, run on the definition")
  func others() throws {
    var oracle = Oracle(seed: 92)
    let (computed, feeds) = Oracle.graph(
      AdderConv(), inputs: [("x", oracle.reals([1, 2, 4, 4])), ("w", oracle.reals([3, 2, 3, 3]))])
    #expect(try Oracle.difference(computed, feeds) <= 0x1p-20)
    let (line, lineFeeds) = Oracle.graph(
      AdderConv(), inputs: [("x", oracle.reals([1, 2, 9])), (nil, oracle.reals([3, 2, 3]))])
    #expect(try Oracle.difference(line, lineFeeds) <= 0x1p-20)
  }

  /// A step that computes a layer and both its gradients.
  private func step(_ op: AdderConv, x: [Int], w: [Int], initial: Tensor) throws -> TrainingStep {
    var graph = Graph()
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: x))
    let weight = graph.addInput(name: "w", type: TensorType(.float32, shape: w))
    let y = graph.addNode(op, name: "y", inputs: [input, weight], outputNames: ["y"])[0]
    graph.inferTypes()
    let shape = try #require(graph.type(y)?.shape)
    let dY = graph.addInput(name: "dY", type: TensorType(.float32, shape: shape))
    let dX = graph.addNode(
      AdderConvInputGradient(of: op), name: "dX", inputs: [dY, input, weight],
      outputNames: ["dX"])[0]
    let dW = graph.addNode(
      AdderConvWeightGradient(of: op), name: "dW", inputs: [dY, input, weight],
      outputNames: ["dW"])[0]
    for output in [y, dX, dW] { graph.markOutput(output) }
    graph.inferTypes()
    return TrainingStep(
      graph: graph,
      variables: [TrainingVariable(name: "w", input: weight, output: nil, initial: initial)])
  }

  @Test("Forward and gradients of a training step, the same bytes on any number of threads")
  func training() throws {
    let op = AdderConv(strides: [2, 1], padding: .explicit([1, 1, 1, 1]))
    let x = [16, 5, 6, 7], w = [9, 5, 3, 3]
    var oracle = Oracle(seed: 93)
    let weights = oracle.reals(w)
    let step = try step(op, x: x, w: w, initial: weights)
    let shape = try #require(step.graph.type(step.graph.outputs[0])?.shape)
    let feeds = ["x": oracle.reals(x), "dY": oracle.reals(shape)]
    let expected = try Interpreter(step.graph).run(feeds.merging(["w": weights]) { $1 })
    var first: [String: Tensor] = [:]
    for threads in [1, 2] {
      let program = try TrainingProgram(
        step, store: VariableStore(), options: TrainingOptions(threads: threads))
      let results = try program.run(feeds)
      for (name, exact) in zip(["y", "dX", "dW"], expected) {
        let found = try #require(results[name])
        #expect(found.shape == exact.shape)
        let largest = exact.floats().map { abs($0) }.max() ?? 0
        let worst = zip(found.floats(), exact.floats()).map { abs($0 - $1) }.max() ?? 0
        // 45 terms of a window, 81 of an input, 16 · 3 · 7 of a weight, each up to 16 · ‖result‖ for
        // lack of cancellation.
        #expect(worst <= largest * 336 * 16 * 0x1p-24, "\(name)")
      }
      if first.isEmpty { first = results }
      #expect(first == results)
    }
  }
}
