// SPDX-License-Identifier: Apache-2.0
import Autodiff
import GraphIR
import OnnxIO
import TensorCore
import TestSupport
import Testing

@Suite("Trained networks go into training form", .enabled(if: SharedData.isPresent))
struct TrainedNetworkTests {
  @Test("ResNet-20 has 19 normalizations, all with what stands behind them, and gradients")
  func resNet() throws {
    let file = try #require(SharedData.file("models/cifar10-resnet20.onnx"))
    let graph = try OnnxModel.read(contentsOf: file)
    var form = try graph.inTrainingForm()
    try Verifier.verify(form.graph)
    let kinds = form.graph.nodes.map(\.op.kind)
    let normalizations = form.graph.nodes.compactMap { $0.op as? BatchStatisticsNormalization }
    #expect(normalizations.count == 19)
    #expect(normalizations.allSatisfy { $0.activation == .relu })
    // The blocks' nine additions are all inside.
    #expect(form.graph.nodes.filter { $0.inputs.count == 6 }.count == 9)
    #expect(!kinds.contains("Relu") && !kinds.contains("Add"))
    // 19 convolutions with scale and bias each, and the classifier's two.
    #expect(form.parameters.count == 19 * 3 + 2)
    #expect(form.statistics.count == 19 * 2)

    let logits = try #require(form.graph.outputs.first)
    let targets = form.graph.addInput(
      name: "targets", type: TensorType(.float32, [.symbol("batch"), .fixed(10)]))
    let (loss, _) = form.graph.addSoftmaxCrossEntropy(logits: logits, targets: targets)
    let forwardCount = form.graph.nodes.count
    let (whole, gradients) = try form.graph.addingGradients(
      of: loss, withRespectTo: form.parameters.map(\.input))
    try Verifier.verify(whole)
    for parameter in form.parameters {
      let gradient = try #require(gradients[parameter.input])
      #expect(whole[gradient].type?.shape == parameter.initial.shape)
    }
    // A residual's two contributions go into the normalization's gradient; where a block starts
    // with a shortcut that is cut and padded they do too.
    let added = whole.nodes.dropFirst(forwardCount)
    #expect(!added.contains { $0.op is Binary || $0.op is Variadic })
    #expect(added.filter { $0.op is ConvWeightGradient }.count == 19)
    // The first convolution's input is an image: no gradient goes there.
    #expect(added.filter { $0.op is ConvInputGradient }.count == 18)

    let fixed = try whole.specialized(batch: 4)
    #expect(fixed.valueIDs.count == whole.valueIDs.count)
    #expect(try graph.settingConstants([:]).nodes.count == graph.nodes.count)
    let values = Dictionary(
      uniqueKeysWithValues: form.parameters.map { ($0.name, $0.initial) }
        + form.statistics.map { ($0.name, $0.initial) })
    let same = try graph.settingConstants(values)
    for (name, tensor) in values {
      #expect(same.constant(same.value(named: name)) == tensor)
    }
  }

  @Test("A network with shared initializers trains them apart")
  func shortcuts() throws {
    let file = try #require(SharedData.file("models/cifar10-resnet20-conv1x1.onnx"))
    let graph = try OnnxModel.read(contentsOf: file)
    let form = try graph.inTrainingForm()
    try Verifier.verify(form.graph)
    #expect(!form.graph.nodes.contains { $0.op is BatchNormalization })
    #expect(Set(form.statistics.map(\.name)).count == form.statistics.count)
    #expect(
      form.statistics.count
        == 2 * form.graph.nodes.filter { $0.op is BatchStatisticsNormalization }.count)
  }

  @Test("A network whose normalizations are folded keeps its nodes and gets gradients")
  func folded() throws {
    let file = try #require(SharedData.file("models/cifar10-resnet8-mlperf.onnx"))
    let graph = try OnnxModel.read(contentsOf: file)
    var form = try graph.inTrainingForm()
    #expect(form.graph.nodes.map(\.op.kind) == graph.nodes.map(\.op.kind))
    #expect(form.statistics.isEmpty)
    let logits = try #require(form.graph.outputs.first)
    let loss = form.graph.addMeanSquaredError(
      prediction: logits,
      target: form.graph.addInput(name: "targets", type: form.graph.type(logits)))
    let (_, gradients) = try form.graph.addingGradients(
      of: loss, withRespectTo: form.parameters.map(\.input))
    #expect(gradients.count == form.parameters.count)
  }
}
