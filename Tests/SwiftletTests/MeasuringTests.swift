// SPDX-License-Identifier: Apache-2.0
import Swiftlet
import TestSupport
import Testing

@Suite("Latencies and what they are measured with")
struct MeasuringTests {
  @Test("Median, 95 % and spread of a series, between runs interpolated")
  func quantiles() {
    let latency = Latency(seconds: [0.004, 0.001, 0.003, 0.002, 0.005])
    #expect(latency.minimum == 1)
    #expect(abs(latency.median - 3) < 1e-12)
    #expect(abs(latency.p95 - 4.8) < 1e-12)
    // Quartiles 2 and 4.
    #expect(abs(latency.spread - 1.0 / 3) < 1e-12)
    #expect(Latency(seconds: [0.002]).p95 == 2)
  }

  @Test("Random inputs are the same for the same seed and fit their types")
  func randomInputs() throws {
    let types = [
      ("a", TensorType(.float32, shape: [1000])), ("b", TensorType(.uint8, shape: [100])),
      ("c", TensorType(.int64, shape: [100])), ("d", TensorType(.bool, shape: [10])),
    ]
    let first = RandomInputs.tensors(for: types, seed: 3)
    #expect(first == RandomInputs.tensors(for: types, seed: 3))
    #expect(first != RandomInputs.tensors(for: types, seed: 4))
    #expect(first["c"]?.integers().allSatisfy { (0...1).contains($0) } == true)
    let reals = try #require(first["a"]).floats()
    let mean = reals.reduce(0, +) / 1000
    // The mean of 1000 values of deviation 1 deviates by 0.032.
    #expect(abs(mean) < 0.16)
    #expect(reals.allSatisfy { abs($0) < 3.5 })
  }

  @Test("Networks are timed in turn")
  func alternating() throws {
    let model = try CompiledModel(portable: try SmallNetwork.classifier().portable())
    let latencies = try Latency.alternating([model, model], rounds: 2, seconds: 0.01)
    #expect(latencies.count == 2)
    #expect(latencies.allSatisfy { $0.minimum > 0 && $0.milliseconds.count >= 2 })
  }
}
