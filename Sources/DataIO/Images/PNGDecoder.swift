// SPDX-License-Identifier: Apache-2.0
import CPNG

/// Decoding of PNG files with libpng.
enum PNGDecoder {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> ImageBytes {
    let plain = try pixelChunks(bytes, path: path)
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    let isOpen = plain.withUnsafeBytes {
      png_image_begin_read_from_memory(&image, $0.baseAddress, $0.count)
    }
    guard isOpen != 0 else { throw malformed(path, message(image)) }
    let (width, height) = (Int(image.width), Int(image.height))
    let pixels = width * height
    guard pixels <= ImageBytes.greatestPixelCount else {
      throw .unsupported(path: path, format: .png, feature: "\(width) × \(height) pixels")
    }
    // A pixel takes at least one bit before compression.
    guard pixels / 8 / Inflater.greatestRatio <= bytes.count else {
      throw malformed(path, "\(bytes.count) bytes cannot hold \(width) × \(height) pixels")
    }
    image.format = UInt32(PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA)
    image.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
    var isDecoded: Int32 = 0
    var pixelBytes: [UInt8] = []
    plain.withUnsafeBytes { _ in
      pixelBytes = [UInt8](unsafeUninitializedCapacity: 4 * pixels) { target, initialized in
        isDecoded = png_image_finish_read(&image, nil, target.baseAddress, Int32(4 * width), nil)
        initialized = isDecoded != 0 ? 4 * pixels : 0
      }
    }
    guard isDecoded != 0 else { throw malformed(path, message(image)) }
    return ImageBytes(
      height: height, width: width, channels: 3, bytes: withoutAlpha(pixelBytes, pixels: pixels))
  }

  private static func malformed(_ path: String, _ defect: String) -> DataError {
    .malformed(path: path, format: .png, defect: defect)
  }

  /// The chunks that define the samples.
  ///
  /// Without gamma and profile chunks libpng returns the samples as they are stored.
  private static func pixelChunks(_ bytes: [UInt8], path: String) throws(DataError) -> [UInt8] {
    var plain = signature
    var position = signature.count
    while position < bytes.count {
      guard let length = bytes.bigEndian32(at: position), position + 12 + length <= bytes.count
      else { throw malformed(path, "it is cut short") }
      let kind = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
      if ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"].contains(kind) {
        plain += bytes[position..<position + 12 + length]
      }
      if kind == "IEND" { return plain }
      position += 12 + length
    }
    throw malformed(path, "it is cut short")
  }

  private static func message(_ image: png_image) -> String {
    withUnsafeBytes(of: image.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func withoutAlpha(_ source: [UInt8], pixels: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 3 * pixels) { target, initialized in
      source.withUnsafeBufferPointer { source in
        for pixel in 0..<pixels {
          target[3 * pixel] = source[4 * pixel]
          target[3 * pixel + 1] = source[4 * pixel + 1]
          target[3 * pixel + 2] = source[4 * pixel + 2]
        }
      }
      initialized = 3 * pixels
    }
  }
}
