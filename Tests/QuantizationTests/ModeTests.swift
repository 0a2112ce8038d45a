// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import Quantization
import TensorCore
import Testing

@Suite("Modes of quantization")
struct ModeTests {
  private func network() -> (Graph, NetworkBuilder) {
    var builder = NetworkBuilder(seed: 21)
    let first = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 8)])
    let second = builder.add(Unary(.relu), [builder.conv(first, 8, 8, group: 8)])
    let flat = builder.add(Flatten(), [builder.add(GlobalPool(.average), [second])])
    let constants = [builder.tensor([5, 8]), builder.tensor([5])]
    let product = builder.add(Gemm(transposesB: true), [flat], constants: constants)
    return (builder.finished(product), builder)
  }

  @Test(
    "Every mode computes nearly the same as the float network",
    arguments: QuantizationOptions.Mode.allCases)
  func accuracy(mode: QuantizationOptions.Mode) throws {
    let (graph, builder) = network()
    let result = try Quantizer.quantize(
      graph, calibration: builder.samples(), options: QuantizationOptions(mode: mode),
      makeExecutor: interpret)
    try Verifier.verify(result.graph)
    let input = try builder.samples().batch(0)
    var ratio = SignalToNoise()
    ratio.add(
      try Interpreter(graph).run(input)[0], try Interpreter(result.graph).run(input)[0])
    // 8 bits give some 40 dB a layer, bfloat16 weights 8 significant bits.
    #expect(try #require(ratio.decibels) > 30)
    let output = result.graph[result.graph.outputs[0]]
    #expect(output.name == graph[graph.outputs[0]].name)
    #expect(output.type?.elementType == .float32)
  }

  @Test("Weight-only quantization touches no activation")
  func weightOnly() throws {
    let (graph, builder) = network()
    let result = try Quantizer.quantize(
      graph, calibration: builder.samples(), options: QuantizationOptions(mode: .weightOnly),
      makeExecutor: interpret)
    #expect(result.graph.quantizedNames.isEmpty)
    #expect(result.graph.nodes.filter { $0.op is DequantizeLinear }.count == 3)
    #expect(result.report.layers.map(\.kind) == ["Conv", "Conv", "Gemm"])
  }

  @Test("Dynamic quantization runs its products on integers")
  func dynamic() throws {
    let (graph, builder) = network()
    let result = try Quantizer.quantize(
      graph, calibration: builder.samples(), options: QuantizationOptions(mode: .dynamic),
      makeExecutor: interpret)
    let kinds = result.graph.nodes.map(\.op.kind)
    #expect(kinds.filter { $0 == "ConvInteger" }.count == 2)
    #expect(kinds.filter { $0 == "MatMulInteger" }.count == 1)
    #expect(kinds.filter { $0 == "DynamicQuantizeLinear" }.count == 3)
  }

  @Test("Half precision stores no float32 weights and keeps the types of inputs and outputs")
  func halfPrecision() throws {
    let (graph, builder) = network()
    let result = try Quantizer.quantize(
      graph, calibration: builder.samples(), options: QuantizationOptions(mode: .float16),
      makeExecutor: interpret)
    let used = result.graph.nodes.flatMap { $0.inputs.compactMap { $0 } }
    let types = used.compactMap { result.graph.constant($0)?.elementType }
    #expect(!types.contains(.float32))
    #expect(types.contains(.float16))
  }

  @Test("The report names the layers, what they kept, and how much of the work is in integers")
  func report() throws {
    let (graph, builder) = network()
    let report = try Quantizer.quantize(
      graph, calibration: builder.samples(), options: QuantizationOptions(),
      makeExecutor: interpret
    ).report
    #expect(report.layers.map(\.kind) == ["Conv", "Conv", "Gemm"])
    #expect(report.layers.allSatisfy { ($0.outputDecibels ?? 0) > 20 && $0.shareKept > 0.9 })
    #expect(report.layers.allSatisfy { $0.activationHistogram?.counts.count == 64 })
    #expect(report.integerMultiplyAccumulates == report.multiplyAccumulates)
    #expect(report.multiplyAccumulates > 0)
    #expect(report.comparedSamples == 6)
  }

  @Test("The same request gives the same network")
  func determinism() throws {
    let (graph, builder) = network()
    let graphs = try (0..<2).map { _ in
      try Quantizer.quantize(
        graph, calibration: builder.samples(), options: QuantizationOptions(),
        makeExecutor: interpret
      ).graph
    }
    let constants = graphs.map { graph in graph.valueIDs.map { graph.constant($0) } }
    #expect(constants[0] == constants[1])
  }
}
