// SPDX-License-Identifier: Apache-2.0
import CPURuntime
public import GraphIR
import TensorCore

/// A small classifier of `ShapeSamples` that is made in seconds, without training.
///
/// Its convolutions have random filters; its last layer is fitted by ridge regression to the
/// features of pictures that are drawn for it. So its accuracy is real, if modest.
public enum DemonstrationNetwork {
  /// Pictures that the last layer is fitted to.
  public static let fittedCount = 5000

  /// Makes the network; the same seed gives the same one.
  ///
  /// - Parameters:
  ///   - seed: Of the filters; the pictures for the fit have seeds that follow from it.
  ///   - threads: For computing features; all processors by default.
  ///   - progress: Called with the pictures done, of `fittedCount`.
  /// - Returns: Input `input` `[N, 3, 32, 32]`, output `logits` `[N, 10]`.
  /// - Throws: What compiling and running throw.
  public static func made(
    seed: UInt64, threads: Int? = nil, progress: (Int) -> Void = { _ in }
  ) throws -> Graph {
    var random = RandomSource(seed: seed)
    var (graph, features) = extractor(&random)
    var prefix = graph
    prefix.markOutput(features)
    let model = try BatchedModel(
      portable: try prefix.portable(), options: CompileOptions(threads: threads, precision: .fp32))
    let (pictures, labels) = ShapeSamples.drawn(count: fittedCount, seed: seed &+ 0x5eed)
    let batch = 100
    let size = 3 * ShapeSamples.side * ShapeSamples.side * 4
    var rows: [Float] = []
    for start in stride(from: 0, to: fittedCount, by: batch) {
      let count = min(batch, fittedCount - start)
      let input = try Tensor(
        elementType: .float32, shape: [count, 3, ShapeSamples.side, ShapeSamples.side],
        bytes: Array(pictures.bytes[start * size..<(start + count) * size]))
      rows += try model.run(["input": input]).first?.floats() ?? []
      progress(start + count)
    }
    let classes = ShapeSamples.classNames.count
    let fit = RidgeRegression(
      features: rows, labels: labels, classCount: classes, penalty: 1e-2)
    let width = rows.count / fittedCount
    let weight = graph.addConstant(
      Tensor(fit.weights, shape: [classes, width]), name: "classifier.weight")
    let bias = graph.addConstant(Tensor(fit.bias, shape: [classes]), name: "classifier.bias")
    let logits = graph.addNode(
      Gemm(transposesB: true), name: "classifier",
      inputs: [features, weight, bias], outputNames: ["logits"])
    logits.forEach { graph.markOutput($0) }
    graph.inferTypes()
    return graph
  }

  /// Three convolutions with random filters, and their averages over a 4 × 4 grid.
  private static func extractor(_ random: inout RandomSource) -> (Graph, ValueID) {
    var graph = Graph(
      name: "shapes",
      metadata: GraphMetadata(
        opset: 17,
        documentation: "Random convolutions, last layer fitted by ridge regression to "
          + "\(fittedCount) drawn pictures of textured shapes."))
    let side = Dimension.fixed(ShapeSamples.side)
    var value = graph.addInput(
      name: "input", type: TensorType(.float32, [.symbol("N"), .fixed(3), side, side]))
    var channels = 3
    for (position, layer) in [(width: 16, step: 1), (width: 32, step: 2), (width: 64, step: 2)]
      .enumerated()
    {
      let name = "features.\(position)"
      let count = channels * 9
      // The sum of four even values has variance 1/3; He's initialisation has variance 2/count.
      let factor = (6.0 / Double(count)).squareRoot()
      func number() -> Float {
        Float(((0..<4).reduce(0.0) { sum, _ in sum + random.nextUniform() } - 2) * factor)
      }
      let weights = (0..<layer.width * count).map { _ in number() }
      let offsets = (0..<layer.width).map { _ in number() }
      let weight = graph.addConstant(
        Tensor(weights, shape: [layer.width, channels, 3, 3]), name: "\(name).weight")
      let bias = graph.addConstant(Tensor(offsets, shape: [layer.width]), name: "\(name).bias")
      let convolution = graph.addNode(
        Conv(
          strides: [layer.step, layer.step], dilations: [1, 1], padding: .explicit([1, 1, 1, 1])),
        name: "\(name).conv", inputs: [value, weight, bias], outputNames: ["\(name).out"])
      value =
        graph.addNode(
          Unary(.relu), name: "\(name).relu", inputs: [convolution[0]],
          outputNames: ["\(name).relu.out"])[0]
      channels = layer.width
    }
    value =
      graph.addNode(
        AveragePool(window: PoolingWindow(kernel: [2, 2], strides: [2, 2])), name: "pool",
        inputs: [value], outputNames: ["pool.out"])[0]
    value =
      graph.addNode(
        Flatten(axis: 1), name: "flatten", inputs: [value], outputNames: ["flatten.out"])[0]
    return (graph, value)
  }
}
