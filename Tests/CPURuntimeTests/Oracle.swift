// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

/// Random tensors and graphs of one node, checked against the reference interpreter.
struct Oracle {
  var random: RandomSource

  init(seed: UInt64) { random = RandomSource(seed: seed) }

  mutating func reals(_ shape: [Int], in range: ClosedRange<Double> = -2...2) -> Tensor {
    let width = range.upperBound - range.lowerBound
    let values = (0..<shape.reduce(1, *)).map { _ in
      Float(range.lowerBound + width * random.nextUniform())
    }
    return Tensor(values, shape: shape)
  }

  mutating func codes(_ shape: [Int], _ type: ElementType) -> Tensor {
    let range = type.integerRange ?? 0...1
    let count = Int(range.upperBound - range.lowerBound + 1)
    let values = (0..<shape.reduce(1, *)).map { _ in
      range.lowerBound + Int64(random.nextIndex(below: count))
    }
    return Tensor(integers: values, shape: shape, elementType: type)
  }

  /// A graph of one node; tensors without a name are constants.
  static func graph(_ op: any Op, inputs: [(name: String?, tensor: Tensor?)]) -> (
    Graph, [String: Tensor]
  ) {
    var graph = Graph()
    var feeds: [String: Tensor] = [:]
    var values: [ValueID?] = []
    for (index, input) in inputs.enumerated() {
      guard let tensor = input.tensor else {
        values.append(nil)
        continue
      }
      if let name = input.name {
        let type = TensorType(tensor.elementType, shape: tensor.shape)
        values.append(graph.addInput(name: name, type: type))
        feeds[name] = tensor
      } else {
        values.append(graph.addConstant(tensor, name: "constant\(index)"))
      }
    }
    let outputs = graph.addNode(op, name: "node", inputs: values, outputNames: ["y"])
    graph.markOutput(outputs[0])
    graph.inferTypes()
    return (graph, feeds)
  }

  /// Largest difference between the compiled graph and the interpreter over all outputs,
  /// relative to the largest expected element (reals) or in steps (codes).
  static func difference(
    _ graph: Graph, _ feeds: [String: Tensor], threads: Int = 2, precision: Precision = .int8
  ) throws -> Double {
    let want = try Interpreter(graph).run(feeds)
    let model = try CompiledModel(
      graph, options: CompileOptions(threads: threads, precision: precision))
    let got = try model.run(feeds)
    try #require(want.count == got.count)
    var worst = 0.0
    for (expected, actual) in zip(want, got) {
      try #require(expected.shape == actual.shape)
      try #require(expected.elementType == actual.elementType)
      let pairs = zip(expected.reals(), actual.reals())
      let largest = pairs.map { abs($0 - $1) }.max() ?? 0
      let unit =
        expected.elementType.isFloatingPoint
        ? max(expected.reals().map { abs($0) }.max() ?? 1, 1e-6) : 1
      worst = max(worst, largest / unit)
    }
    return worst
  }

  /// Names of the implementations that a compiled graph uses.
  static func implementations(
    _ graph: Graph, precision: Precision = .int8
  ) throws -> [String] {
    try CompiledModel(graph, options: CompileOptions(threads: 1, precision: precision))
      .steps.map(\.implementation)
  }
}
