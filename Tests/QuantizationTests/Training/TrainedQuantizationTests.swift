// SPDX-License-Identifier: Apache-2.0
import Autodiff
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

@Suite("Quantization while a network is trained")
struct TrainedQuantizationTests {
  private func options(_ bits: Int, _ quantizer: String = "lsq") -> TrainedQuantizationOptions {
    var options = TrainedQuantizationOptions()
    options.quantizer = MethodChoice(quantizer)
    (options.weights, options.activations) = (bits, bits)
    return options
  }

  private func trainer(
    _ options: TrainedQuantizationOptions, epochs: Int = 2,
    precision: TrainingRecipe.Precision = .fp32, rate: Double = 0.02
  ) throws -> Trainer {
    var recipe = TrainingRecipe.waves(epochs: epochs)
    recipe.learningRate = rate
    recipe.precision = precision
    var trainer = try Trainer(
      TrainedQuantization.prepared(residualClassifier()), recipe: recipe)
    trainer.add(
      try TrainedQuantization(
        for: trainer.network, options: options, calibration: WaveBatches().calibration,
        makeExecutor: { Interpreter($0) }))
    return trainer
  }

  @Test("Negative factors of batch norms change sign with their weights: the same function")
  func positiveFactors() throws {
    let network = residualClassifier()
    let prepared = TrainedQuantization.prepared(network)
    func negatives(_ graph: Graph) -> Int {
      graph.nodes.filter { $0.op is BatchNormalization }
        .reduce(0) { $0 + (graph.constant($1.inputs[1])?.floats().count { $0 < 0 } ?? 0) }
    }
    #expect(negatives(network) == 1 && negatives(prepared) == 0)
    let input = ["input": WaveBatches().batch(epoch: 0, 0).images]
    let (a, b) = (try Interpreter(network).run(input)[0], try Interpreter(prepared).run(input)[0])
    for (x, y) in zip(a.floats(), b.floats()) { #expect(abs(x - y) <= 1e-5 * max(1, abs(x))) }
  }

  @Test(
    "A network learns with few bits, by every quantizer",
    arguments: TrainedQuantizers.family.cards.map(\.name), [2, 4])
  func learns(quantizer: String, bits: Int) throws {
    let result = try trainer(options(bits, quantizer), epochs: 6, rate: 0.1).train(
      on: WaveBatches(), test: WaveBatches(seed: 50))
    let test = try #require(result.test)
    // Chance is 0.25.
    #expect(test.top1 > 0.6, "\(test.top1)")
    #expect(result.history[0].loss > result.history[5].loss)
  }

  @Test(
    "What is evaluated is what is handed over, and the file says the same", arguments: [2, 4, 8])
  func deployed(bits: Int) throws {
    let result = try trainer(options(bits), epochs: 3).train(
      on: WaveBatches(), test: WaveBatches(seed: 50))
    let folder = try ScratchFolder()
    let url = URL(fileURLWithPath: folder.file("q.onnx"))
    try OnnxModel.write(result.deployed, to: url)
    let read = try OnnxModel.read(contentsOf: url)
    #expect(read.metadata.opset >= [2: 25, 4: 21, 8: 13][bits] ?? 0)
    let score = try Trainer.score(of: read, on: WaveBatches(seed: 50))
    #expect(score.correct == result.test?.correct)
    let types = Set(
      read.nodes.filter { $0.op is DequantizeLinear }
        .compactMap { read.constant($0.inputs[0])?.elementType })
    #expect(types == (bits == 2 ? [.int2, .int8] : bits == 4 ? [.int4, .int8] : [.int8]))
    #expect(!read.nodes.contains { $0.op is BatchNormalization })
    // No other runtime can round the biases of layers with few bits.
    let biases = read.nodes.filter { $0.op is Conv }.map { $0.inputs.count > 2 }
    #expect(biases == (bits == 8 ? [true, true, true, true] : [true, false, false, false]))
  }

  @Test(
    "Codes below 8 bits may be packed into bytes: the same outputs, in operator set 18",
    arguments: ["lsq", "log"], [2, 4])
  func packed(quantizer: String, bits: Int) throws {
    let network = TrainedQuantization.prepared(residualClassifier())
    var options = options(bits, quantizer)
    func deployed() throws -> Graph {
      try TrainedQuantization(
        for: network, options: options, calibration: WaveBatches().calibration,
        makeExecutor: { Interpreter($0) }
      ).deployed(network, values: [:])
    }
    let plain = try deployed()
    options.packing = .function
    let bytes = try OnnxModel.serialized(try deployed())
    let read = try OnnxModel.read(bytes)
    #expect(read.metadata.opset == 18)
    #expect(read.nodes.count { $0.op is UnpackCodes } == 3)
    #expect(!read.valueIDs.contains { (read[$0].constant?.elementType.bitWidth ?? 8) < 8 })
    let input = ["input": WaveBatches().batch(epoch: 0, 0).images]
    #expect(try Interpreter(read).run(input) == Interpreter(plain).run(input))
    // A function of about twenty nodes, and a call and its attributes for each layer.
    #expect(try bytes.count < OnnxModel.serialized(plain).count + 3000)
    // Products of codes stay products of codes.
    let folded = try PassPipeline.portable.run(read).graph
    #expect(!folded.nodes.contains { $0.op is UnpackCodes })
    if quantizer == "lsq" {
      let codes = folded.nodes.filter { $0.op is DequantizeLinear }
        .compactMap { folded.constant($0.inputs[0]) }
      #expect(codes.count == 5 && codes.allSatisfy { $0.elementType == .int8 })
    }
  }

  @Test(
    "The network with codes computes what was trained, to the rounding of single precision",
    arguments: TrainedQuantizers.family.cards.map(\.name))
  func agreement(quantizer: String) throws {
    var trainer = try trainer(options(4, quantizer), epochs: 1)
    trainer.backend = .interpreted
    let result = try trainer.train(on: WaveBatches(batchesPerEpoch: 2))
    let plan = try trainer.plan(classCount: 4)
    let images = WaveBatches().batch(epoch: 9, 0)
    // The training form with frozen statistics, on the trained values.
    var frozen = trainer
    frozen.builder.recipe.freezesStatistics = true
    let step = try frozen.plan(classCount: 4).update
    var inputs = ["input": images.images, plan.targetInput: images.targets]
    var graph = step.graph
    let scores = try #require(graph.value(named: plan.scoreOutput))
    graph.setOutputs([scores])
    graph = try PassPipeline(DropDeadNodes()).run(graph).graph
    graph.dropUnusedInputs()
    // Statistics that are frozen are constants there.
    let constants = result.state.filter { name, _ in
      graph.value(named: name).flatMap { graph[$0].constant } != nil
    }
    graph = try graph.settingConstants(constants)
    for id in graph.inputs where inputs[graph[id].name] == nil {
      inputs[graph[id].name] = result.state[graph[id].name]
    }
    inputs[plan.targetInput] = nil
    let expected = try Interpreter(graph).run(inputs)[0].floats()
    let found = try Interpreter(result.deployed).run(["input": images.images])[0].floats()
    let unit = expected.reduce(Float(0)) { max($0, abs($1)) }
    let far = zip(expected, found).count { abs($0 - $1) > 1e-3 * unit }
    // Sums in another order may carry an activation over the middle between two codes, which a
    // coarse grid shows in all scores of a sample.
    #expect(far <= expected.count / 4, "\(far) of \(expected.count)")
  }

  @Test("Integer codes of four bits run on integer kernels")
  func integerKernels() throws {
    let result = try trainer(options(4), epochs: 1).train(on: WaveBatches(batchesPerEpoch: 2))
    let lowered = try PassPipeline.lowering.run(
      try PassPipeline.portable.run(result.deployed).graph.specialized(batch: 1)
    ).graph
    let products = lowered.nodes.compactMap { $0.op as? Fused }.filter {
      $0.root is Conv || $0.root is Gemm
    }
    #expect(products.count == 5)
    #expect(
      products.allSatisfy { $0.inputCodes.prefix(2).allSatisfy { $0?.elementType.bitWidth == 8 } })
    // Biases that are nodes in the file are part of the products.
    let constants = lowered.nodes.flatMap(\.inputs).compactMap { lowered.constant($0)?.shape }
    #expect(!constants.contains { $0.count == 4 && $0[0] == 1 })
  }

  @Test("Rules give layers bits of their own; wrong ones are errors")
  func rules() throws {
    var chosen = options(4)
    chosen.firstLast = 32
    chosen.layers = [.init(.kind("Conv"), weights: 3), .init(.last, weights: 5, activations: 6)]
    let network = try Trainer(residualClassifier(), recipe: .waves(epochs: 1)).network
    let method = try TrainedQuantization(
      for: network, options: chosen, calibration: WaveBatches().calibration,
      makeExecutor: { Interpreter($0) })
    #expect(method.layers.map(\.weightBits) == [3, 3, 3, 3, 5])
    #expect(method.layers.map(\.activationBits) == [32, 4, 4, 4, 6])
    chosen.layers = [.init(.name("nowhere"), weights: 3)]
    #expect(throws: CompressionError.self) {
      try TrainedQuantization(
        for: network, options: chosen, calibration: WaveBatches().calibration,
        makeExecutor: { Interpreter($0) })
    }
    chosen.layers = []
    chosen.weights = 9
    #expect(throws: QuantizationError.self) { try chosen.validate() }
  }

  @Test("Training that is stopped and resumed gives the same bytes")
  func resumed() throws {
    let folder = try ScratchFolder()
    let source = WaveBatches(batchesPerEpoch: 3)
    let whole = try trainer(options(3)).train(on: source)
    var first = try trainer(options(3))
    first.options.checkpoints = CheckpointOptions(path: folder.file("c.onnx"))
    first.options.stepLimit = 2
    _ = try first.train(on: source)
    var second = try trainer(options(3))
    second.options.checkpoints = CheckpointOptions(path: folder.file("c.onnx"), resumes: true)
    let resumed = try second.train(on: source)
    #expect(resumed.state == whole.state)
    // Once more, when nothing is left to do.
    let again = try second.train(on: source)
    #expect(
      try OnnxModel.serialized(again.deployed) == OnnxModel.serialized(resumed.deployed))
  }

  @Test("Half precision trains as well")
  func bfloat16() throws {
    let result = try trainer(options(4), epochs: 6, precision: .bf16).train(
      on: WaveBatches(), test: WaveBatches(seed: 50))
    let test = try #require(result.test)
    #expect(test.top1 > 0.6, "\(test.top1)")
  }
}
