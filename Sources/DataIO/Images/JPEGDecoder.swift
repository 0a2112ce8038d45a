// SPDX-License-Identifier: Apache-2.0
import CJPEG

/// Decoding of JPEG files with libjpeg-turbo: accurate inverse transform, smooth chroma upsampling.
enum JPEGDecoder {
  static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> ImageBytes {
    guard isComplete(bytes) else {
      throw .malformed(path: path, format: .jpeg, defect: "it is cut short")
    }
    guard let handle = tjInitDecompress() else {
      throw .malformed(path: path, format: .jpeg, defect: "the decoder does not start")
    }
    defer { tjDestroy(handle) }
    func malformed() -> DataError {
      .malformed(path: path, format: .jpeg, defect: String(cString: tjGetErrorStr2(handle)))
    }
    var width: Int32 = 0
    var height: Int32 = 0
    var subsampling: Int32 = 0
    var colorSpace: Int32 = 0
    let headerStatus = bytes.withUnsafeBufferPointer {
      tjDecompressHeader3(
        handle, $0.baseAddress, UInt($0.count), &width, &height, &subsampling, &colorSpace)
    }
    guard headerStatus == 0 || tjGetErrorCode(handle) == TJERR_WARNING.rawValue else {
      throw malformed()
    }
    let pixels = Int(width) * Int(height)
    guard width > 0, height > 0, pixels <= ImageBytes.greatestPixelCount else {
      throw .unsupported(path: path, format: .jpeg, feature: "\(width) × \(height) pixels")
    }
    // Coding takes at least a bit for each block of 64 pixels.
    guard pixels / 512 <= bytes.count else {
      throw .malformed(
        path: path, format: .jpeg,
        defect: "\(bytes.count) bytes cannot hold \(width) × \(height) pixels")
    }
    let isInks = colorSpace == TJCS_CMYK.rawValue || colorSpace == TJCS_YCCK.rawValue
    let format = isInks ? TJPF_CMYK : TJPF_RGB
    let samples = isInks ? 4 : 3
    var status: Int32 = 0
    let decoded = [UInt8](unsafeUninitializedCapacity: pixels * samples) { target, initialized in
      status = bytes.withUnsafeBufferPointer {
        tjDecompress2(
          handle, $0.baseAddress, UInt($0.count), target.baseAddress, width, 0, height,
          Int32(format.rawValue), TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
      }
      initialized = pixels * samples
    }
    if status != 0 {
      let isCut = String(cString: tjGetErrorStr2(handle)).contains("remature end")
      guard tjGetErrorCode(handle) == TJERR_WARNING.rawValue, !isCut else { throw malformed() }
    }
    return ImageBytes(
      height: Int(height), width: Int(width), channels: 3,
      bytes: isInks ? colors(ofInks: decoded) : decoded)
  }

  /// Whether an end marker follows the last start of scan, neither of which can occur in coded data.
  ///
  /// The decoder fills up what is missing from a progressive file without a word.
  private static func isComplete(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { bytes in
      var position = bytes.count - 2
      var hasEnd = false
      while position >= 0 {
        if bytes[position] == 0xff {
          if bytes[position + 1] == 0xd9 { hasEnd = true }
          if bytes[position + 1] == 0xda { return hasEnd }
        }
        position -= 1
      }
      return false
    }
  }

  /// Red, green and blue from inverted cyan, magenta, yellow and black, as Adobe writes them.
  private static func colors(ofInks inks: [UInt8]) -> [UInt8] {
    var colors: [UInt8] = []
    colors.reserveCapacity(inks.count / 4 * 3)
    for pixel in stride(from: 0, to: inks.count, by: 4) {
      let light = Int(inks[pixel + 3])
      for channel in 0..<3 {
        colors.append(UInt8((Int(inks[pixel + channel]) * light + 127) / 255))
      }
    }
    return colors
  }
}
