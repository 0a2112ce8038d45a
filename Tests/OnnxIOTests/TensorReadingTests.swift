// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import OnnxIO
import TensorCore
import Testing

@Suite("Stored tensors are read from whatever field holds them")
struct TensorReadingTests {
  private func read(
    type: Int64, dims: [Int64], folder: URL? = nil, fill: @escaping (inout WireMessage) -> Void
  ) throws -> Tensor {
    let bytes = WireMessage.model(opset: 25) { graph in
      graph.add(initializer: .tensor("w", type: type, dims: dims, fill: fill))
      graph.add(node: .node("Identity", ["w"], ["y"]))
      graph.add(output: WireMessage { $0.string(1, "y") })
    }
    let graph = try OnnxModel.read(bytes, folder: folder)
    return try #require(graph.constant(graph.value(named: "w")))
  }

  private func problem(_ body: () throws -> Tensor) -> OnnxTensorProblem? {
    do { _ = try body() } catch OnnxError.invalid(_, .tensor("w", let problem)) {
      return problem
    } catch { return nil }
    return nil
  }

  @Test("Floats as raw bytes, as typed data, as bit patterns of 16 bits")
  func floats() throws {
    let raw = try read(type: 1, dims: [2]) { $0.data(9, [0, 0, 128, 63, 0, 0, 0, 64]) }
    #expect(raw == Tensor([Float(1), 2], shape: [2]))
    let typed = try read(type: 1, dims: [2]) {
      $0.float(4, 1)
      $0.float(4, 2)
    }
    #expect(typed == raw)
    let half = try read(type: 10, dims: [2]) {
      $0.varint(5, 0x3c00)
      $0.varint(5, 0xc000)
    }
    #expect(half.elementType == .float16 && half.floats() == [1, -2])
    let brain = try read(type: 16, dims: []) { $0.varint(5, 0x3f80) }
    #expect(brain.elementType == .bfloat16 && brain.floats() == [1] && brain.rank == 0)
  }

  @Test("Integers as typed data")
  func integers() throws {
    let bytes = try read(type: 3, dims: [2]) {
      $0.varint(5, -128)
      $0.varint(5, 127)
    }
    #expect(bytes == Tensor([Int8(-128), 127], shape: [2]))
    let wide = try read(type: 7, dims: [1, 1]) { $0.varint(7, Int64.min) }
    #expect(wide == Tensor([Int64.min], shape: [1, 1]))
    let unsigned = try read(type: 12, dims: [1]) { $0.varint(11, 0xffff_ffff) }
    #expect(unsigned == Tensor([UInt32.max], shape: [1]))
    let truth = try read(type: 9, dims: [2]) {
      $0.varint(5, 0)
      $0.varint(5, 1)
    }
    #expect(truth.elementType == .bool && truth.bytes == [0, 1])
  }

  @Test("Integers below a byte, packed, the first in the low bits")
  func packed() throws {
    let raw = try read(type: 22, dims: [3]) { $0.data(9, [0x8f, 0x07]) }
    #expect(raw.elementType == .int4 && raw.integers() == [-1, -8, 7])
    let typed = try read(type: 21, dims: [3]) {
      $0.varint(5, 0x8f)
      $0.varint(5, 0x07)
    }
    #expect(typed.elementType == .uint4 && typed.integers() == [15, 8, 7])
    let two = try read(type: 26, dims: [4]) { $0.data(9, [0b11_10_01_00]) }
    #expect(two.elementType == .int2 && two.integers() == [0, 1, -2, -1])
    let unsigned = try read(type: 25, dims: [5]) { $0.data(9, [0b11_10_01_00, 0b10]) }
    #expect(unsigned.elementType == .uint2 && unsigned.integers() == [0, 1, 2, 3, 2])
  }

  @Test("Packed tensors are written packed")
  func packedRoundTrip() throws {
    var graph = Graph(name: "g", metadata: GraphMetadata(opset: 25))
    for type: ElementType in [.int4, .uint4, .int2, .uint2] {
      let tensor = Tensor(integers: [0, 1, 1, 0, 1], shape: [5], elementType: type)
      graph.markOutput(graph.addConstant(tensor, name: type.rawValue))
    }
    let again = try OnnxModel.read(try OnnxModel.serialized(graph))
    #expect(differences(graph, again) == [])
  }

  @Test("Data that does not fit type and dimensions is refused")
  func misfits() {
    #expect(
      problem { try read(type: 1, dims: [2]) { $0.data(9, [0, 0, 0]) } }
        == .wrongByteCount(found: 3, expected: 8))
    #expect(
      problem { try read(type: 1, dims: [3]) { $0.float(4, 1) } }
        == .wrongElementCount(found: 1, expected: 3, field: "float_data"))
    #expect(
      problem { try read(type: 3, dims: [1]) { $0.varint(5, 200) } }
        == .valueOutOfRange(200, elementType: "Int8"))
    #expect(
      problem { try read(type: 1, dims: [-1]) { $0.data(9, []) } } == .invalidDimensions([-1]))
    let huge: [Int64] = [1 << 40, 1 << 40]
    #expect(
      problem { try read(type: 1, dims: huge) { $0.data(9, []) } } == .invalidDimensions(huge))
    #expect(
      problem { try read(type: 1, dims: [1 << 62, 1 << 62, 0]) { $0.data(9, []) } }
        == .invalidDimensions([1 << 62, 1 << 62, 0]))
    #expect(
      problem { try read(type: 8, dims: [1]) { $0.string(6, "text") } }
        == .unsupportedElementType(code: 8))
    #expect(problem { try read(type: 99, dims: []) { _ in } } == .unsupportedElementType(code: 99))
    let many = [Int64](repeating: 1, count: 65)
    #expect(
      problem { try read(type: 1, dims: many) { $0.float(4, 1) } } == .invalidDimensions(many))
  }

  @Test("Empty tensors take no bytes")
  func empty() throws {
    let tensor = try read(type: 1, dims: [0, 3]) { _ in }
    #expect(tensor.shape == [0, 3] && tensor.bytes.isEmpty)
  }
}
