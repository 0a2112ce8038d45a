// SPDX-License-Identifier: Apache-2.0

/// A run of evenly spaced positions.
struct WindowLine {
  var start: Int
  var count: Int
  var step: Int
}

extension WindowGeometry {
  /// Visits the window positions in row-major order.
  ///
  /// - Parameter body: Called with the linear output position and the linear input positions under
  ///   the window, in row-major order; those in the padding are left out.
  func forEachWindow(_ body: (_ position: Int, _ lines: [WindowLine]) -> Void) {
    let last = kernel.count - 1
    let positions = output.reduce(1, *)
    for position in 0..<positions {
      var place = [Int](repeating: 0, count: kernel.count)
      var rest = position
      for axis in kernel.indices.reversed() {
        place[axis] = rest % output[axis]
        rest /= output[axis]
      }
      var bases = [0]
      for axis in 0..<last {
        let start = place[axis] * strides[axis] - padsBegin[axis]
        let covered = taps(axis: axis, position: place[axis])
        bases = bases.flatMap { base in
          covered.map { (base + start + $0 * dilations[axis]) * input[axis + 1] }
        }
      }
      let start = place[last] * strides[last] - padsBegin[last]
      let covered = taps(axis: last, position: place[last])
      let lines =
        covered.isEmpty
        ? []
        : bases.map {
          WindowLine(
            start: $0 + start + covered.lowerBound * dilations[last], count: covered.count,
            step: dilations[last])
        }
      body(position, lines)
    }
  }

  /// The number of taps of a window on the input and its padding; windows may reach beyond both.
  func paddedTapCount(position: Int) -> Double {
    var rest = position
    var count = 1.0
    for axis in kernel.indices.reversed() {
      let start = rest % output[axis] * strides[axis]
      let room = padsBegin[axis] + input[axis] + padsEnd[axis] - start
      let taps = min(kernel[axis], (room + dilations[axis] - 1) / dilations[axis])
      count *= Double(max(0, taps))
      rest /= output[axis]
    }
    return count
  }

  /// The column-major index of the input position with a row-major index.
  func columnMajor(_ index: Int) -> Int {
    var rest = index
    var distance = input.reduce(1, *)
    var result = 0
    for axis in input.indices.reversed() {
      distance /= input[axis]
      result += rest % input[axis] * distance
      rest /= input[axis]
    }
    return result
  }
}
