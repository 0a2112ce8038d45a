// SPDX-License-Identifier: Apache-2.0
import Benchmark
import Swiftlet

/// A chain of residual blocks with seeded weights, as large as a CIFAR network.
func residualNetwork(blocks: Int) -> Graph {
  var random = RandomSource(seed: 1)
  var graph = Graph(name: "residual")
  let input = graph.addInput(
    name: "input", type: TensorType(.float32, [.symbol("N"), .fixed(16), .fixed(32), .fixed(32)]))
  var value = input
  for block in 0..<blocks {
    var branch = value
    for layer in 0..<2 {
      let weights = (0..<(16 * 16 * 9)).map { _ in Float(random.nextUniform() - 0.5) / 8 }
      let name = "block\(block).conv\(layer)"
      let weight = graph.addConstant(
        Tensor(weights, shape: [16, 16, 3, 3]), name: name + ".weight")
      branch = graph.addNode(
        Conv(padding: .explicit([1, 1, 1, 1])), name: name, inputs: [branch, weight],
        outputNames: [name + ".out"])[0]
      if layer == 0 {
        branch = graph.addNode(Unary(.relu), inputs: [branch], outputNames: [name + ".relu"])[0]
      }
    }
    let sum = graph.addNode(
      Binary(.add), inputs: [branch, value], outputNames: ["block\(block).sum"])[0]
    value = graph.addNode(Unary(.relu), inputs: [sum], outputNames: ["block\(block).out"])[0]
  }
  graph.markOutput(value)
  graph.inferTypes()
  return graph
}

let benchmarks: @Sendable () -> Void = {
  let graph = residualNetwork(blocks: 9)
  let metrics: [BenchmarkMetric] = [.wallClock, .cpuTotal, .peakMemoryResident]

  Benchmark("Portable passes, 9 residual blocks", configuration: .init(metrics: metrics)) { run in
    for _ in run.scaledIterations { blackHole(try graph.portable()) }
  }

  Benchmark("Lowering and compiling, batch 1", configuration: .init(metrics: metrics)) { run in
    let portable = try graph.portable()
    run.startMeasurement()
    for _ in run.scaledIterations { blackHole(try CompiledModel(portable: portable)) }
  }

  for batch in [1, 16] {
    for precision in [Precision.fp32, .bf16] {
      Benchmark(
        "Run, batch \(batch), \(precision.rawValue)", configuration: .init(metrics: metrics)
      ) { run in
        let model = try CompiledModel(
          portable: try graph.portable(), batch: batch,
          options: CompileOptions(precision: precision))
        let image = Tensor(
          [Float](repeating: 0.5, count: batch * 16 * 32 * 32), shape: [batch, 16, 32, 32])
        run.startMeasurement()
        for _ in run.scaledIterations { blackHole(try model(image)) }
      }
    }
  }

  Benchmark("ONNX out and in", configuration: .init(metrics: metrics)) { run in
    for _ in run.scaledIterations {
      blackHole(try OnnxModel.read(OnnxModel.serialized(graph, options: OnnxWriteOptions())))
    }
  }
}
