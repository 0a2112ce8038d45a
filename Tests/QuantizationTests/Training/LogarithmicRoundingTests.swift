// SPDX-License-Identifier: Apache-2.0
import Autodiff
import CPURuntime
import CompressionCore
import Foundation
import GraphIR
import GraphPasses
import OnnxIO
import Quantization
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Logarithmic rounding")
struct LogarithmicRoundingTests {
  private static let x: [Float] = [0, 0.02, 0.03, 0.1, 0.35, 0.36, 1, 1.4, 1.5, 3, 9]

  private func quantizer(_ values: [String: String] = [:]) throws -> LogarithmicRounding {
    try LogarithmicRounding(options: MethodOptions(values, for: LogarithmicRounding.card))
  }

  private func operand(
    _ role: QuantizedOperand.Role, _ values: [Float], bits: Int, isSigned: Bool
  ) -> QuantizedOperand {
    QuantizedOperand(
      role: role, name: "x", bits: bits, isSigned: isSigned, shape: [values.count],
      channelAxis: nil, observed: values)
  }

  private func near(_ a: [Float], _ b: [Float]) -> Bool {
    // The worked numbers have six digits.
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 }
  }

  @Test("gives the numbers worked by hand: 3 bits, FSR 2, and a base of √2 with 4 bits, FSR 4")
  func worked() throws {
    for (options, bits, wanted) in [
      (["fsr": "2"], 3, [0, 0, 0.03125, 0.125, 0.25, 0.5, 1, 1, 2, 2, 2] as [Float]),
      (
        ["fsr": "4", "base": "sqrt2"], 4,
        [
          0, 0.022097, 0.03125, 0.088388, 0.353553, 0.353553, 1, 1.414214, 1.414214, 2.828427,
          2.828427,
        ]
      ),
    ] {
      let operand = operand(.activation, Self.x, bits: bits, isSigned: false)
      let quantizer = try quantizer(options)
      let probe = try RoundingProbe(quantizer, operand, shape: [1, Self.x.count])
      #expect(near(try probe.rounded(Self.x), wanted))
      #expect(
        quantizer.rounding(of: operand, values: [:]).rounded(Self.x) == (try probe.rounded(Self.x)))
      #expect(quantizer.rounding(of: operand, values: [:]).codeCount == 1 << bits)
    }
  }

  @Test("spends a bit on the sign: 2 bits of weights are one magnitude and 0")
  func signed() throws {
    let w: [Float] = [-3, -0.8, -0.7, -0.1, 0, 0.3, 0.71, 5]
    let operand = operand(.weight, w, bits: 2, isSigned: true)
    let codes = try quantizer(["fsr": "1"]).codes(
      of: Tensor(w, shape: [8]), operand, values: [:])
    #expect(codes.levels == [-1, 0, 1] && codes.codes == [0, 0, 1, 1, 1, 1, 2, 2])
    let wider = try quantizer(["fsr": "1"]).codes(
      of: Tensor(w, shape: [8]), self.operand(.weight, w, bits: 3, isSigned: true), values: [:])
    #expect(wider.levels == [-1, -0.5, -0.25, 0, 0.25, 0.5, 1])
    #expect(wider.reals(shape: [8]) == [-1, -1, -0.5, 0, 0, 0.25, 1, 1])
  }

  @Test("gives no code to a negative value where none was observed")
  func positive() throws {
    let operand = operand(.activation, Self.x, bits: 3, isSigned: false)
    let probe = try RoundingProbe(try quantizer(), operand, shape: [1, 2])
    #expect(try probe.rounded([-1, 1]) == [0, 1])
    #expect(try quantizer().rounding(of: operand, values: [:]).rounded([-1, 1]) == [0, 1])
  }

  /// With most of them at 1 and one at 9, two bits keep 1 and its neighbours.
  @Test("chooses the exponents with the least squared error")
  func range() throws {
    let most = [Float](repeating: 1, count: 200) + [0.5, 0.25, 9]
    let operand = operand(.activation, most, bits: 2, isSigned: false)
    for base in ["2", "sqrt2"] {
      func error(_ options: [String: String]) throws -> Float {
        let rounding = try quantizer(options).rounding(of: operand, values: [:])
        return zip(most, rounding.rounded(most)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      let chosen = try error(["base": base])
      for range in -4...8 {
        #expect(try chosen <= error(["base": base, "fsr": "\(range)"]))
      }
    }
  }

  @Test("leaves operands of 8 bits to a learned step")
  func wide() throws {
    let operand = operand(.activation, [-1, 2], bits: 8, isSigned: true)
    let quantizer = try quantizer(["rate": "0.1"])
    #expect(quantizer.rounding(of: operand, values: [:]).grid?.codes == -128...127)
    let options = quantizer.options(
      forParameter: "x/step", standard: ParameterOptions(weightDecay: 0.1))
    #expect(options.weightDecay == 0 && options.rateFactor == 0.1)
  }

  @Test("refuses other bases and exponents")
  func options() {
    for (name, value) in [("base", "3"), ("fsr", "1.5"), ("fsr", "101"), ("rate", "0")] {
      #expect(throws: CompressionError.self) { try quantizer([name: value]) }
    }
  }

  private func network() -> Graph {
    var builder = NetworkBuilder()
    let first = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 48)])
    let second = builder.add(Unary(.relu), [builder.conv(first, 48, 48)])
    return builder.finished(builder.conv(second, 48, 8))
  }

  private func method(_ network: Graph, bits: Int, base: String) throws -> TrainedQuantization {
    var options = TrainedQuantizationOptions()
    options.quantizer = MethodChoice("log", ["base": base])
    (options.weights, options.activations, options.firstLast) = (bits, bits, bits)
    return try TrainedQuantization(
      for: network, options: options, calibration: NetworkBuilder().samples(),
      makeExecutor: { Interpreter($0) })
  }

  @Test(
    "writes a file that computes exactly what the training form does", arguments: [2, 3, 4, 6],
    ["2", "sqrt2"])
  func written(bits: Int, base: String) throws {
    let network = network()
    let method = try method(network, bits: bits, base: base)
    var context = LossContext(
      network: TrainableGraph(graph: network), samples: network.inputs[0],
      scores: network.outputs[0], targets: network.inputs[0], batchSize: 2)
    for transform in method.transforms { try transform.transform(&context) }
    let trained = context.network.graph
    #expect(trained.nodes.count { $0.op is LogarithmicQuantize } == 6)

    let folder = try ScratchFolder()
    let url = URL(fileURLWithPath: folder.file("log.onnx"))
    try OnnxModel.write(try method.deployed(network, values: [:]), to: url)
    let read = try OnnxModel.read(contentsOf: url)
    let types = Set(
      read.nodes.filter { $0.op is Cast }.compactMap { read.constant($0.inputs[0])?.elementType })
    #expect(types == [bits == 2 ? .uint2 : bits <= 4 ? .uint4 : .uint8])
    #expect(read.nodes.count { $0.op is RoundToLevels } == 3)

    let input = try NetworkBuilder().samples(1).batch(0)
    let wanted = try Interpreter(trained).run(input)
    #expect(try Interpreter(read).run(input) == wanted)
    let compiled = try CompiledModel(
      try PassPipeline.lowering.run(
        PassPipeline.portable.run(read).graph.specialized(batch: 2)
      ).graph)
    let found = try compiled.run(input)[0].floats()
    let unit = wanted[0].floats().reduce(Float(0)) { max($0, abs($1)) }
    // Sums of up to 432 products in another order, which may carry an activation over the bound
    // between two levels and so reach 9 places of each channel.
    let tolerance = 432 * 0x1p-24 * 8 * unit
    let far = zip(found, wanted[0].floats()).count { abs($0 - $1) > tolerance }
    #expect(far <= found.count / 10, "\(far) of \(found.count)")
  }

  @Test("writes weights at their width: 4 bits in an eighth of the bytes, and graph and tables")
  func size() throws {
    let network = network()
    let float = try OnnxModel.serialized(network).count
    let weights = 27 * 48 + 9 * 48 * 48 + 9 * 48 * 8
    for (bits, width) in [(2, 2), (3, 4), (4, 4), (5, 8)] {
      let deployed = try method(network, bits: bits, base: "2").deployed(network, values: [:])
      let bytes = try OnnxModel.serialized(deployed).count
      #expect(bytes >= weights * width / 8)
      // What is no weight: biases as in the float file, nodes, names, tables and one function.
      #expect(bytes <= weights * width / 8 + (float - 4 * weights) + 6000, "\(bits): \(bytes)")
    }
  }
}
