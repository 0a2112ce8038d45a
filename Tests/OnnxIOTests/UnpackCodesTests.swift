// SPDX-License-Identifier: Apache-2.0
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("Packed codes are written as functions and read as what they are")
struct UnpackCodesTests {
  struct Case: CustomTestStringConvertible {
    var bits: Int
    var isSigned: Bool
    var shape: [Int]
    var testDescription: String { "\(bits) bits, signed: \(isSigned), \(shape)" }

    var codes: [Int64] {
      var random = RandomSource(seed: 8)
      let least = isSigned ? -(Int64(1) << (bits - 1)) : 0
      return (0..<shape.reduce(1, *)).map { _ in
        least + Int64(random.nextIndex(below: 1 << bits))
      }
    }

    /// Products with the codes.
    var graph: Graph {
      var graph = Graph(name: "packed")
      graph.metadata.opset = 9
      let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [1]))
      let bytes = UnpackCodes.packed(codes, bits: bits)
      let packed = graph.addConstant(Tensor(bytes, shape: [bytes.count]), name: "packed")
      let unpacked = graph.addNode(
        UnpackCodes(bits: bits, isSigned: isSigned, shape: shape), name: "unpack",
        inputs: [packed], outputNames: ["codes"])
      let reals = graph.addNode(
        Cast(to: .float32), name: "cast", inputs: unpacked, outputNames: ["reals"])
      let y = graph.addNode(
        Binary(.multiply), name: "mul", inputs: reals + [x], outputNames: ["y"])
      graph.markOutput(y[0])
      graph.inferTypes()
      return graph
    }
  }

  static let cases = [1, 2, 4].flatMap { bits in
    [[3, 4], [5], [2, 1, 3]].flatMap { shape in
      [false, true].map { Case(bits: bits, isSigned: $0, shape: shape) }
    }
  }

  @Test("Low bits come first")
  func order() {
    #expect(UnpackCodes.packed([1, -1, 0, -2, 1], bits: 2) == [0b10_00_11_01, 0b01])
    #expect(UnpackCodes.packed([-8, 7, 3], bits: 4) == [0x78, 0x03])
    #expect(UnpackCodes.packed([1, 0, 0, 1, 1, 0, 0, 0, 1], bits: 1) == [0b11001, 1])
  }

  @Test("They come back, as the same bytes, in operator set 18", arguments: cases)
  func roundTrip(test: Case) throws {
    let graph = test.graph
    let wanted = try Interpreter(graph).run(["x": Tensor([1] as [Float], shape: [1])])
    #expect(wanted[0].floats() == test.codes.map { Float($0) })
    let bytes = try OnnxModel.serialized(graph)
    let again = try OnnxModel.read(bytes)
    #expect(again.metadata.opset == 18)
    #expect(again.nodes.first?.op.isEqual(to: graph.nodes[0].op) == true)
    #expect(try OnnxModel.serialized(again) == bytes)
  }

  /// The function's body, read under a name that is not ours, gives what the operator means.
  @Test("The body of the function computes the operator", arguments: cases)
  func body(test: Case) throws {
    let graph = test.graph
    var bytes = try OnnxModel.serialized(graph)
    // Same length, so that the file stays whole.
    bytes = bytes.replacing(Array("swiftlet".utf8), with: Array("elsewhat".utf8))
    let inlined = try OnnxModel.read(bytes)
    #expect(!inlined.nodes.contains { $0.op is UnpackCodes || $0.op is Opaque })
    let x = ["x": Tensor([2] as [Float], shape: [1])]
    #expect(try Interpreter(inlined).run(x) == Interpreter(graph).run(x))
  }

  @Test(
    "Wrong widths, shapes and numbers of bytes are refused",
    arguments: [(3, [4]), (2, []), (2, [0, 4]), (2, [9]), (2, [Int.max, 4])])
  func wrong(bits: Int, shape: [Int]) {
    let packed = Tensor([0, 0] as [UInt8], shape: [2])
    let op = UnpackCodes(bits: bits, isSigned: false, shape: shape)
    #expect(throws: OpError.self) { try op.evaluate([packed], outputCount: 1) }
  }
}
