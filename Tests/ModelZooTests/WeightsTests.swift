// SPDX-License-Identifier: Apache-2.0
import GraphIR
import ModelZoo
import TensorCore
import TestSupport
import Testing

@Suite("Weights of zoo networks in safetensors files")
struct WeightsTests {
  private func network(_ name: String = "resnet8", seed: UInt64 = 0) throws -> Graph {
    try ArchitectureRegistry.architecture(named: name).graph(ArchitectureOptions(seed: seed))
  }

  private func tensors(_ graph: Graph) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: graph.weights.map { ($0.name, $0.tensor) })
  }

  @Test("hold weights, biases, scales and running statistics, in the order of their use")
  func contents() throws {
    let names = try network().weights.map(\.name)
    #expect(
      names.prefix(6) == [
        "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var",
        "layer1.0.conv1.weight",
      ])
    #expect(names.suffix(2) == ["fc.weight", "fc.bias"])
    // Seven convolutions with batch norm and one linear layer.
    #expect(names.count == 7 * 5 + 2)
    #expect(try network("mobilenet_v2", seed: 1).weights.count == 52 * 5 + 2)
  }

  @Test("go through a file unchanged")
  func file() throws {
    let folder = try ScratchFolder()
    let graph = try network(seed: 3)
    try graph.writeWeights(to: folder.file("w.safetensors"))
    let architecture = try ArchitectureRegistry.architecture(named: "resnet8")
    let again = try architecture.graph(weightsFrom: folder.file("w.safetensors"))
    #expect(tensors(again) == tensors(graph))
    #expect(
      try network(seed: 4).readingWeights(contentsOf: folder.file("w.safetensors")).weights
        .map(\.tensor) == graph.weights.map(\.tensor))
  }

  @Test("may be of another real type; counts of batches are ignored")
  func types() throws {
    let graph = try network()
    var half = tensors(graph).mapValues { $0.converted(to: .bfloat16) }
    half["bn1.num_batches_tracked"] = Tensor(scalar: Int64(7))
    let read = try graph.replacingWeights(with: half, from: "w")
    #expect(read.weights.allSatisfy { $0.tensor.elementType == .float32 })
    #expect(
      tensors(read)["fc.weight"] == half["fc.weight"]?.converted(to: .float32))
  }

  @Test("that are missing, superfluous or of another shape or kind are named")
  func unsuitable() throws {
    let graph = try network()
    var wrong = tensors(graph)
    wrong["fc.bias"] = nil
    wrong["head.bias"] = Tensor([Float(1)], shape: [1])
    wrong["conv1.weight"] = Tensor(zerosOf: .float32, shape: [16, 1, 3, 3])
    wrong["bn1.bias"] = Tensor(zerosOf: .int32, shape: [16])
    let error = #expect(throws: ZooError.self) {
      try graph.replacingWeights(with: wrong, from: "w.safetensors")
    }
    #expect(
      error?.description == """
        w.safetensors: the tensors are not those of the network
        missing: fc.bias
        unknown to the network: head.bias
        conv1.weight is float32 16×1×3×3 (expected float32 16×3×3×3), bn1.bias is int32 16 \
        (expected float32 16)
        """)
  }
}
