// SPDX-License-Identifier: Apache-2.0
import Autodiff
import GraphIR
import ModelZoo
import TensorCore
import Testing

@Suite("Networks of the zoo can be trained")
struct TrainingFormTests {
  /// One network of each family, narrow where it can be.
  private static let networks: [(name: String, width: Double?)] = [
    ("resnet8", nil), ("resnet8_b", nil), ("wrn_16_1", nil), ("densenet40_12", nil),
    ("squeezenet1_1", nil), ("mobilenet_v1_0_25", nil), ("mobilenet_v2", 0.25),
    ("mobilenet_v3_small", 0.35), ("shufflenet_v1_g3", 0.5), ("shufflenet_v2_x0_5", nil),
    ("mnasnet_a1", 0.25), ("nin", nil), ("lenet5", nil), ("lenet_300_100", nil),
  ]

  @Test("every parameter has a gradient of its shape", arguments: networks)
  func gradients(name: String, width: Double?) throws {
    let architecture = try ArchitectureRegistry.architecture(named: name)
    let options = ArchitectureOptions(input: .cifar, width: width)
    let network = try architecture.graph(options)
    var form = try network.inTrainingForm()
    let count = form.parameters.reduce(0) { $0 + $1.initial.count }
    #expect(try count == architecture.counts(options).parameters)
    #expect(
      Set(form.parameters.map(\.name) + form.statistics.map(\.name))
        == Set(network.weights.map(\.name)))
    let targets = form.graph.addInput(
      name: "targets", type: TensorType(.float32, [.symbol("N"), .fixed(10)]))
    let logits = try #require(form.graph.outputs.first)
    let loss = form.graph.addSoftmaxCrossEntropy(logits: logits, targets: targets).loss
    let inputs = form.parameters.map(\.input)
    var (graph, gradients) = try form.graph.addingGradients(of: loss, withRespectTo: inputs)
    #expect(graph.inferTypes() == [])
    for parameter in form.parameters {
      #expect(
        graph.type(gradients[parameter.input])?.shape == parameter.initial.shape,
        "\(parameter.name)")
    }
  }
}
