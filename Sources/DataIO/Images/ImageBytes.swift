// SPDX-License-Identifier: Apache-2.0

/// An image of unsigned bytes, row by row, the channels of a pixel side by side.
public struct ImageBytes: Sendable, Equatable {
  public let height: Int
  public let width: Int

  /// Bytes per pixel: 1 grey, 3 red, green, blue.
  public let channels: Int

  /// `[height, width, channels]`, row-major.
  public let bytes: [UInt8]

  /// An image over bytes in the layout of `bytes`, which must fill it.
  public init(height: Int, width: Int, channels: Int, bytes: [UInt8]) {
    precondition(
      bytes.count == height * width * channels,
      "\(bytes.count) bytes do not fill an image of \(height) × \(width) × \(channels)")
    self.height = height
    self.width = width
    self.channels = channels
    self.bytes = bytes
  }

  /// Pixels that an image file may claim; beyond this it is refused unread.
  static let greatestPixelCount = 100_000_000

  /// The image in the JPEG or PNG file at `path`, as three channels red, green, blue.
  ///
  /// Baseline and progressive JPEG; PNG of every depth. Grey and palette images become RGB,
  /// transparency is dropped, 16-bit samples are scaled to 8. Orientation tags and colour
  /// profiles are not applied.
  ///
  /// - Throws: `DataError` if the file cannot be read, is neither, or is damaged.
  public static func read(_ path: String) throws(DataError) -> ImageBytes {
    try decode(RandomAccessFile(path: path).contents(), path: path)
  }

  /// The image that `bytes`, the content of a JPEG or PNG file, holds; `path` names it in errors.
  ///
  /// - Throws: `DataError`, as `read(_:)` does.
  public static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> ImageBytes {
    if bytes.starts(with: [0xff, 0xd8]) { return try JPEGDecoder.decode(bytes, path: path) }
    if bytes.starts(with: PNGDecoder.signature) { return try PNGDecoder.decode(bytes, path: path) }
    throw .malformed(
      path: path, format: .image,
      defect: bytes.isEmpty ? "the file is empty" : "the first bytes are those of neither")
  }

  /// One channel of brightness from three of colour: (19595 R + 38470 G + 7471 B) / 2¹⁶, rounded.
  ///
  /// Source: ITU-R BT.601 weights, in the fixed-point form that Pillow uses for mode `L`.
  public func grey() -> ImageBytes {
    guard channels == 3 else { return self }
    let pixels = height * width
    let grey = [UInt8](unsafeUninitializedCapacity: pixels) { target, initialized in
      bytes.withUnsafeBufferPointer { source in
        for pixel in 0..<pixels {
          let weighted =
            Int(source[3 * pixel]) * 19595 + Int(source[3 * pixel + 1]) * 38470
            + Int(source[3 * pixel + 2]) * 7471
          target[pixel] = UInt8((weighted + 0x8000) >> 16)
        }
      }
      initialized = pixels
    }
    return ImageBytes(height: height, width: width, channels: 1, bytes: grey)
  }
}
