// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Pooling follows its definition")
struct PoolingTests {
  let line = floats([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 8])

  @Test(
    "Windows of both kinds are placed as the standard says",
    arguments: [
      (PoolingWindow(kernel: [3], strides: [3]), [3, 6], [2, 5], [2, 5]),
      (
        PoolingWindow(kernel: [3], strides: [3], ceilMode: true), [3, 6, 8], [2, 5, 7.5],
        [2, 5, 7.5]
      ),
      (
        PoolingWindow(kernel: [3], strides: [3], padding: .explicit([1, 1]), ceilMode: true),
        [2, 5, 8], [1.5, 4, 7], [1, 4, 7]
      ),
      (
        PoolingWindow(kernel: [2], strides: [3], padding: .explicit([1, 1]), ceilMode: true),
        [1, 4, 7], [1, 3.5, 6.5], [0.5, 3.5, 6.5]
      ),
      (
        PoolingWindow(kernel: [3], strides: [3], padding: .sameUpper), [3, 6, 8], [2, 5, 7.5],
        [2, 5, 5]
      ),
      (
        PoolingWindow(kernel: [3], strides: [3], padding: .sameLower), [2, 5, 8], [1.5, 4, 7],
        [1, 4, 7]
      ),
      (
        PoolingWindow(
          kernel: [3], strides: [2], dilations: [2], padding: .explicit([0, 1]), ceilMode: true),
        [5, 7, 7], [3, 5, 6], [3, 5, 4]
      ),
      (PoolingWindow(kernel: [8], padding: .valid), [8], [4.5], [4.5]),
    ] as [(PoolingWindow, [Float], [Float], [Float])])
  func placement(
    window: PoolingWindow, greatest: [Float], mean: [Float], paddedMean: [Float]
  ) throws {
    let shape = [1, 1, greatest.count]
    #expect(try MaxPool(window: window).result(line) == floats(greatest, shape))
    #expect(try AveragePool(window: window).result(line) == floats(mean, shape))
    #expect(
      try AveragePool(window: window, countsPadding: true).result(line)
        == floats(paddedMean, shape))
  }

  @Test("A last window that would start behind the input is dropped")
  func droppedWindow() throws {
    let x = counting([1, 1, 2, 2])
    let window = PoolingWindow(
      kernel: [3, 3], strides: [3, 3], padding: .explicit([1, 1, 1, 1]), ceilMode: true)
    #expect(try AveragePool(window: window).result(x) == floats([1.5], [1, 1, 1, 1]))
  }

  @Test("Indices count over the whole input, row by row or column by column")
  func indices() throws {
    let x = floats([1, 9, 3, 8, 5, 6, 7, 8, 9, 3, 2, 1], [1, 2, 2, 3])
    let window = PoolingWindow(kernel: [2, 2])
    let rows = try MaxPool(window: window).results([x], count: 2)
    #expect(rows[0] == floats([9, 9, 8, 9], [1, 2, 1, 2]))
    #expect(rows[1] == Tensor([Int64(1), 1, 7, 8], shape: [1, 2, 1, 2]))
    let columns = try MaxPool(window: window, columnMajorIndices: true).results([x], count: 2)
    #expect(columns[1] == Tensor([Int64(2), 2, 8, 10], shape: [1, 2, 1, 2]))
  }

  @Test("Bytes keep their type; minus infinity is found and NaN is not greater than anything")
  func elementTypes() throws {
    let window = PoolingWindow(kernel: [2])
    let bytes = Tensor([Int8(-128), -5, -7], shape: [1, 1, 3])
    #expect(try MaxPool(window: window).result(bytes) == Tensor([Int8(-5), -5], shape: [1, 1, 2]))
    let special = floats([-.infinity, -.infinity, .nan, 1], [1, 1, 4])
    let result = try MaxPool(window: window).result(special).floats()
    #expect(result == [-.infinity, -.infinity, 1])
    #expect(throws: OpError.self) { try AveragePool(window: window).result(bytes) }
  }

  @Test("Three axes, and windows far larger than the input")
  func largeWindows() throws {
    let x = counting([1, 1, 2, 2, 2])
    let cube = PoolingWindow(kernel: [2, 2, 2])
    #expect(try MaxPool(window: cube).result(x).floats() == [7])
    #expect(try AveragePool(window: cube).result(x).floats() == [3.5])
    let wide = PoolingWindow(kernel: [1 << 29], padding: .explicit([1 << 28, 1 << 28]))
    let point = floats([3], [1, 1, 1])
    #expect(try MaxPool(window: wide).result(point).floats() == [3, 3])
    #expect(try AveragePool(window: wide).result(point).floats() == [3, 3])
  }

  @Test("Global pooling leaves one number per channel")
  func global() throws {
    let x = counting([2, 2, 2, 2])
    #expect(try GlobalPool(.average).result(x) == floats([1.5, 5.5, 9.5, 13.5], [2, 2, 1, 1]))
    #expect(try GlobalPool(.maximum).result(x) == floats([3, 7, 11, 15], [2, 2, 1, 1]))
    #expect(throws: OpError.self) { try GlobalPool(.maximum).result(counting([1, 2, 0])) }
    let type = try GlobalPool(.average).type(operand(.float32, .symbol("N"), 3, .unknown, 4))
    #expect(type?.description == "float32 N×3×1×1")
  }

  @Test("Types carry the batch through and leave unknown extents unknown")
  func types() throws {
    let op = MaxPool(window: PoolingWindow(kernel: [2, 2], strides: [2, 2]))
    #expect(
      try op.type(operand(.uint8, .symbol("N"), 3, 8, .unknown))?.description == "uint8 N×3×4×?")
    #expect(try op.type(Operand(type: TensorType(.uint8, nil)))?.description == "uint8 ?")
    #expect(try op.type(Operand(type: nil)) == nil)
  }

  @Test(
    "Windows that do not fit are errors, not traps",
    arguments: [
      PoolingWindow(kernel: [9]), PoolingWindow(kernel: [0]), PoolingWindow(kernel: [-3]),
      PoolingWindow(kernel: []), PoolingWindow(kernel: [2, 2]),
      PoolingWindow(kernel: [2], strides: [0]), PoolingWindow(kernel: [2], dilations: [-1]),
      PoolingWindow(kernel: [2], padding: .explicit([-1, 0])),
      PoolingWindow(kernel: [Int.max], padding: .sameUpper),
    ])
  func errors(window: PoolingWindow) {
    #expect(throws: OpError.self) { try MaxPool(window: window).result(line) }
    #expect(throws: OpError.self) { try AveragePool(window: window).result(line) }
  }

  @Test("A result beyond the limit is refused before it is made")
  func tooLarge() {
    let window = PoolingWindow(
      kernel: [1, 1], padding: .explicit([1 << 29, 1 << 29, 1 << 29, 1 << 29]))
    #expect(throws: OpError.tooLarge(shape: [1, 1, (1 << 30) + 1, (1 << 30) + 1])) {
      try MaxPool(window: window).result(counting([1, 1, 1, 1]))
    }
  }
}
