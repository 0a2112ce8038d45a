// SPDX-License-Identifier: Apache-2.0

extension ImageBytes {
  /// The image resized so that its shorter side has `size` pixels, its proportions kept.
  ///
  /// The longer side is rounded down. An image that already fits is returned as it is.
  public func resized(shortSide size: Int) -> ImageBytes {
    let short = min(height, width)
    guard short != size, short > 0 else { return self }
    return height <= width
      ? resized(height: size, width: max(1, size * width / height))
      : resized(height: max(1, size * height / width), width: size)
  }

  /// The image resized by bilinear interpolation, antialiased where it shrinks.
  ///
  /// Source: the resampling of Pillow (`Image.resize` with `BILINEAR`), whose results it equals
  /// bit for bit: weights of a triangle as wide as two output pixels (two input pixels when it
  /// grows), rounded to multiples of 2⁻²²; rows first, each pass rounded to a byte.
  public func resized(height newHeight: Int, width newWidth: Int) -> ImageBytes {
    precondition(newHeight > 0 && newWidth > 0, "an image of no pixels was asked for")
    guard height > 0, width > 0 else { return self }
    let wide = newWidth == width ? self : resampledRows(to: newWidth)
    return newHeight == height ? wide : wide.resampledColumns(to: newHeight)
  }

  /// The square of `size` pixels in the middle, top and left rounded down.
  ///
  /// `size` must not exceed either side.
  public func centerCropped(to size: Int) -> ImageBytes {
    precondition(size <= height && size <= width, "the crop is larger than the image")
    guard size != height || size != width else { return self }
    let top = (height - size) / 2
    let left = (width - size) / 2
    var cropped: [UInt8] = []
    cropped.reserveCapacity(size * size * channels)
    for row in top..<top + size {
      let start = (row * width + left) * channels
      cropped += bytes[start..<start + size * channels]
    }
    return ImageBytes(height: size, width: size, channels: channels, bytes: cropped)
  }

  private func resampledRows(to newWidth: Int) -> ImageBytes {
    let weights = ResamplingWeights(from: width, to: newWidth)
    let count = height * newWidth * channels
    let resampled = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      bytes.withUnsafeBufferPointer { source in
        weights.values.withUnsafeBufferPointer { values in
          for row in 0..<height {
            for column in 0..<newWidth {
              let first = weights.first[column]
              let taps = weights.count[column]
              let origin = column * weights.stride
              for channel in 0..<channels {
                var sum: Int32 = 1 << 21
                var position = (row * width + first) * channels + channel
                for tap in 0..<taps {
                  sum &+= Int32(source[position]) &* values[origin + tap]
                  position += channels
                }
                target[(row * newWidth + column) * channels + channel] = Self.byte(sum)
              }
            }
          }
        }
      }
      initialized = count
    }
    return ImageBytes(height: height, width: newWidth, channels: channels, bytes: resampled)
  }

  private func resampledColumns(to newHeight: Int) -> ImageBytes {
    let weights = ResamplingWeights(from: height, to: newHeight)
    let rowBytes = width * channels
    let count = newHeight * rowBytes
    let resampled = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      bytes.withUnsafeBufferPointer { source in
        weights.values.withUnsafeBufferPointer { values in
          for row in 0..<newHeight {
            let first = weights.first[row]
            let taps = weights.count[row]
            let origin = row * weights.stride
            for column in 0..<rowBytes {
              var sum: Int32 = 1 << 21
              var position = first * rowBytes + column
              for tap in 0..<taps {
                sum &+= Int32(source[position]) &* values[origin + tap]
                position += rowBytes
              }
              target[row * rowBytes + column] = Self.byte(sum)
            }
          }
        }
      }
      initialized = count
    }
    return ImageBytes(height: newHeight, width: width, channels: channels, bytes: resampled)
  }

  private static func byte(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> 22) }
}

/// Which input positions make up each output position of a resized line, and with what weight.
struct ResamplingWeights {
  /// First input position of each output position.
  private(set) var first: [Int]
  /// Number of input positions of each output position.
  private(set) var count: [Int]
  /// `[outputs, stride]`: weights in units of 2⁻²².
  private(set) var values: [Int32]
  let stride: Int

  init(from inputSize: Int, to outputSize: Int) {
    let scale = Double(inputSize) / Double(outputSize)
    let filterScale = max(scale, 1)
    let support = filterScale
    stride = Int(support.rounded(.up)) * 2 + 1
    first = []
    count = []
    values = [Int32](repeating: 0, count: outputSize * stride)
    for output in 0..<outputSize {
      let center = (Double(output) + 0.5) * scale
      let low = max(0, Int(center - support + 0.5))
      let high = min(inputSize, Int(center + support + 0.5))
      var weights = (low..<high).map { position in
        max(0, 1 - abs((Double(position - low) + Double(low) - center + 0.5) * (1 / filterScale)))
      }
      let total = weights.reduce(0, +)
      if total != 0 { weights = weights.map { $0 / total } }
      first.append(low)
      count.append(weights.count)
      for (tap, weight) in weights.enumerated() {
        values[output * stride + tap] = Int32(0.5 + weight * 0x1p22)
      }
    }
  }
}
