// SPDX-License-Identifier: Apache-2.0
import DataIO
import Testing

@Suite("Resizing equals Pillow's")
struct ResamplingTests {
  /// Growing [0, 100, 255] to five: centres fall at 0.1, 0.4, 1, 1.6 and 1.9 of the input, so the
  /// values are 0 + 0.1 · … clamped at the ends: 0, 40, 100, 100 + 0.6 · 155 = 193, 255.
  @Test("growing a line, worked by hand")
  func growing() {
    let line = ImageBytes(height: 1, width: 3, channels: 1, bytes: [0, 100, 255])
    #expect(line.resized(height: 1, width: 5).bytes == [0, 40, 100, 193, 255])
  }

  /// Shrinking five to one: a triangle of half width 5 about 2.5 weighs the pixels
  /// 0.6, 0.8, 1, 0.8, 0.6 of 3.8.
  @Test("shrinking a line, worked by hand")
  func shrinking() {
    let line = ImageBytes(height: 1, width: 5, channels: 1, bytes: [0, 10, 20, 40, 80])
    // (8 + 20 + 32 + 48) / 3.8 = 28.4
    #expect(line.resized(height: 1, width: 1).bytes == [28])
    #expect(line.resized(height: 1, width: 3).bytes == [4, 22, 63])
  }

  /// `Image.fromarray(a).resize(size, Image.BILINEAR)` of Pillow.
  @Test("both directions and channels equal Pillow's bytes")
  func small() {
    let bytes = (0..<72).map { UInt8($0 * 37 % 256) }
    let image = ImageBytes(height: 4, width: 6, channels: 3, bytes: bytes)
    #expect(
      image.resized(height: 2, width: 3).bytes == [
        85, 106, 143, 141, 91, 115, 136, 142, 85, 113, 150, 140, 109, 118, 155, 164, 102, 123,
      ])
  }

  /// CRC-32 of Pillow's result for an image of 375 × 500 × 3 bytes ((31 i² + 7 i) >> 5) mod 256.
  @Test(
    "whole images equal Pillow's bit for bit",
    arguments: [
      (256, 341, 3_851_347_788), (256, 500, 1_766_108_279), (375, 341, 383_404_296),
      (224, 224, 1_770_933_466), (450, 600, 1_061_644_916),
    ])
  func whole(height: Int, width: Int, checksum: UInt32) {
    let bytes = (0..<375 * 500 * 3).map { (index: Int) -> UInt8 in
      UInt8(truncatingIfNeeded: (index * index * 31 + index * 7) >> 5)
    }
    let image = ImageBytes(height: 375, width: 500, channels: 3, bytes: bytes)
    #expect(Checksum.crc32(image.resized(height: height, width: width).bytes) == checksum)
  }

  @Test("the short side gets the size, the long side is rounded down")
  func shortSide() {
    let image = ImageBytes(
      height: 375, width: 500, channels: 1, bytes: [UInt8](repeating: 9, count: 375 * 500))
    let resized = image.resized(shortSide: 256)
    #expect([resized.height, resized.width] == [256, 341])
    #expect(resized.bytes.allSatisfy { $0 == 9 })
    #expect(image.resized(shortSide: 375) == image)
  }

  @Test("the crop is taken from the middle, odd rests rounded down to top and left")
  func crop() {
    let image = ImageBytes(height: 4, width: 5, channels: 1, bytes: (0..<20).map { UInt8($0) })
    #expect(image.centerCropped(to: 3).bytes == [1, 2, 3, 6, 7, 8, 11, 12, 13])
    #expect(image.centerCropped(to: 4).bytes.prefix(4) == [0, 1, 2, 3])
  }
}
