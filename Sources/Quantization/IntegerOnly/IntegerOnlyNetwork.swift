// SPDX-License-Identifier: Apache-2.0
import CPURuntime
public import CompressionCore
public import GraphIR
import GraphPasses
import Synchronization
public import TensorCore

/// A quantized network run in integers only, from the codes of its input to those of its last
/// layer.
///
/// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", 2018, section 2: products of codes are added up in 32 bits,
/// biases included, and brought to the codes of the result by a fixed-point multiplier; an
/// activation is a limit on codes. Additions follow the source's appendix A.2: both operands are
/// brought to twice the greater scale with 20 bits behind the point. Real numbers occur only where
/// the input is quantized and where scores are read. The reference of such processors; for speed
/// use the compiled network, which multiplies by real scales.
public struct IntegerOnlyNetwork: GraphExecutor {
  private let interpreter: Interpreter
  private let threads: Int

  /// Names of the nodes behind the last integer step that are computed in real numbers.
  public let realNodes: [String]

  /// Number of steps in integers.
  public let stepCount: Int

  /// - Parameters:
  ///   - portable: A quantized network in the portable form.
  ///   - threads: Samples that are run at a time.
  /// - Throws: `QuantizationError.notIntegerOnly` naming the first node that needs real numbers and
  ///   whose result becomes codes again, or that no integer step is known for; `GraphError` or
  ///   `PassError` if the network cannot be prepared.
  public init(_ portable: Graph, threads: Int = 1) throws {
    var graph = try PassPipeline.lowering.run(portable.specialized(batch: 1)).graph
    var nodes = graph.nodes
    var real: Set<ValueID> = []
    var names: [String] = []
    var count = 0
    for position in nodes.indices {
      let node = nodes[position]
      let outputs = node.outputs.compactMap { $0 }
      if let fused = node.op as? Fused, fused.inputCodes.contains(where: { $0 != nil }) {
        let types = node.inputs.map { $0.flatMap { graph.type($0) } }
        nodes[position].op = try IntegerOnlyStep(fused, inputTypes: types, node: node.name)
        count += 1
        continue
      }
      if node.op is QuantizeLinear, let input = node.inputs[0], real.contains(input) {
        throw QuantizationError.notIntegerOnly(
          node: node.name, reason: "it quantizes what was computed in real numbers")
      }
      let isReal = outputs.contains { graph.type($0)?.elementType.isFloatingPoint ?? true }
      guard isReal else { continue }
      if node.op is DequantizeLinear {
        real.formUnion(outputs)
      } else if !Self.onlyMoves(node.op) {
        real.formUnion(outputs)
        names.append(node.name)
      } else if node.inputs.contains(where: { $0.map(real.contains) ?? false }) {
        real.formUnion(outputs)
      }
    }
    graph.setNodes(nodes)
    guard count > 0 else {
      throw QuantizationError.nothingToQuantize(reason: "no node of it works on integer codes")
    }
    interpreter = Interpreter(graph)
    self.threads = threads
    realNodes = names
    stepCount = count
  }

  /// The outputs for batches of any size: samples are run one by one, several at a time.
  public func run(_ inputs: [String: Tensor]) throws -> [Tensor] {
    let samples = inputs.values.first?.shape.first ?? 1
    let results = Mutex<[Int: Result<[Tensor], any Error>]>([:])
    ThreadTeam.forEach(of: samples, threads: threads) { sample in
      let result = Result {
        try interpreter.run(inputs.mapValues { $0.sample(sample, of: samples) })
      }
      results.withLock { $0[sample] = result }
    }
    let found = results.withLock { $0 }
    let bySample = try (0..<samples).compactMap { try found[$0]?.get() }
    return (bySample.first ?? []).indices.map { output in
      Tensor.stacked(bySample.map { $0[output] })
    }
  }

  private static func onlyMoves(_ op: any Op) -> Bool {
    op is Reshape || op is Flatten || op is Transpose || op is Slice || op is Squeeze
      || op is Unsqueeze || op is Identity
  }
}
