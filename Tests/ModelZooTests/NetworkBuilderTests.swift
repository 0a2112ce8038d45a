// SPDX-License-Identifier: Apache-2.0
import GraphIR
import ModelZoo
import TensorCore
import Testing

@Suite("Layers of the network builder")
struct NetworkBuilderTests {
  private func network(_ input: InputShape) -> NetworkBuilder {
    NetworkBuilder(
      name: "test", input: input, classCount: 10, width: 1, batch: .fixed(1),
      random: RandomSource(seed: 1))
  }

  /// What the network gives for 0, 1, 2, … as its input.
  private func result(_ network: NetworkBuilder) throws -> [Float] {
    let input = network.input
    let shape = [1, input.channels, input.height, input.width]
    let numbers = (0..<shape.reduce(1, *)).map { Float($0) }
    let outputs = try Interpreter(try network.finished()).run([
      "input": Tensor(numbers, shape: shape)
    ])
    return outputs[0].floats()
  }

  @Test("Six channels in two groups are shuffled to 0, 3, 1, 4, 2, 5")
  func shuffle() throws {
    var network = network(InputShape(channels: 6, height: 1, width: 1))
    network.shuffleChannels(groups: 2)
    #expect(try result(network) == [0, 3, 1, 4, 2, 5])
  }

  @Test("A shortcut without parameters takes every second pixel and pads half before, half behind")
  func paddedShortcut() throws {
    var network = network(InputShape(channels: 2, height: 3, width: 4))
    network.paddedShortcut(4, stride: 2)
    #expect(network.channels == 4)
    #expect(network.parameterCount == 0)
    #expect(
      try result(network) == [0, 0, 0, 0, 0, 2, 8, 10, 12, 14, 20, 22, 0, 0, 0, 0])
  }

  @Test("The halves of a split join to what was split")
  func split() throws {
    var network = network(InputShape(channels: 4, height: 1, width: 1))
    let first = network.splitChannels()
    let second = network.value
    network.value = first
    network.concatenate([second])
    #expect(try result(network) == [0, 1, 2, 3])
  }

  @Test("An average pool with padding counts zeros")
  func averagePool() throws {
    var network = network(InputShape(channels: 1, height: 2, width: 2))
    network.averagePool("pool", kernel: 3, stride: 2, padding: 1)
    #expect(try result(network) == [6.0 / 9])
  }

  @Test("Squeeze-and-excitation scales each channel by a number in (0, 1)")
  func squeezeExcitation() throws {
    var network = network(InputShape(channels: 3, height: 2, width: 1))
    network.squeezeExcitation(1, gate: .sigmoid)
    #expect(network.parameterCount == 3 + 1 + 3 + 3)
    let values = try result(network)
    let factors: [Float] = [values[1], values[3] / 3, values[5] / 5]
    #expect(factors.allSatisfy { 0 < $0 && $0 < 1 })
    #expect(values[2] / 2 == factors[1])
    #expect(values[4] / 4 == factors[2])
  }

  private static let initializations: [(Initialization, variance: Double)] = [
    (.heNormalOutgoing, 2.0 / 576), (.heNormalIncoming, 2.0 / 288),
    (.heUniformIncoming, 2.0 / 288), (.inverseRootUniform, 1.0 / 864),
    (.normal(deviation: 0.01), 1e-4),
  ]

  @Test("Weights have the deviation of their initialization", arguments: initializations)
  func deviations(_ initialization: Initialization, variance: Double) {
    var random = RandomSource(seed: 5)
    let shape = [64, 32, 3, 3]
    let values = initialization.drawn(shape: shape, layer: shape, from: &random).reals()
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.map { ($0 - mean) * ($0 - mean) }
    let found = squares.reduce(0, +) / Double(values.count)
    // 18,432 numbers: the variance has a relative deviation of √(2/n) = 1 %, the mean of 0.7 % of σ.
    #expect(abs(found / variance - 1) < 0.05)
    #expect(abs(mean) < 0.04 * variance.squareRoot())
  }

  @Test("The fan of a depthwise convolution is its window")
  func depthwiseFan() {
    var random = RandomSource(seed: 5)
    let values = Initialization.heNormalOutgoing
      .drawn(shape: [2048, 1, 3, 3], layer: [2048, 1, 3, 3], groups: 2048, from: &random).reals()
    let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    #expect(abs(variance * 9 / 2 - 1) < 0.05)
  }
}
