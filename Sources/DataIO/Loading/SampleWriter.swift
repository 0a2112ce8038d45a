// SPDX-License-Identifier: Apache-2.0

/// Writes samples into their place of a batch, moved, mirrored and normalised on the way.
struct SampleWriter: Sendable {
  let channels: Int
  let height: Int
  let width: Int
  /// `[channels, 256]`: the value of each byte.
  let tables: [Float]
  /// `[channels]`: the value of what lies outside the image.
  let blanks: [Float]
  /// Which channel of the source each of the network's channels is.
  let origins: [Int]

  /// Writes an image of bytes, `[source.height, source.width, channels]`.
  func write(
    _ pixels: UnsafeBufferPointer<UInt8>, source: (height: Int, width: Int),
    _ changes: ImageChanges, to target: UnsafeMutableBufferPointer<Float>
  ) {
    tables.withUnsafeBufferPointer { tables in
      for channel in 0..<channels {
        let table = UnsafeBufferPointer(rebasing: tables[channel * 256..<(channel + 1) * 256])
        rows(channel, source: source, changes, target) { row, columns, line, step in
          var position = (row * source.width + columns.lowerBound) * channels + origins[channel]
          var place = line
          for _ in columns {
            target[place] = table[Int(pixels[position])]
            position += channels
            place += step
          }
        }
      }
    }
    erase(changes.erased, target)
  }

  /// Writes an array of values that are normalised already, `[channels, height, width]`.
  func write(
    _ values: UnsafeBufferPointer<Float>, _ changes: ImageChanges,
    to target: UnsafeMutableBufferPointer<Float>
  ) {
    guard changes != ImageChanges() else {
      for index in target.indices { target[index] = values[index] }
      return
    }
    for channel in 0..<channels {
      rows(channel, source: (height, width), changes, target) { row, columns, line, step in
        var position = (channel * height + row) * width + columns.lowerBound
        var place = line
        for _ in columns {
          target[place] = values[position]
          position += 1
          place += step
        }
      }
    }
    erase(changes.erased, target)
  }

  /// Calls `body` for each row that has pixels of the source, and fills what is outside.
  ///
  /// `body` gets the row and columns in the source, where the first of them goes, and the step from
  /// one to the next.
  private func rows(
    _ channel: Int, source: (height: Int, width: Int), _ changes: ImageChanges,
    _ target: UnsafeMutableBufferPointer<Float>,
    _ body: (_ row: Int, _ columns: Range<Int>, _ line: Int, _ step: Int) -> Void
  ) {
    let first = max(0, -changes.left)
    let last = max(first, min(width, source.width - changes.left))
    for row in 0..<height {
      let line = (channel * height + row) * width
      let origin = row + changes.top
      guard origin >= 0, origin < source.height, first < last else {
        fill(target, line..<line + width, blanks[channel])
        continue
      }
      let columns = first + changes.left..<last + changes.left
      if changes.isMirrored {
        fill(target, line + width - first..<line + width, blanks[channel])
        fill(target, line..<line + width - last, blanks[channel])
        body(origin, columns, line + width - 1 - first, -1)
      } else {
        fill(target, line..<line + first, blanks[channel])
        fill(target, line + last..<line + width, blanks[channel])
        body(origin, columns, line + first, 1)
      }
    }
  }

  private func erase(
    _ rectangles: [PixelRectangle], _ target: UnsafeMutableBufferPointer<Float>
  ) {
    for hole in rectangles {
      let top = max(0, hole.top)
      let left = max(0, hole.left)
      let right = max(left, min(width, hole.left + hole.width))
      for channel in 0..<channels {
        for row in top..<max(top, min(height, hole.top + hole.height)) {
          let line = (channel * height + row) * width
          fill(target, line + left..<line + right, 0)
        }
      }
    }
  }

  private func fill(
    _ target: UnsafeMutableBufferPointer<Float>, _ range: Range<Int>, _ value: Float
  ) {
    for index in range { target[index] = value }
  }
}
