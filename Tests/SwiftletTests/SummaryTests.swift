// SPDX-License-Identifier: Apache-2.0
import Swiftlet
import TestSupport
import Testing

@Suite("Summaries and checks of a network")
struct SummaryTests {
  private let graph = SmallNetwork.classifier()

  @Test("Running means and variances are no parameters")
  func parameters() throws {
    let summary = try NetworkSummary(of: graph)
    // Filters, scale and bias of the norm, product and its bias.
    #expect(summary.parameters == 6 * 27 + 6 + 6 + 24 + 4)
    #expect(summary.layers.map(\.parameters) == [162, 12, 0, 0, 0, 28])
    #expect(summary.constantBytes == 4 * (162 + 24 + 28))
  }

  @Test("Multiply-accumulates follow from the shapes of one sample, or of a batch")
  func macs() throws {
    #expect(try NetworkSummary(of: graph).macs == 6 * 27 * 64 + 24)
    #expect(try NetworkSummary(of: graph, batch: 3).macs == 3 * (6 * 27 * 64 + 24))
    #expect(try NetworkSummary(of: graph).integerShare == 0)
  }

  @Test("The interface names input, shape and classes")
  func interface() throws {
    let interface = try NetworkInterface(of: graph)
    #expect(interface.inputName == "input")
    #expect(interface.sampleShape == [3, 8, 8])
    #expect(interface.fixedBatch == nil)
    #expect(interface.classCount == 4)
    #expect(try NetworkInterface(of: SmallNetwork.classifier(batch: .fixed(2))).fixedBatch == 2)
  }

  @Test("A network of known operators runs, can be quantized and written")
  func check() throws {
    let check = try NetworkCheck(of: graph)
    #expect(check.isRunnable)
    #expect(!check.isInterpreted)
    #expect(check.quantizationProblem == nil)
    #expect(check.quantizableShare == 1)
    #expect(check.requiredOpset != nil)
    #expect(check.operators.map(\.kind).contains("Conv"))
    #expect(check.operators.reduce(0) { $0 + $1.nodeCount } == graph.nodes.count)
    #expect(check.operators.allSatisfy { $0.unsupportedCount == 0 && $0.mergedCount >= 0 })
  }

  @Test("An unknown operator is named")
  func unknownOperator() throws {
    var graph = Graph(name: "odd", metadata: GraphMetadata(opset: 17))
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [2]))
    let y = graph.addNode(
      Opaque(kind: "Frobnicate", domain: "acme", attributes: []), name: "odd", inputs: [x],
      outputNames: ["y"])
    y.forEach { graph.markOutput($0) }
    let check = try NetworkCheck(of: graph)
    #expect(!check.isRunnable)
    #expect(check.runProblems.count == 1)
    #expect(check.runProblems[0].contains("\"odd\""))
    #expect(check.runProblems[0].contains("Frobnicate is unsupported"))
    #expect(check.operators.map(\.unsupportedCount) == [1])
  }

  @Test("Packed codes count as many parameters as there are codes, levels of activations none")
  func packed() throws {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [1, 6]))
    let tables = ["least", "levels"].map { name in
      graph.addConstant(Tensor([0, 1] as [Float], shape: [2]), name: name)
    }
    let rounded = graph.addNode(
      RoundToLevels(), name: "round", inputs: [x] + tables, outputNames: ["rounded"])
    let bytes = graph.addConstant(Tensor([1, 2, 3, 4, 5] as [UInt8], shape: [5]), name: "bytes")
    let codes = graph.addNode(
      UnpackCodes(bits: 2, isSigned: true, shape: [6, 3]), name: "unpack", inputs: [bytes],
      outputNames: ["codes"])
    let weights = graph.addNode(
      Cast(to: .float32), name: "cast", inputs: codes, outputNames: ["weights"])
    let y = graph.addNode(
      MatMul(), name: "product", inputs: rounded + weights, outputNames: ["y"])
    graph.markOutput(y[0])
    let summary = try NetworkSummary(of: graph)
    #expect(summary.parameters == 18 && summary.constantBytes == 21)
  }
}
