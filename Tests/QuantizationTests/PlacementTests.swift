// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import Quantization
import TensorCore
import Testing

@Suite("Placement of quantizing nodes")
struct PlacementTests {
  private func quantized(
    _ graph: Graph, _ builder: NetworkBuilder,
    change: (inout QuantizationOptions) -> Void = { _ in }
  ) throws -> Graph {
    var options = QuantizationOptions()
    options.estimator = "minmax"
    options.equalizes = false
    change(&options)
    let result = try Quantizer.quantize(
      graph, calibration: builder.samples(), options: options, makeExecutor: interpret)
    try Verifier.verify(result.graph)
    return result.graph
  }

  @Test("A convolution is quantized behind its activation, and the logits stay real")
  func chain() throws {
    var builder = NetworkBuilder()
    let first = builder.conv(builder.input, 3, 4)
    let relu = builder.add(Unary(.relu), [first])
    let second = builder.conv(relu, 4, 5)
    let graph = try quantized(builder.finished(second), builder)
    #expect(graph.quantizedNames == ["input", "v2"])
    let bias = graph.nodes.first { $0.name == "Conv_1_constant1_DequantizeLinear" }
    #expect(graph.constant(bias?.inputs[0])?.elementType == .int32)
    #expect(bias?.inputs.count == 2)
    let weight = graph.nodes.first { $0.name == "Conv_1_constant0_DequantizeLinear" }
    #expect(graph.constant(weight?.inputs[1])?.shape == [4])
    #expect((weight?.op as? DequantizeLinear)?.axis == 0)
    #expect(graph.node(named: "Conv_1")?.outputs == [first])
  }

  @Test("Behind ReLU the zero point is the least code")
  func zeroPoint() throws {
    var builder = NetworkBuilder()
    let relu = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let graph = try quantized(builder.finished(builder.conv(relu, 4, 5)), builder)
    let node = graph.nodes.first { $0.name == "v2_QuantizeLinear" }
    #expect(graph.constant(node?.inputs[2])?.integers() == [0])
  }

  /// The last values that are quantized become scores by a mean over places: the greatest of them
  /// decide.
  @Test("No estimator cuts off what becomes scores")
  func scores() throws {
    var builder = NetworkBuilder()
    let first = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let last = builder.add(Unary(.relu), [builder.conv(first, 4, 5)])
    let mean = builder.add(GlobalPool(.average), [last])
    let network = builder.finished(builder.add(Flatten(axis: 1), [mean]))
    func scale(_ value: String, percentile: Double?) throws -> Float {
      let graph = try quantized(network, builder) {
        $0.estimator = percentile == nil ? "minmax" : "percentile"
        $0.percentile = percentile ?? $0.percentile
        $0.correctsBiases = false
      }
      let node = graph.nodes.first { $0.name == "\(value)_QuantizeLinear" }
      return try #require(graph.constant(node?.inputs[1])?.floats().first)
    }
    #expect(try scale("v4", percentile: 0.9) == scale("v4", percentile: nil))
    #expect(try scale("v2", percentile: 0.9) < scale("v2", percentile: nil))
  }

  @Test("A sigmoid and the product with it stay with their convolution")
  func gatedActivation() throws {
    var builder = NetworkBuilder()
    let conv = builder.conv(builder.input, 3, 4)
    let sigmoid = builder.add(Unary(.sigmoid), [conv])
    let gated = builder.add(Binary(.multiply), [conv, sigmoid])
    let graph = try quantized(builder.finished(builder.conv(gated, 4, 5)), builder)
    #expect(graph.quantizedNames == ["input", "v3"])
  }

  @Test("A residual addition has codes on every side")
  func residual() throws {
    var builder = NetworkBuilder()
    let stem = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let branch = builder.conv(stem, 4, 4)
    let sum = builder.add(Binary(.add), [branch, stem])
    let relu = builder.add(Unary(.relu), [sum])
    let graph = try quantized(builder.finished(builder.conv(relu, 4, 5)), builder)
    #expect(graph.quantizedNames == ["input", "v2", "v3", "v5"])
  }

  @Test("Squeeze and excitation has codes at its pooling, its gate and its product")
  func squeezeAndExcitation() throws {
    var builder = NetworkBuilder()
    let map = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let pooled = builder.add(GlobalPool(.average), [map])
    let gate = builder.add(
      Unary(.hardSigmoid(alpha: 0.2, beta: 0.5)), [builder.conv(pooled, 4, 4, kernel: 1)])
    let product = builder.add(Binary(.multiply), [map, gate])
    let graph = try quantized(builder.finished(builder.conv(product, 4, 5)), builder)
    #expect(graph.quantizedNames == ["input", "v2", "v3", "v5", "v6"])
  }

  @Test("The operands of a concatenation and its result share one scale")
  func concatenation() throws {
    var builder = NetworkBuilder()
    let left = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let right = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4, spread: true)])
    let joined = builder.add(Concat(axis: 1), [left, right])
    let network = builder.finished(builder.conv(joined, 8, 5))
    let graph = try quantized(network, builder)
    #expect(graph.quantizedNames == ["input", "v2", "v4", "v5"])
    #expect(graph.scale(of: "v2") == graph.scale(of: "v5"))
    #expect(graph.scale(of: "v4") == graph.scale(of: "v5"))
    let apart = try quantized(network, builder) { $0.sharesConcatScales = false }
    #expect(apart.scale(of: "v2") != apart.scale(of: "v5"))
  }

  @Test("What moves elements passes codes on with the same scale")
  func movement() throws {
    var builder = NetworkBuilder()
    let relu = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let pooled = builder.add(
      MaxPool(window: PoolingWindow(kernel: [2, 2], strides: [2, 2])), [relu])
    let flat = builder.add(Flatten(), [pooled])
    let weight = builder.tensor([6, 64])
    let product = builder.add(Gemm(transposesB: true), [flat], constants: [weight])
    let graph = try quantized(builder.finished(product), builder)
    #expect(graph.quantizedNames == ["input", "v2", "v3", "v4"])
    #expect(graph.scale(of: "v2") == graph.scale(of: "v4"))
    #expect(graph.scale(of: "v2") == graph.scale(of: "v3"))
  }

  @Test("Pooling and flattening in front of the output leave it real")
  func outputs() throws {
    var builder = NetworkBuilder()
    let relu = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let pooled = builder.add(GlobalPool(.average), [relu])
    let flat = builder.add(Flatten(), [pooled])
    let graph = try quantized(builder.finished(builder.add(Softmax(), [flat])), builder)
    #expect(graph.quantizedNames == ["input", "v2"])
  }

  @Test("A node kept in float has real operands unless others need codes")
  func keptInFloat() throws {
    var builder = NetworkBuilder()
    let first = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let second = builder.add(Unary(.relu), [builder.conv(first, 4, 4)])
    let network = builder.finished(builder.conv(second, 4, 5))
    let graph = try quantized(network, builder) { $0.keepFloat = ["^Conv_3$"] }
    #expect(graph.quantizedNames == ["input", "v4"])
    #expect(graph.constant(graph.node(named: "Conv_3")?.inputs[1])?.elementType == .float32)
  }

  @Test("One scale for all weights, and 16-bit codes, on request")
  func types() throws {
    var builder = NetworkBuilder()
    let first = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 4)])
    let network = builder.finished(builder.conv(first, 4, 5))
    let graph = try quantized(network, builder) {
      $0.weights.granularity = .perTensor
      $0.activationType = .uint16
    }
    let weight = graph.nodes.first { $0.name == "Conv_1_constant0_DequantizeLinear" }
    #expect(graph.constant(weight?.inputs[1])?.shape == [])
    let pair = graph.nodes.first { $0.name == "v2_QuantizeLinear" }
    #expect(graph.constant(pair?.inputs[2])?.elementType == .uint16)
    #expect(graph.metadata.opset >= 21)
  }

  @Test("The quantized network computes nearly the same")
  func accuracy() throws {
    var builder = NetworkBuilder()
    let stem = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 8)])
    let branch = builder.add(Unary(.relu), [builder.conv(stem, 8, 8, group: 8)])
    let sum = builder.add(Binary(.add), [builder.conv(branch, 8, 8, kernel: 1), stem])
    let network = builder.finished(builder.conv(sum, 8, 5))
    for type in [ElementType.uint8, .int8, .uint16, .int16] {
      for isSymmetric in [false, true] {
        let graph = try quantized(network, builder) {
          $0.activationType = type
          $0.symmetricActivations = isSymmetric
        }
        let input = try builder.samples().batch(0)
        let real = try Interpreter(network).run(input)[0].floats()
        let rounded = try Interpreter(graph).run(input)[0].floats()
        let signal = real.reduce(0) { $0 + $1 * $1 }
        let noise = zip(real, rounded).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        #expect(noise < signal * 1e-3)
      }
    }
  }

  @Test("Wrong requests are refused before anything is run")
  func errors() throws {
    var builder = NetworkBuilder()
    let network = builder.finished(builder.conv(builder.input, 3, 4))
    let samples = builder.samples()
    func attempt(
      _ graph: Graph, _ change: (inout QuantizationOptions) -> Void
    ) throws -> QuantizationResult {
      var options = QuantizationOptions()
      change(&options)
      return try Quantizer.quantize(
        graph, calibration: samples, options: options, makeExecutor: interpret)
    }
    #expect(throws: QuantizationError.patternMatchesNothing("nothing", examples: ["Conv_1"])) {
      try attempt(network) { $0.keepFloat = ["nothing"] }
    }
    #expect(throws: QuantizationError.self) { try attempt(network) { $0.keepFloat = ["("] } }
    #expect(throws: QuantizationError.self) { try attempt(network) { $0.keepFloat = ["Conv"] } }
    #expect(throws: QuantizationError.self) { try attempt(network) { $0.estimator = "best" } }
    #expect(throws: QuantizationError.self) {
      try attempt(network) { $0.activationType = .float16 }
    }
    let done = try attempt(network) { _ in }.graph
    #expect(throws: QuantizationError.self) { try attempt(done) { _ in } }
    #expect(throws: QuantizationError.emptyCalibration) {
      try Quantizer.quantize(
        network, calibration: InMemoryCalibration([]), options: QuantizationOptions(),
        makeExecutor: interpret)
    }
  }
}
