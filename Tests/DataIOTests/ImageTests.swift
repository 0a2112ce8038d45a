// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Testing

@Suite("Images")
struct ImageTests {
  @Test(
    "PNG of any depth becomes RGB, its samples as they are stored",
    arguments: ["rgb", "alpha", "palette", "rgb16", "gamma"])
  func png(name: String) throws {
    let image = try ImageBytes.decode(ImageFixtures.bytes(name), path: name)
    #expect(image.height == 2 && image.width == 3 && image.channels == 3)
    #expect(image.bytes == ImageFixtures.pixels)
  }

  @Test("grey PNG repeats its sample, one bit is black and white")
  func greyPNG() throws {
    let grey = try ImageBytes.decode(ImageFixtures.bytes("grey"), path: "grey")
    #expect(grey.bytes == [255, 0, 0, 10, 40, 200].flatMap { [UInt8](repeating: $0, count: 3) })
    let bits = try ImageBytes.decode(ImageFixtures.bytes("bits1"), path: "bits1")
    #expect(bits.bytes == [255, 0, 255, 0, 255, 0].flatMap { [UInt8](repeating: $0, count: 3) })
  }

  /// What Pillow decodes at (3, 3), (12, 3), (3, 12), (12, 12), row and column.
  @Test(
    "JPEG decodes to what Pillow decodes",
    arguments: [
      ("baseline", [[205, 28, 56], [17, 181, 92], [87, 91, 227], [129, 128, 123]]),
      ("progressive", [[205, 28, 56], [17, 181, 92], [87, 91, 227], [129, 128, 123]]),
      ("greyJPEG", [[84, 84, 84], [122, 122, 122], [105, 105, 105], [128, 128, 128]]),
      ("inks", [[200, 30, 60], [20, 180, 90], [90, 90, 220], [128, 128, 128]]),
    ])
  func jpeg(name: String, expected: [[Int]]) throws {
    let image = try ImageBytes.decode(ImageFixtures.bytes(name), path: name)
    #expect(image.height == 16 && image.width == 16 && image.channels == 3)
    let found = [(3, 3), (12, 3), (3, 12), (12, 12)].map { row, column in
      (0..<3).map { Int(image.bytes[(row * 16 + column) * 3 + $0]) }
    }
    // Decoders may differ by one in the inverse transform and by one in the colour conversion.
    let difference = zip(found.joined(), expected.joined()).map { abs($0 - $1) }.max() ?? 255
    #expect(difference <= 2, "\(found)")
  }

  @Test(
    "a file cut short is refused by name",
    arguments: ["rgb", "palette", "baseline", "progressive", "greyJPEG"])
  func truncated(name: String) throws {
    let bytes = ImageFixtures.bytes(name)
    for length in stride(from: 0, to: bytes.count - 4, by: 7) {
      let error = #expect(throws: DataError.self) {
        _ = try ImageBytes.decode(Array(bytes.prefix(length)), path: "cut.bin")
      }
      #expect(error?.description.hasPrefix("cut.bin: ") == true)
    }
  }

  @Test("changed bytes never crash the decoders", arguments: ["rgb", "palette", "baseline"])
  func mutated(name: String) {
    let bytes = ImageFixtures.bytes(name)
    for position in bytes.indices {
      var changed = bytes
      changed[position] ^= 0x55
      let image = try? ImageBytes.decode(changed, path: "changed")
      #expect(image.map { $0.bytes.count == $0.width * $0.height * 3 } ?? true)
    }
  }

  @Test("an image that claims billions of pixels is refused before memory is taken")
  func huge() {
    var jpeg = ImageFixtures.bytes("baseline")
    guard
      let frame = jpeg.indices.dropLast().first(where: { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 })
    else {
      Issue.record("the fixture has no frame header")
      return
    }
    for (offset, byte) in [(5, 0xff), (6, 0xdc), (7, 0xff), (8, 0xdc)] {
      jpeg[frame + offset] = UInt8(byte)
    }
    let error = #expect(throws: DataError.self) {
      _ = try ImageBytes.decode(jpeg, path: "huge.jpg")
    }
    #expect(error?.description.contains("65500 × 65500") == true, "\(String(describing: error))")
  }

  @Test("a JPEG whose coded bytes cannot hold its pixels is refused before they are decoded")
  func emptyClaim() {
    var jpeg = ImageFixtures.bytes("baseline")
    guard
      let frame = jpeg.indices.dropLast().first(where: { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 })
    else {
      Issue.record("the fixture has no frame header")
      return
    }
    for (offset, byte) in [(5, 0x05), (6, 0xdc), (7, 0xff), (8, 0xdc)] {
      jpeg[frame + offset] = UInt8(byte)
    }
    let error = #expect(throws: DataError.self) {
      _ = try ImageBytes.decode(jpeg, path: "claim.jpg")
    }
    #expect(error?.description.contains("cannot hold 65500 × 1500 pixels") == true)
  }

  @Test("an image so narrow that its resized form has billions of pixels is refused by name")
  func narrow() throws {
    let folder = try TemporaryFolder()
    try folder.write("0.png", whiteLine(width: 20_000))
    let set = try Dataset.open(folder.path)
    let loader = try BatchLoader(dataset: set, preprocessing: Preprocessing(resize: 16_384))
    let error = #expect(throws: DataError.self) { try loader.batch([0]) }
    #expect(error?.description.contains("20000 × 1 pixels") == true, "\(String(describing: error))")
    let small = try BatchLoader(dataset: set, preprocessing: Preprocessing(resize: 2)).batch([0])
    #expect(small.input.shape == [1, 3, 2, 40_000])
  }

  /// A PNG of one row of white pixels, one bit each, in a stored block.
  private func whiteLine(width: Int) -> [UInt8] {
    func number(_ value: Int, _ width: Int) -> [UInt8] {
      (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    func chunk(_ kind: String, _ body: [UInt8]) -> [UInt8] {
      let tagged = Array(kind.utf8) + body
      return number(body.count, 4) + tagged + number(Int(Checksum.crc32(tagged)), 4)
    }
    let line: [UInt8] = [0] + [UInt8](repeating: 0xff, count: (width + 7) / 8)
    var (low, high) = (1, 0)
    for byte in line {
      low = (low + Int(byte)) % 65_521
      high = (high + low) % 65_521
    }
    let length = number(line.count, 2).reversed() + number(~line.count, 2).reversed()
    let stream = [0x78, 0x01, 0x01] + length + line + number(high << 16 | low, 4)
    return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
      + chunk("IHDR", number(width, 4) + number(1, 4) + [1, 0, 0, 0, 0])
      + chunk("IDAT", stream) + chunk("IEND", [])
  }

  @Test("what is neither JPEG nor PNG is refused")
  func neither() {
    let error = #expect(throws: DataError.self) {
      try ImageBytes.decode(Array("GIF89a".utf8), path: "a.gif")
    }
    #expect(error?.description.contains("JPEG or PNG") == true)
  }

  @Test("brightness weighs the colours as Pillow's mode L")
  func brightness() {
    let image = ImageBytes(
      height: 1, width: 3, channels: 3, bytes: [255, 0, 0, 10, 20, 30, 7, 7, 7])
    // (19595 · 255 + 32768) >> 16 = 76; (195950 + 769400 + 224130 + 32768) >> 16 = 18.
    #expect(image.grey().bytes == [76, 18, 7])
  }

  @Test(
    "the shared JPEG files decode to the stored pixels",
    .enabled(if: SharedData.has(SharedData.folder + "/imagenet-sample-256"), "no shared data"))
  func golden() throws {
    let folder = SharedData.folder + "/imagenet-sample-256"
    let golden = try Data(contentsOf: URL(fileURLWithPath: folder + "/golden_first4_rgb_u8.bin"))
    for index in 0..<4 {
      let image = try ImageBytes.read(folder + "/000\(index).jpg")
      #expect(image.height == 256 && image.width == 256)
      let size = 256 * 256 * 3
      let stored = [UInt8](golden[index * size..<(index + 1) * size])
      let difference = zip(image.bytes, stored).map { abs(Int($0) - Int($1)) }.max() ?? 255
      #expect(difference <= 2)
    }
  }
}
