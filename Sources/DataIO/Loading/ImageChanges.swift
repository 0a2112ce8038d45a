// SPDX-License-Identifier: Apache-2.0
import Foundation
import TensorCore

/// A rectangle of pixels.
struct PixelRectangle: Equatable, Sendable {
  var top: Int
  var left: Int
  var height: Int
  var width: Int
}

/// What the augmentation does to one image, all random choices made.
struct ImageChanges: Equatable, Sendable {
  /// The part that is resized to the network's input.
  var part: PixelRectangle?

  /// Where the output's first pixel lies in the source; may be outside.
  var top = 0
  var left = 0
  var isMirrored = false

  /// Factors of brightness, contrast and saturation.
  var colours: (brightness: Float, contrast: Float, saturation: Float)?

  /// Rectangles of the output that are set to the mean.
  var erased: [PixelRectangle] = []

  static func == (first: ImageChanges, second: ImageChanges) -> Bool {
    first.part == second.part && first.top == second.top && first.left == second.left
      && first.isMirrored == second.isMirrored && first.erased == second.erased
      && first.colours?.brightness == second.colours?.brightness
      && first.colours?.contrast == second.colours?.contrast
      && first.colours?.saturation == second.colours?.saturation
  }
}

extension AugmentationOptions {
  /// The changes of one image, drawn from its own source.
  ///
  /// - Parameters:
  ///   - source: Height and width of the image as it is stored.
  ///   - output: Height and width of what the network takes.
  func changes(
    source: (height: Int, width: Int), output: (height: Int, width: Int),
    _ random: inout RandomSource
  ) -> ImageChanges {
    var changes = ImageChanges()
    if let crop = randomResizedCrop {
      changes.part = Self.part(crop, height: source.height, width: source.width, &random)
    }
    if padCrop > 0 {
      changes.top = random.nextIndex(below: 2 * padCrop + 1) - padCrop
      changes.left = random.nextIndex(below: 2 * padCrop + 1) - padCrop
    }
    if horizontalFlip { changes.isMirrored = random.nextIndex(below: 2) == 1 }
    if let jitter = colorJitter {
      func factor(_ reach: Double) -> Float {
        Float(random.nextUniform(in: [1 - reach, 1 + reach]))
      }
      changes.colours = (
        factor(jitter.brightness), factor(jitter.contrast), factor(jitter.saturation)
      )
    }
    if cutout > 0 {
      let row = random.nextIndex(below: output.height) - cutout / 2
      let column = random.nextIndex(below: output.width) - cutout / 2
      changes.erased.append(
        PixelRectangle(top: row, left: column, height: cutout, width: cutout))
    }
    if let erasing = randomErasing, random.nextUniform() < erasing.probability {
      if let hole = Self.hole(erasing, output.height, output.width, &random) {
        changes.erased.append(hole)
      }
    }
    return changes
  }

  private static func part(
    _ crop: ResizedCrop, height: Int, width: Int, _ random: inout RandomSource
  ) -> PixelRectangle {
    let logarithms = crop.ratio.map { log($0) }
    for _ in 0..<10 {
      let area = Double(height * width) * random.nextUniform(in: crop.scale)
      let ratio = exp(random.nextUniform(in: logarithms))
      let wide = Int((area * ratio).squareRoot().rounded())
      let high = Int((area / ratio).squareRoot().rounded())
      guard wide > 0, wide <= width, high > 0, high <= height else { continue }
      return PixelRectangle(
        top: random.nextIndex(below: height - high + 1),
        left: random.nextIndex(below: width - wide + 1), height: high, width: wide)
    }
    let ratio = Double(width) / Double(height)
    var (high, wide) = (height, width)
    if let least = crop.ratio.first, ratio < least {
      high = min(height, max(1, Int((Double(width) / least).rounded())))
    } else if let greatest = crop.ratio.last, ratio > greatest {
      wide = min(width, max(1, Int((Double(height) * greatest).rounded())))
    }
    return PixelRectangle(
      top: (height - high) / 2, left: (width - wide) / 2, height: high, width: wide)
  }

  private static func hole(
    _ erasing: Erasing, _ height: Int, _ width: Int, _ random: inout RandomSource
  ) -> PixelRectangle? {
    let logarithms = erasing.ratio.map { log($0) }
    for _ in 0..<10 {
      let area = Double(height * width) * random.nextUniform(in: erasing.area)
      let ratio = exp(random.nextUniform(in: logarithms))
      let high = Int((area * ratio).squareRoot().rounded())
      let wide = Int((area / ratio).squareRoot().rounded())
      guard high < height, wide < width, high > 0, wide > 0 else { continue }
      return PixelRectangle(
        top: random.nextIndex(below: height - high + 1),
        left: random.nextIndex(below: width - wide + 1), height: high, width: wide)
    }
    return nil
  }
}

extension ImageBytes {
  /// The pixels of a rectangle that lies within the image.
  func part(_ rectangle: PixelRectangle) -> ImageBytes {
    var cut: [UInt8] = []
    cut.reserveCapacity(rectangle.height * rectangle.width * channels)
    for row in rectangle.top..<rectangle.top + rectangle.height {
      let start = (row * width + rectangle.left) * channels
      cut += bytes[start..<start + rectangle.width * channels]
    }
    return ImageBytes(
      height: rectangle.height, width: rectangle.width, channels: channels, bytes: cut)
  }
}

/// Brightness, contrast and saturation of interleaved pixels, changed in place.
enum ColourChange {
  /// Multiplies by brightness, then the distance from the image's mean brightness by contrast, then
  /// the distance from the pixel's own brightness by saturation.
  ///
  /// Each step is rounded and clamped to a byte.
  static func apply(
    _ factors: (brightness: Float, contrast: Float, saturation: Float),
    to pixels: UnsafeMutableBufferPointer<UInt8>, channels: Int
  ) {
    if factors.brightness != 1 {
      for index in pixels.indices {
        pixels[index] = byte(Float(pixels[index]) * factors.brightness)
      }
    }
    let count = pixels.count / channels
    if factors.contrast != 1, count > 0 {
      var sum: Double = 0
      for pixel in 0..<count { sum += Double(grey(pixels, pixel, channels)) }
      let mean = Float((sum / Double(count)).rounded())
      for index in pixels.indices {
        pixels[index] = byte(mean + (Float(pixels[index]) - mean) * factors.contrast)
      }
    }
    if factors.saturation != 1, channels == 3 {
      for pixel in 0..<count {
        let grey = grey(pixels, pixel, channels)
        for index in 3 * pixel..<3 * pixel + 3 {
          pixels[index] = byte(grey + (Float(pixels[index]) - grey) * factors.saturation)
        }
      }
    }
  }

  private static func byte(_ value: Float) -> UInt8 { UInt8(max(0, min(255, value + 0.5))) }

  /// ITU-R BT.601 brightness.
  private static func grey(
    _ pixels: UnsafeMutableBufferPointer<UInt8>, _ pixel: Int, _ channels: Int
  ) -> Float {
    guard channels == 3 else { return Float(pixels[pixel * channels]) }
    let start = 3 * pixel
    return 0.299 * Float(pixels[start]) + 0.587 * Float(pixels[start + 1])
      + 0.114 * Float(pixels[start + 2])
  }
}
