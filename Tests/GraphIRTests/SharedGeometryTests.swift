// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Shapes broadcast as in ONNX")
struct BroadcastingTests {
  @Test("Numbers stretch ones and nothing else")
  func numbers() {
    #expect(Broadcasting.shape([[2, 1, 4], [3, 1], []]) == [2, 3, 4])
    #expect(Broadcasting.shape([[0, 1], [1, 3]]) == [0, 3])
    #expect(Broadcasting.shape([[2], [3]]) == nil)
    #expect(Broadcasting.shape([[0], [3]]) == nil)
    #expect(Broadcasting.shape([]) == [])
  }

  @Test("A symbol meets itself, a one, or a number that decides")
  func symbols() {
    let n = Dimension.symbol("N")
    #expect(Broadcasting.dimensions([[n, 1], [n, 3]]) == [n, 3])
    #expect(Broadcasting.dimensions([[n], [1]]) == [n])
    #expect(Broadcasting.dimensions([[n], [3]]) == [3])
    #expect(Broadcasting.dimensions([[n], [.symbol("M")]]) == [.unknown])
    #expect(Broadcasting.dimensions([[.unknown], [1]]) == [.unknown])
    #expect(Broadcasting.dimensions([[2], [3]]) == nil)
  }

  @Test("An operand may stretch to what it meets, but not enlarge it")
  func stretching() {
    #expect(Broadcasting.canStretch([1, 3], to: [.symbol("N"), 2, 3]))
    #expect(Broadcasting.canStretch([.unknown], to: [1]))
    #expect(!Broadcasting.canStretch([3], to: [1]))
    #expect(!Broadcasting.canStretch([1, 1], to: [1]))
  }

  @Test("Indices repeat along stretched axes")
  func indices() {
    #expect(Broadcasting.indices(of: [2, 1], in: [2, 3]) == [0, 0, 0, 1, 1, 1])
    #expect(Broadcasting.indices(of: [3], in: [2, 3]) == [0, 1, 2, 0, 1, 2])
    #expect(Broadcasting.indices(of: [2, 1, 2], in: [2, 2, 2]) == [0, 1, 0, 1, 2, 3, 2, 3])
    #expect(Broadcasting.indices(of: [], in: []) == [0])
    #expect(Broadcasting.indices(of: [1], in: [0]) == [])
    #expect(Broadcasting.indices(of: [2], in: [3]) == nil)
    #expect(Broadcasting.indices(of: [1, 1], in: [1]) == nil)
  }

  @Test("Axes over which all inputs move alike are one row")
  func rows() throws {
    let rows = try #require(BroadcastRows([[4, 5, 6], [4, 5, 6]], output: [4, 5, 6]))
    #expect(rows.rowCount == 1)
    #expect(rows.rowLength == 120)
    let bias = try #require(BroadcastRows([[2, 3, 4, 5], [3, 1, 1]], output: [2, 3, 4, 5]))
    #expect(bias.rowLength == 20)
    #expect(bias.steps == [1, 0])
    var starts: [[Int]] = []
    bias.forEachRow { output, inputs in starts.append([output] + inputs) }
    #expect(
      starts == [
        [0, 0, 0], [20, 20, 1], [40, 40, 2], [60, 60, 0], [80, 80, 1], [100, 100, 2],
      ])
  }
}

@Suite("Axes are counted from either end")
struct AxesTests {
  @Test("Negative axes count from the last")
  func normalized() throws {
    #expect(try Axes.normalized(-1, rank: 3) == 2)
    #expect(try Axes.normalized([2, -3], rank: 3) == [2, 0])
    #expect(try Axes.normalized(3, rank: 3, includesEnd: true) == 3)
  }

  @Test("Axes out of range or given twice are errors", arguments: [[3], [-4], [1, -2], [Int.min]])
  func errors(axes: [Int]) {
    #expect(throws: OpError.self) { try Axes.normalized(axes, rank: 3) }
  }

  @Test("A scalar has no axes")
  func scalar() {
    #expect(throws: OpError.self) { try Axes.normalized(0, rank: 0) }
  }
}

@Suite("Window geometry resolves every default")
struct WindowGeometryTests {
  @Test("Strides, dilations and pads are filled in")
  func defaults() throws {
    let geometry = try WindowGeometry(input: [5, 6], kernel: [3, 2], padding: .sameLower)
    #expect(geometry.strides == [1, 1])
    #expect(geometry.dilations == [1, 1])
    #expect(geometry.padsBegin == [1, 1])
    #expect(geometry.padsEnd == [1, 0])
    #expect(geometry.output == [5, 6])
  }

  @Test("Equal padding never cuts: a stride beyond the window pads nothing")
  func wideStride() throws {
    let geometry = try WindowGeometry(input: [6], kernel: [1], strides: [3], padding: .sameUpper)
    #expect(geometry.padsBegin == [0])
    #expect(geometry.output == [2])
  }

  @Test("Taps and positions on the input are the same pairs, listed from both sides")
  func taps() throws {
    let geometry = try WindowGeometry(
      input: [7], kernel: [4], strides: [3], dilations: [2], padding: .explicit([3, 4]))
    for tap in 0..<4 {
      for position in 0..<geometry.output[0] {
        let place = position * 3 + tap * 2 - 3
        let isInside = (0..<7).contains(place)
        #expect(geometry.taps(axis: 0, position: position).contains(tap) == isInside)
        #expect(geometry.positions(axis: 0, tap: tap).contains(position) == isInside)
      }
    }
  }
}
