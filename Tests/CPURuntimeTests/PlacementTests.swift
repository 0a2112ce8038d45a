// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import TensorCore
import Testing

@Suite("Placement")
struct PlacementTests {
  private func dense(_ shape: [Int], _ layout: Layout) -> Placement {
    Placement(buffer: 0, elementType: .float32, shape: shape, strides: layout.strides(of: shape))
  }

  @Test("Channels-last strides put the channel innermost")
  func channelsLast() {
    #expect(Layout.channelsLast.strides(of: [2, 3, 4, 5]) == [60, 1, 15, 3])
    #expect(Layout.channelsLast.strides(of: [2, 3, 7]) == [21, 1, 3])
    #expect(Layout.channelsLast.strides(of: [2, 3]) == [3, 1])
  }

  @Test("Splitting the channels of a channels-last tensor is a view")
  func splitChannels() throws {
    let view = try #require(dense([2, 6, 4, 5], .channelsLast).reshaped(to: [2, 2, 3, 4, 5]))
    #expect(view.strides == [120, 3, 1, 30, 6])
  }

  @Test("Flattening a channels-last map with pixels is no view, without pixels it is")
  func flatten() {
    #expect(dense([2, 6, 4, 5], .channelsLast).reshaped(to: [2, 120]) == nil)
    #expect(dense([2, 6, 1, 1], .channelsLast).reshaped(to: [2, 6])?.strides == [6, 1])
    #expect(dense([2, 6, 4, 5], .plain).reshaped(to: [2, 120])?.strides == [120, 1])
  }

  @Test("A swap of channel groups cannot be merged without a copy")
  func shuffle() throws {
    let split = try #require(dense([1, 6, 2, 2], .channelsLast).reshaped(to: [1, 2, 3, 2, 2]))
    #expect(split.transposed([0, 2, 1, 3, 4]).reshaped(to: [1, 6, 2, 2]) == nil)
  }

  @Test("Axes of extent one don't matter to density")
  func unitAxes() {
    #expect(dense([1, 8, 1, 1], .channelsLast).isDense(.plain))
    #expect(!dense([1, 8, 2, 1], .channelsLast).isDense(.plain))
    #expect(dense([4, 1, 3, 3], .plain).isDense(.channelsLast))
  }

  @Test("Slices move the offset in bytes")
  func slice() {
    let part = dense([2, 6, 4, 5], .channelsLast).sliced(axis: 1, start: 2, extent: 3)
    #expect(part.offset == 8)
    #expect(part.shape == [2, 3, 4, 5])
  }

  @Test("Expanding repeats with stride zero")
  func expand() {
    #expect(dense([3, 1], .plain).expanded(to: [2, 3, 4])?.strides == [0, 1, 0])
    #expect(dense([3, 2], .plain).expanded(to: [2, 3, 4]) == nil)
  }
}
