// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

@Suite("Rounding to the levels of a table runs on a loop of its own")
struct LevelTests {
  @Test("As the operator is defined, on any number of threads", arguments: [1, 2])
  func inference(_ threads: Int) throws {
    var oracle = Oracle(seed: 93)
    let least = Tensor([-1, -0.25, 0.125, 0.5] as [Float], shape: [4])
    let levels = Tensor([-1, 0, 0.25, 1] as [Float], shape: [4])
    let (graph, feeds) = Oracle.graph(
      RoundToLevels(), inputs: [("x", oracle.reals([2, 5, 31, 29])), (nil, least), (nil, levels)])
    #expect(try Oracle.difference(graph, feeds, threads: threads) == 0)
    #expect(try !Oracle.implementations(graph).contains("reference"))
  }
}
