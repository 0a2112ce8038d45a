// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

@Suite("Memory plan")
struct MemoryPlanTests {
  private func request(_ bytes: Int, _ lifetime: ClosedRange<Int>) -> MemoryPlan.Request {
    MemoryPlan.Request(byteCount: bytes, lifetime: lifetime)
  }

  @Test("Buffers that are never alive together share memory")
  func sharing() {
    let plan = MemoryPlan([request(128, 0...1), request(128, 2...3)])
    #expect(plan.offsets == [0, 0])
    #expect(plan.arenaByteCount == 128)
  }

  @Test("A chain of equal steps needs two buffers")
  func chain() {
    let plan = MemoryPlan((0..<6).map { request(100, $0...($0 + 1)) })
    #expect(plan.arenaByteCount == 256)
  }

  @Test("A gap that is free again is taken before new memory")
  func bestFit() {
    let plan = MemoryPlan([
      request(1024, 0...9), request(512, 0...4), request(256, 0...9), request(128, 0...4),
      request(64, 0...9), request(120, 5...9),
    ])
    #expect(plan.offsets[5] == plan.offsets[1])
  }

  @Test("Random lifetimes never overlap in memory", arguments: 0..<20)
  func overlaps(seed: Int) {
    var random = RandomSource(seed: UInt64(seed))
    let requests = (0..<40).map { _ in
      let start = random.nextIndex(below: 50)
      return request(
        random.nextIndex(below: 5000), start...(start + random.nextIndex(below: 10)))
    }
    let plan = MemoryPlan(requests)
    for first in requests.indices {
      for second in requests.indices where first < second {
        guard requests[first].lifetime.overlaps(requests[second].lifetime),
          requests[first].byteCount > 0, requests[second].byteCount > 0
        else { continue }
        let one = plan.offsets[first]..<(plan.offsets[first] + requests[first].byteCount)
        let other = plan.offsets[second]..<(plan.offsets[second] + requests[second].byteCount)
        #expect(!one.overlaps(other), "seed \(seed): \(first) and \(second)")
      }
      #expect(plan.offsets[first] + requests[first].byteCount <= plan.arenaByteCount)
    }
  }

  @Test("A chain of elementwise functions runs in the memory of one tensor")
  func elementwiseChain() throws {
    var graph = Graph()
    var value = graph.addInput(name: "x", type: TensorType(.float32, shape: [1, 16, 8, 8]))
    for _ in 0..<5 { value = graph.addNode(Unary(.relu), inputs: [value], outputNames: ["y"])[0] }
    graph.markOutput(value)
    graph.inferTypes()
    let model = try CompiledModel(graph, options: CompileOptions(threads: 1, precision: .fp32))
    let tensor = 16 * 8 * 8 * 4
    // One tensor for the chain and one for the row-major copy that leaves the program.
    #expect(model.arenaByteCount <= 2 * tensor + 1024)
  }

  @Test("The identity block runs in the memory of two tensors when the sum is fused")
  func identityBlock() throws {
    var graph = Graph()
    let shape = [1, 16, 8, 8]
    let weight = Tensor([Float](repeating: 0.1, count: 16 * 16 * 9), shape: [16, 16, 3, 3])
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: shape))
    let start = graph.addNode(Unary(.relu), inputs: [input], outputNames: ["start"])[0]
    let first = graph.addConstant(weight, name: "w1")
    let second = graph.addConstant(weight, name: "w2")
    let conv = Conv(padding: .explicit([1, 1, 1, 1]))
    let middle = graph.addNode(
      Fused(root: conv, rootInputCount: 2, stages: [.activation(.relu)]),
      inputs: [start, first], outputNames: ["middle"])[0]
    let sum = graph.addNode(
      Fused(root: conv, rootInputCount: 2, stages: [.add(nil), .activation(.relu)]),
      inputs: [middle, second, start], outputNames: ["sum"])[0]
    graph.markOutput(sum)
    graph.inferTypes()
    let model = try CompiledModel(graph, options: CompileOptions(threads: 1, precision: .fp32))
    let tensor = 16 * 8 * 8 * 4
    let scratch = 64 * 1024
    #expect(model.arenaByteCount <= 2 * tensor + scratch)
  }
}
