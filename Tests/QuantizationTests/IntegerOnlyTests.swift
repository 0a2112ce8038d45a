// SPDX-License-Identifier: Apache-2.0
import GraphIR
import GraphPasses
import Quantization
import TensorCore
import Testing

@Suite("A network in integers only")
struct IntegerOnlyTests {
  private static func residual(seed: UInt64) -> (Graph, NetworkBuilder) {
    var builder = NetworkBuilder(seed: seed)
    let first = builder.add(Unary(.relu), [builder.conv(builder.input, 3, 8)])
    let branch = builder.add(
      Unary(.relu), [builder.conv(first, 8, 8, kernel: 3, group: 8, spread: true)])
    let second = builder.conv(branch, 8, 8, kernel: 1)
    let joined = builder.add(Unary(.relu), [builder.add(Binary(.add), [second, first])])
    let pooled = builder.add(GlobalPool(.average), [joined])
    let flat = builder.add(Flatten(axis: 1), [pooled])
    let scores = builder.add(
      Gemm(transposesB: true), [flat],
      constants: [builder.tensor([5, 8]), builder.tensor([5])])
    return (builder.finished(scores), builder)
  }

  private static func quantized(_ graph: Graph, _ builder: NetworkBuilder) throws -> Graph {
    let portable = try PassPipeline.portable.run(graph).graph
    return try Quantizer.quantize(
      portable, calibration: builder.samples(), options: QuantizationOptions(),
      makeExecutor: interpret
    ).graph
  }

  @Test("It equals 128-bit integers to the last bit, layer by layer", arguments: 1...4)
  func wide(seed: Int) throws {
    let (graph, builder) = Self.residual(seed: UInt64(seed))
    let quantized = try Self.quantized(graph, builder)
    let network = try IntegerOnlyNetwork(quantized, threads: 2)
    #expect(network.stepCount == 5)
    #expect(network.realNodes.isEmpty)
    let reference = WideNetwork(
      try PassPipeline.lowering.run(quantized.specialized(batch: 1)).graph)
    for index in 0..<3 {
      let batch = try builder.samples().batch(index)
      let found = try network.run(batch)[0]
      let input = try #require(batch["input"])
      let size = input.count / 2
      for sample in 0..<2 {
        let part = Tensor(
          Array(input.floats()[(sample * size)..<((sample + 1) * size)]), shape: [1, 3, 8, 8])
        let expected = try reference.scores(part)
        #expect(Array(found.floats()[(sample * 5)..<(sample * 5 + 5)]) == expected)
      }
    }
  }

  @Test("It stays within steps of the network that multiplies by real scales")
  func close() throws {
    let (graph, builder) = Self.residual(seed: 9)
    let quantized = try Self.quantized(graph, builder)
    let batch = try builder.samples().batch(0)
    let exact = try IntegerOnlyNetwork(quantized).run(batch)[0].floats()
    let real = try Interpreter(quantized).run(batch)[0].floats()
    let spread = (real.max() ?? 0) - (real.min() ?? 0)
    // Each of the five steps may round a code the other way: one step of 255 each.
    for (one, other) in zip(exact, real) { #expect(abs(one - other) <= spread * 5 / 255 + 1e-3) }
  }

  @Test("An activation that is no limit on codes is refused by the node's name")
  func refused() throws {
    var builder = NetworkBuilder(seed: 3)
    let first = builder.add(Unary(.hardSwish), [builder.conv(builder.input, 3, 4)])
    let graph = builder.finished(builder.conv(first, 4, 4))
    let quantized = try Self.quantized(graph, builder)
    #expect {
      try IntegerOnlyNetwork(quantized)
    } throws: { error in
      guard case QuantizationError.notIntegerOnly(let node, _)? = error as? QuantizationError
      else { return false }
      return node.hasPrefix("Conv") && "\(error)".contains("integers only")
    }
  }

  @Test("A float network is refused")
  func float() {
    #expect(throws: QuantizationError.self) {
      try IntegerOnlyNetwork(Self.residual(seed: 1).0)
    }
  }
}

/// The same network evaluated in 128-bit integers, written apart from the one under test.
private struct WideNetwork {
  let graph: Graph

  init(_ graph: Graph) { self.graph = graph }

  struct NotKnown: Error { let kind: String }

  func scores(_ input: Tensor) throws -> [Float] {
    var values: [ValueID: [Int128]] = [:]
    var shapes: [ValueID: [Int]] = [:]
    var reals: [Float] = []
    for node in graph.nodes {
      let output = try #require(node.outputs[0])
      shapes[output] = graph.type(output)?.shape
      func codes(_ position: Int) throws -> [Int128] {
        let id = try #require(node.inputs[position])
        if let known = values[id] { return known }
        let constant = try #require(graph[id].constant)
        return constant.integers().map { Int128($0) }
      }
      func shape(_ position: Int) throws -> [Int] {
        let id = try #require(node.inputs[position])
        return try #require(graph.type(id)?.shape)
      }
      switch node.op {
      case let quantize as QuantizeLinear:
        let constants = node.inputs[1...].compactMap { $0.flatMap { graph[$0].constant } }
        values[output] = try quantize.evaluate([input] + constants, outputCount: 1)[0]
          .integers().map { Int128($0) }
      case is Flatten, is Reshape: values[output] = try codes(0)
      case let step as Fused:
        let (sums, scales, inner) = try self.sums(step, codes, shape)
        var finished = sums
        var scale = scales
        var extra = step.rootInputCount
        var low = -Double.infinity
        var stages = step.stages
        if step.root is Binary {
          stages.insert(.add(step.inputCodes[1]), at: 0)
          extra = 1
        }
        func rescaled(_ code: LinearCode) -> [Int128] {
          finished.indices.map { index in
            let real = scale[scale.count == 1 ? 0 : index / inner % scale.count]
            let wide = product(finished[index], real / Double(code.scales[0]))
            let zero = Int128(code.zeroPoints[0])
            return min(max(wide + zero, low == 0 ? zero : 0), 255)
          }
        }
        for stage in stages {
          switch stage {
          case .activation(.relu): low = 0
          case .recode(let code):
            finished = rescaled(code).map { $0 - Int128(code.zeroPoints[0]) }
            scale = [Double(code.scales[0])]
            low = -Double.infinity
          case .add(let code):
            let code = try #require(code)
            let common = 2 * max(scale[0], Double(code.scales[0]))
            let others = try codes(extra)
            extra += 1
            finished = finished.indices.map { index in
              product(finished[index] << 20, scale[0] / common)
                + product(
                  (others[index] - Int128(code.zeroPoints[0])) << 20,
                  Double(code.scales[0]) / common)
            }
            scale = [common / 1_048_576]
          default: throw NotKnown(kind: "\(stage)")
          }
        }
        if let code = step.outputCode {
          values[output] = rescaled(code)
        } else {
          reals = finished.indices.map { index in
            Float(Double(finished[index]) * scale[scale.count == 1 ? 0 : index % scale.count])
          }
        }
      default: throw NotKnown(kind: node.op.kind)
      }
    }
    return reals
  }

  private func sums(
    _ step: Fused, _ codes: (Int) throws -> [Int128], _ shape: (Int) throws -> [Int]
  ) throws -> (sums: [Int128], scales: [Double], inner: Int) {
    let first = try #require(step.inputCodes[0])
    let zero = Int128(first.zeroPoints[0])
    let data = try codes(0).map { $0 - zero }
    let dimensions = try shape(0)
    if step.root is Binary { return (data, [Double(first.scales[0])], 1) }
    if step.root is GlobalPool {
      let size = dimensions[2] * dimensions[3]
      let sums = (0..<dimensions[1]).map { data[($0 * size)..<(($0 + 1) * size)].reduce(0, +) }
      return (sums, [Double(first.scales[0]) / Double(size)], 1)
    }
    let weights = try codes(1)
    let bias = try codes(2)
    let scales = try #require(step.inputCodes[1]).scales
      .map { Double(first.scales[0]) * Double($0) }
    let kernel = try shape(1)
    if step.root is Gemm {
      let k = kernel[1]
      return (
        (0..<kernel[0]).map { row in
          bias[row] + (0..<k).reduce(Int128(0)) { $0 + data[$1] * weights[row * k + $1] }
        }, scales, 1
      )
    }
    guard let conv = step.root as? Conv else { throw NotKnown(kind: step.root.kind) }
    let (height, width, pad) = (dimensions[2], dimensions[3], kernel[2] / 2)
    let perGroup = kernel[0] / conv.group
    var sums: [Int128] = []
    for channel in 0..<kernel[0] {
      for position in 0..<(height * width) {
        var sum = bias[channel]
        for inner in 0..<kernel[1] {
          for tap in 0..<(kernel[2] * kernel[3]) {
            let y = position / width + tap / kernel[3] - pad
            let x = position % width + tap % kernel[3] - pad
            guard y >= 0, y < height, x >= 0, x < width else { continue }
            let plane = channel / perGroup * kernel[1] + inner
            sum +=
              data[(plane * height + y) * width + x]
              * weights[(channel * kernel[1] + inner) * kernel[2] * kernel[3] + tap]
          }
        }
        sums.append(sum)
      }
    }
    return (sums, scales, height * width)
  }

  /// `value · real` in fixed point: a fraction of 31 bits, the doubled high product rounded, then a
  /// shift that rounds half away from zero.
  private func product(_ value: Int128, _ real: Double) -> Int128 {
    var (fraction, shift) = (real, 0)
    while fraction < 0.5 {
      fraction *= 2
      shift += 1
    }
    while fraction >= 1 {
      fraction /= 2
      shift -= 1
    }
    var whole = Int128((fraction * 2_147_483_648).rounded(.toNearestOrAwayFromZero))
    if whole == 1 << 31 {
      whole /= 2
      shift -= 1
    }
    let wide = (shift < 0 ? value << Int128(-shift) : value) * whole
    let high = (wide + (wide >= 0 ? 1 << 30 : 1 - (1 << 30))) / (1 << 31)
    guard shift > 0 else { return high }
    let magnitude = (high.magnitude + (UInt128(1) << UInt128(shift - 1))) >> UInt128(shift)
    return high < 0 ? -Int128(magnitude) : Int128(magnitude)
  }
}
