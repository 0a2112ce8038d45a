// SPDX-License-Identifier: Apache-2.0
import GraphIR
import ModelZoo
import OnnxIO
import TensorCore
import TestSupport
import Testing

@Suite("Networks of the zoo")
struct ArchitectureTests {
  private static let forms: [Form] = ArchitectureRegistry.all.flatMap { architecture in
    architecture.inputs.map { Form(name: architecture.name, input: $0) }
  }

  /// A network for pictures of one shape.
  struct Form: Sendable, CustomTestStringConvertible {
    let name: String
    let input: InputShape
    var testDescription: String { "\(name) \(input)" }
  }

  @Test("have shapes that follow from their input, and one score per class", arguments: forms)
  func shapes(_ form: Form) throws {
    let architecture = try ArchitectureRegistry.architecture(named: form.name)
    var graph = try architecture.outline(ArchitectureOptions(input: form.input, classCount: 7))
    #expect(graph.inferTypes() == [])
    let input = try #require(graph.value(named: "input"))
    let shape = [form.input.channels, form.input.height, form.input.width]
    #expect(graph.inputs == [input])
    #expect(graph.type(input) == TensorType(.float32, [.symbol("N")] + shape.map { .fixed($0) }))
    let logits = try #require(graph.value(named: "logits"))
    #expect(graph.outputs == [logits])
    #expect(graph.type(logits) == TensorType(.float32, [.symbol("N"), .fixed(7)]))
    let types = graph.nodes.flatMap(\.outputs).map { graph.type($0)?.dimensions?.dropFirst() }
    #expect(types.allSatisfy { $0?.allSatisfy { ($0.value ?? 0) > 0 } == true })
    #expect(Set(graph.nodes.map(\.name)).count == graph.nodes.count)
  }

  @Test("have names of their own")
  func names() {
    #expect(Set(ArchitectureRegistry.all.map(\.name)).count == ArchitectureRegistry.all.count)
  }

  /// One network of each family, narrow where it can be.
  private static let small: [(name: String, width: Double?)] = [
    ("resnet20", nil), ("resnet20_b", nil), ("wrn_16_1", nil), ("densenet40_12", nil),
    ("squeezenet1_1", nil), ("mobilenet_v1_0_25", nil), ("mobilenet_v2", 0.25),
    ("mobilenet_v3_small", 0.5), ("shufflenet_v1_g3", 0.5), ("shufflenet_v2_x0_5", nil),
    ("mnasnet0_5", nil), ("mnasnet_a1", 0.25), ("nin", nil), ("lenet5", nil),
    ("lenet_300_100", nil),
  ]

  @Test("are valid and the same when read from their file", arguments: small)
  func written(name: String, width: Double?) throws {
    let graph = try ArchitectureRegistry.architecture(named: name)
      .graph(ArchitectureOptions(input: .cifar, width: width))
    try Verifier.verify(graph)
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(again.nodes.count == graph.nodes.count)
    for (one, other) in zip(graph.nodes, again.nodes) {
      #expect(one.name == other.name)
      #expect(one.op.isEqual(to: other.op), "\(one.name)")
      #expect(
        one.inputs.map { $0.map { graph[$0].name } }
          == other.inputs.map { $0.map { again[$0].name } })
      #expect(one.inputs.map { graph.constant($0) } == other.inputs.map { again.constant($0) })
      #expect(one.outputs.map { graph.type($0) } == other.outputs.map { again.type($0) })
    }
    #expect(again.inputs.map { again[$0].name } == ["input"])
    #expect(again.outputs.map { again[$0].name } == ["logits"])
  }

  @Test("depend on the seed alone")
  func seeds() throws {
    let architecture = try ArchitectureRegistry.architecture(named: "resnet8")
    func weights(_ seed: UInt64) throws -> Tensor? {
      let graph = try architecture.graph(ArchitectureOptions(seed: seed))
      return graph.constant(graph.value(named: "layer3.0.conv2.weight"))
    }
    #expect(try weights(1) == weights(1))
    #expect(try weights(1) != weights(2))
  }

  @Test(
    "have constants named as the keys of torchvision",
    arguments: [
      (
        "resnet18",
        ["conv1.weight", "layer2.0.downsample.1.running_var", "layer4.1.bn2.bias", "fc.bias"]
      ),
      ("resnet50", ["bn1.running_mean", "layer3.5.conv3.weight", "layer1.0.downsample.0.weight"]),
      (
        "densenet121",
        [
          "features.norm0.weight", "features.denseblock3.denselayer24.conv2.weight",
          "features.transition3.conv.weight", "features.norm5.running_var", "classifier.weight",
        ]
      ),
      (
        "squeezenet1_0",
        ["features.12.expand3x3.bias", "features.3.squeeze.weight", "classifier.1.bias"]
      ),
      (
        "squeezenet1_1",
        ["features.0.bias", "features.12.expand1x1.weight", "features.6.squeeze.bias"]
      ),
      (
        "mobilenet_v2",
        [
          "features.1.conv.0.0.weight", "features.1.conv.2.running_mean", "features.17.conv.3.bias",
          "features.18.1.weight", "classifier.1.weight",
        ]
      ),
      (
        "mobilenet_v3_large",
        [
          "features.1.block.0.0.weight", "features.4.block.2.fc2.bias",
          "features.15.block.3.1.weight",
          "features.16.0.weight", "classifier.0.bias", "classifier.3.weight",
        ]
      ),
      ("mobilenet_v3_small", ["features.1.block.1.fc1.weight", "features.12.1.running_var"]),
      (
        "shufflenet_v2_x1_0",
        [
          "conv1.0.weight", "stage2.0.branch1.2.weight", "stage4.3.branch2.6.running_mean",
          "conv5.1.bias",
        ]
      ),
      (
        "mnasnet1_0",
        [
          "layers.0.weight", "layers.7.bias", "layers.8.0.layers.0.weight",
          "layers.13.0.layers.7.bias",
          "layers.15.running_var", "classifier.1.weight",
        ]
      ),
      ("vgg16_bn", ["features.0.bias", "features.41.running_var", "classifier.6.weight"]),
    ])
  func torchvisionNames(name: String, keys: [String]) throws {
    let graph = try ArchitectureRegistry.architecture(named: name).outline()
    for key in keys { #expect(graph.value(named: key) != nil, "\(key)") }
  }

  @Test(
    "are missing by a name that lists similar ones",
    arguments: [
      ("resnet-50", "resnet50"), ("mobilenetv2", "mobilenet_v2"), ("densenet", "densenet121"),
      ("ResNet20", "resnet20"), ("squeezenet", "squeezenet1_0"), ("lenet", "lenet5"),
    ])
  func unknown(name: String, near: String) {
    let error = #expect(throws: ZooError.self) {
      try ArchitectureRegistry.architecture(named: name)
    }
    guard case .unknownArchitecture(name, let found) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found.first == near)
    #expect(found.count <= 5)
  }

  @Test("refuse options that they do not have")
  func options() throws {
    let plain = try ArchitectureRegistry.architecture(named: "resnet20")
    #expect(
      throws: ZooError.invalidOption(
        architecture: "resnet20", option: "width", found: "0.5",
        accepted: "none: this network has no width multiplier")
    ) { try plain.counts(ArchitectureOptions(width: 0.5)) }
    #expect(
      throws: ZooError.invalidOption(
        architecture: "resnet20", option: "classes", found: "0", accepted: "1…100000")
    ) { try plain.graph(ArchitectureOptions(classCount: 0)) }
    let wide = try ArchitectureRegistry.architecture(named: "mobilenet_v1")
    #expect(
      throws: ZooError.invalidOption(
        architecture: "mobilenet_v1", option: "width", found: "9.0", accepted: "0.1…8.0")
    ) { try wide.counts(ArchitectureOptions(width: 9)) }
  }

  @Test("refuse pictures that are too small for a layer")
  func smallPictures() throws {
    let network = try ArchitectureRegistry.architecture(named: "lenet5")
    let input = InputShape(channels: 1, height: 6, width: 6)
    let error = #expect(throws: ZooError.self) {
      try network.counts(ArchitectureOptions(input: input))
    }
    guard case .unsuitableInput("lenet5", input, node: "conv2", _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("are widened by their multiplier")
  func widths() throws {
    let narrow = try ArchitectureRegistry.architecture(named: "mobilenet_v1_0_5").counts()
    let wide = try ArchitectureRegistry.architecture(named: "mobilenet_v1")
    #expect(try wide.counts(ArchitectureOptions(width: 0.5)) == narrow)
  }
}
