// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators that sample images follow their geometry")
struct SamplingTests {
  private let image = floats([0, 1, 2, 3], [1, 1, 2, 2])

  @Test("Grid sampling interpolates, and treats what is outside as asked")
  func grid() throws {
    let center = floats([0, 0, 1, 1, 3, -1], [1, 1, 3, 2])
    let aligned = GridSample(alignsCorners: true)
    #expect(try aligned.result(image, center) == floats([1.5, 3, 0], [1, 1, 1, 3]))
    let border = GridSample(outside: .border, alignsCorners: true)
    #expect(try border.result(image, center) == floats([1.5, 3, 1], [1, 1, 1, 3]))
    let mirror = GridSample(mode: .nearest, outside: .reflection, alignsCorners: true)
    #expect(try mirror.result(image, floats([3, -1], [1, 1, 1, 2])) == floats([0], [1, 1, 1, 1]))
    let cubic = try GridSample(mode: .cubic, alignsCorners: true).result(
      image, floats([1, -1], [1, 1, 1, 2]))
    #expect(cubic == floats([1], [1, 1, 1, 1]))
    #expect(throws: OpError.self) { try aligned.result(image, floats([0], [1, 1, 1, 1])) }
    #expect(
      try aligned.result(image, floats([.nan, 0], [1, 1, 1, 2])) == floats([0], [1, 1, 1, 1]))
  }

  @Test("Regions are averaged over their samples")
  func regions() throws {
    let op = RegionAlignment(sampling: 1, hasHalfPixels: false)
    let whole = floats([0, 0, 1, 1], [1, 4])
    #expect(try op.result(image, whole, list(0)) == floats([1.5], [1, 1, 1, 1]))
    #expect(throws: OpError.self) { try op.result(image, whole, list(1)) }
    #expect(throws: OpError.self) {
      try RegionAlignment().result(image, floats([0, 0, 1e9, 1], [1, 4]), list(0))
    }
  }

  @Test("Without offsets, a deformable convolution is a convolution")
  func deformable() throws {
    let weight = floats([1, 10, 100, 1000], [1, 1, 2, 2])
    let still = Tensor(zerosOf: .float32, shape: [1, 8, 1, 1])
    let op = DeformableConvolution()
    #expect(try op.result(image, weight, still, floats([1])) == floats([3211], [1, 1, 1, 1]))
    // The first tap moves half a pixel to the right.
    let moved = floats([0, 0.5, 0, 0, 0, 0, 0, 0], [1, 8, 1, 1])
    #expect(try op.result(image, weight, moved) == floats([3210.5], [1, 1, 1, 1]))
    let half = floats([1, 1, 1, 0.5], [1, 4, 1, 1])
    #expect(try op.result(image, weight, still, nil, half) == floats([1710], [1, 1, 1, 1]))
    #expect(throws: OpError.self) { try op.result(image, weight, counting([1, 6, 1, 1])) }
  }

  @Test("Columns add up where windows overlap")
  func columns() throws {
    let result = try ColumnsToImage().result(
      floats([1, 2, 10, 20], [1, 2, 2]), list(3), list(2))
    #expect(result == floats([1, 12, 20], [1, 1, 3]))
    #expect(throws: OpError.self) {
      try ColumnsToImage().result(counting([1, 3, 2]), list(3), list(2))
    }
  }

  @Test("Unpooling puts elements where they came from")
  func unpooling() throws {
    let op = MaxUnpool(window: PoolingWindow(kernel: [2], strides: [2]))
    let (x, places) = (floats([5, 7], [1, 1, 2]), Tensor([Int64(1), 2], shape: [1, 1, 2]))
    #expect(try op.result(x, places) == floats([0, 5, 7, 0], [1, 1, 4]))
    #expect(try op.result(x, places, list(1, 1, 5)) == floats([0, 5, 7, 0, 0], [1, 1, 5]))
    #expect(throws: OpError.self) { try op.result(x, places, list(1, 1, 3)) }
    #expect(throws: OpError.self) {
      try op.result(x, Tensor([Int64(1), 4], shape: [1, 1, 2]))
    }
  }

  @Test("Power means pool windows and maps")
  func powers() throws {
    let x = floats([3, -4, 0], [1, 1, 3])
    let window = PoolingWindow(kernel: [2])
    #expect(try LpPool(window: window).result(x) == floats([5, 4], [1, 1, 2]))
    #expect(try LpPool(window: window, order: 1).result(x) == floats([7, 4], [1, 1, 2]))
    #expect(try GlobalLpPool().result(x) == floats([5], [1, 1, 1]))
    #expect(throws: OpError.self) { try LpPool(window: window, order: 0).result(x) }
  }

  @Test("Overlapping boxes of a class give way to the best one")
  func suppression() throws {
    let boxes = floats([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 5, 1, 6], [1, 3, 4])
    let scores = floats([0.8, 0.9, 0.7], [1, 1, 3])
    let two = Tensor(scalar: Int64(2))
    func rows(_ inputs: Tensor?...) throws -> [Int64] {
      try NonMaxSuppression().evaluate([boxes, scores] + inputs, outputCount: 1)[0].integers()
    }
    #expect(try rows(two, Tensor(scalar: Float(0.5))) == [0, 0, 1, 0, 0, 2])
    #expect(try rows(two, Tensor(scalar: Float(0.95))) == [0, 0, 1, 0, 0, 0])
    #expect(try rows(two, Tensor(scalar: Float(0.5)), Tensor(scalar: Float(0.75))) == [0, 0, 1])
    #expect(try rows() == [])
    #expect(throws: OpError.self) {
      try NonMaxSuppression().evaluate([counting([1, 3, 3]), scores], outputCount: 1)
    }
  }
}
