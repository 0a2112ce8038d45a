// SPDX-License-Identifier: Apache-2.0
import CZlib

/// Decompression with zlib, bounded by a size that the caller knows.
package enum Inflater {
  enum Wrapping { case none, gzip }

  /// Deflate cannot shrink by more than this, so larger claims are lies.
  static let greatestRatio = 1032

  /// Bytes that a compressed stream may become, however much it shrank.
  private static let freeSize = 1 << 29

  /// Whether data of `size` bytes may come from `compressed` bytes: as much as deflate can shrink
  /// below `freeSize`, and 1 : 100 above, which data does not reach and bombs do.
  package static func isPlausible(_ size: Int, from compressed: Int) -> Bool {
    size / (size <= freeSize ? greatestRatio : 100) <= compressed + 1
  }

  /// At most `limit` bytes of the decompressed stream, or `nil` if the stream is damaged or ends
  /// before.
  ///
  /// Several gzip members one after the other are one stream, as gzip has it.
  static func prefix(_ limit: Int, of bytes: [UInt8], _ wrapping: Wrapping) -> [UInt8]? {
    var isDamaged = false
    let output = [UInt8](unsafeUninitializedCapacity: limit) { output, initialized in
      initialized = bytes.withUnsafeBufferPointer { input in
        inflate(input, into: output, wrapping, &isDamaged)
      }
    }
    return isDamaged || output.count < limit ? nil : output
  }

  private static func inflate(
    _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>,
    _ wrapping: Wrapping, _ isDamaged: inout Bool
  ) -> Int {
    var stream = z_stream()
    let windowBits: Int32 = wrapping == .gzip ? 15 + 16 : -15
    let version = ZLIB_VERSION
    guard inflateInit2_(&stream, windowBits, version, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      isDamaged = true
      return 0
    }
    defer { inflateEnd(&stream) }
    let chunk = 1 << 30
    var consumed = 0
    var produced = 0
    while produced < output.count {
      let offered = min(chunk, input.count - consumed)
      let room = min(chunk, output.count - produced)
      stream.next_in = input.baseAddress.map {
        UnsafeMutablePointer(mutating: $0.advanced(by: consumed))
      }
      stream.avail_in = UInt32(offered)
      stream.next_out = output.baseAddress?.advanced(by: produced)
      stream.avail_out = UInt32(room)
      let status = CZlib.inflate(&stream, Z_NO_FLUSH)
      let taken = offered - Int(stream.avail_in)
      let given = room - Int(stream.avail_out)
      consumed += taken
      produced += given
      if status == Z_STREAM_END {
        if wrapping == .none || consumed >= input.count { break }
        guard inflateReset(&stream) == Z_OK else { break }
      } else if status != Z_OK || (taken == 0 && given == 0) {
        isDamaged = status != Z_OK && status != Z_BUF_ERROR
        break
      }
    }
    return produced
  }

  /// The CRC-32 of the bytes, as zip files store it.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(crc32_z(0, $0.baseAddress, $0.count)) }
  }
}
