// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import TensorCore
import Testing

extension Graph {
  /// A graph made step by step; `body` returns the outputs.
  static func made(opset: Int = 17, _ body: (inout Graph) -> [ValueID]) -> Graph {
    var graph = Graph(metadata: GraphMetadata(opset: opset))
    for output in body(&graph) { graph.markOutput(output) }
    graph.inferTypes()
    return graph
  }

  mutating func input(
    _ shape: [Int], _ elementType: ElementType = .float32, name: String = "x"
  ) -> ValueID {
    addInput(name: name, type: TensorType(elementType, shape: shape))
  }

  mutating func constant(_ values: [Float], _ shape: [Int]? = nil, _ name: String = "c") -> ValueID
  {
    addConstant(Tensor(values, shape: shape ?? [values.count]), name: name)
  }

  mutating func scalar(_ value: Float) -> ValueID { constant([value], []) }

  mutating func integers(_ values: [Int64], _ name: String = "integers") -> ValueID {
    addConstant(Tensor(values, shape: [values.count]), name: name)
  }

  /// Numbers spread over −1..<1.
  mutating func random(_ shape: [Int], seed: UInt64, _ name: String = "w") -> ValueID {
    addConstant(.random(shape, seed: seed), name: name)
  }

  /// Numbers spread over 0.5..<1.5, for variances and scales.
  mutating func positive(_ count: Int, seed: UInt64, _ name: String = "p") -> ValueID {
    let values = Tensor.random([count], seed: seed).floats().map { 1 + $0 / 2 }
    return constant(values, nil, name)
  }

  /// Adds a node with one output named after it.
  mutating func node(_ op: any Op, _ inputs: ValueID?..., name: String = "") -> ValueID {
    let title = name.isEmpty ? op.kind.lowercased() : name
    return addNode(op, name: title, inputs: inputs, outputNames: [title])[0]
  }

  /// A batch normalization with seeded statistics.
  mutating func normalization(_ value: ValueID, channels: Int, seed: UInt64) -> ValueID {
    node(
      BatchNormalization(), value, positive(channels, seed: seed, "scale"),
      random([channels], seed: seed + 1, "shift"), random([channels], seed: seed + 2, "mean"),
      positive(channels, seed: seed + 3, "variance"))
  }

  /// `DequantizeLinear` with one scale.
  mutating func dequantized(
    _ value: ValueID, scale: Float, zeroPoint: Int64 = 0, _ type: ElementType = .int8,
    name: String = "dq"
  ) -> ValueID {
    node(
      DequantizeLinear(), value, scalar(scale),
      addConstant(Tensor(integers: [zeroPoint], shape: [], elementType: type), name: "zero"),
      name: name)
  }

  /// `QuantizeLinear` with one scale.
  mutating func quantized(
    _ value: ValueID, scale: Float, zeroPoint: Int64 = 0, _ type: ElementType = .int8,
    name: String = "q"
  ) -> ValueID {
    node(
      QuantizeLinear(), value, scalar(scale),
      addConstant(Tensor(integers: [zeroPoint], shape: [], elementType: type), name: "zero"),
      name: name)
  }

  /// A quantized weight with a scale for each index of its first axis, dequantized.
  mutating func weight(_ shape: [Int], seed: UInt64) -> ValueID {
    let codes = Tensor.random(shape, seed: seed).reals().map { Int64(($0 * 127).rounded()) }
    let scales = Tensor.random([shape[0]], seed: seed + 1).floats().map { 0.01 + abs($0) / 50 }
    return node(
      DequantizeLinear(axis: 0),
      addConstant(Tensor(integers: codes, shape: shape, elementType: .int8), name: "codes"),
      constant(scales, nil, "scales"), name: "weight")
  }

  var kinds: [String] { nodes.map(\.op.kind) }
}

extension Tensor {
  static func random(_ shape: [Int], seed: UInt64) -> Tensor {
    var source = RandomSource(seed: seed)
    let values = (0..<shape.reduce(1, *)).map { _ in Float(source.nextUniform() * 2 - 1) }
    return Tensor(values, shape: shape)
  }
}

/// Runs passes and checks that the outputs, and their names, stay what they were.
///
/// - Parameter tolerance: Of the largest absolute output. Folding computes in `Double` and rounds
///   once, so each weight differs by half an ulp (2⁻²⁵ relative) and sums of up to a few hundred
///   products by well under 1e-5.
/// - Returns: The rewritten graph.
func rewritten(
  _ graph: Graph, by passes: any GraphPass..., tolerance: Double = 1e-5,
  inputs: [String: Tensor]? = nil, sourceLocation: SourceLocation = #_sourceLocation
) throws -> Graph {
  let pipeline = PassPipeline(passes.map { PassPipeline.Step($0, "") })
  return try rewritten(
    graph, by: pipeline, tolerance: tolerance, inputs: inputs, sourceLocation: sourceLocation)
}

func rewritten(
  _ graph: Graph, by pipeline: PassPipeline, tolerance: Double = 1e-5,
  inputs: [String: Tensor]? = nil, sourceLocation: SourceLocation = #_sourceLocation
) throws -> Graph {
  let result = try pipeline.run(graph).graph
  #expect(
    result.outputs.map { result[$0].name } == graph.outputs.map { graph[$0].name },
    sourceLocation: sourceLocation)
  var given = inputs ?? [:]
  for (position, input) in graph.inputs.enumerated() where given[graph[input].name] == nil {
    let type = try #require(graph[input].type, sourceLocation: sourceLocation)
    let shape = try #require(type.dimensions, sourceLocation: sourceLocation).map { $0.value ?? 2 }
    let random = Tensor.random(shape, seed: UInt64(position) + 99)
    given[graph[input].name] =
      type.elementType.isFloatingPoint
      ? random.converted(to: type.elementType)
      : Tensor(
        reals: random.reals().map { $0 * 100 }, shape: shape, elementType: type.elementType)
  }
  let before = try Interpreter(graph).run(given)
  let after = try Interpreter(result).run(given)
  for (old, new) in zip(before, after) {
    #expect(old.shape == new.shape, sourceLocation: sourceLocation)
    #expect(old.elementType == new.elementType, sourceLocation: sourceLocation)
    let largest = old.reals().map { abs($0) }.max() ?? 0
    let worst = zip(old.reals(), new.reals()).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= tolerance * largest, sourceLocation: sourceLocation)
  }
  return result
}
