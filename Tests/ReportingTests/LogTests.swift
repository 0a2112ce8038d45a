// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Testing

@Suite("Logs of training")
struct LogTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "swiftlet-log-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  @Test("The checksum of the examples in RFC 3720, B.4, and of a check string")
  func checksum() {
    #expect(Checksum.castagnoli([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(Checksum.castagnoli([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(Checksum.castagnoli(Array(0..<32)) == 0x46dd_794e)
    #expect(Checksum.castagnoli(Array("123456789".utf8)) == 0xe306_9283)
    #expect(Checksum.castagnoli([]) == 0)
  }

  @Test("Every record of an event file frames its event, and events hold what was added")
  func events() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = try TensorBoardLog(
      folder: folder.appending(path: "run").path, time: 1_700_000_000.5, step: 7)
    try log.add([("loss/training", 0.5), ("rate", 0.25)], step: 300, time: 1_700_000_001)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: log.path)))
    var records: [[UInt8]] = []
    var place = 0
    func number(_ width: Int) -> UInt64 {
      defer { place += width }
      return bytes[place..<place + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    while place < bytes.count {
      let start = place
      let length = Int(number(8))
      #expect(number(4) == UInt64(Checksum.masked(Array(bytes[start..<start + 8]))))
      let event = Array(bytes[place..<place + length])
      place += length
      #expect(number(4) == UInt64(Checksum.masked(event)))
      records.append(event)
    }
    let time = [0x09] + withUnsafeBytes(of: 1_700_000_000.5.bitPattern.littleEndian) { [UInt8]($0) }
    #expect(records.count == 3)
    #expect(records[0] == time + [0x1a, 13] + Array("brain.Event:2".utf8))
    #expect(records[1] == time + [0x10, 7, 0x3a, 2, 0x08, 1])
    // Step 300 is 0xac 0x02; each value is a tag and a float of four bytes.
    let first = [0x0a, 13] + Array("loss/training".utf8) + [0x15, 0, 0, 0, 0x3f]
    let second = [0x0a, 4] + Array("rate".utf8) + [0x15, 0, 0, 0x80, 0x3e]
    let values =
      [0x0a, UInt8(first.count)] + first + [0x0a, UInt8(second.count)] + second
    #expect(
      Array(records[2].dropFirst(9)) == [0x10, 0xac, 0x02, 0x2a, UInt8(values.count)] + values)
  }

  @Test("Two logs of one moment are two files, and a file cannot be a folder")
  func places() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try TensorBoardLog(folder: folder.path, time: 1)
    let second = try TensorBoardLog(folder: folder.path, time: 1)
    #expect(first.path != second.path)
    #expect(throws: ReportingError.self) { try TensorBoardLog(folder: first.path, time: 1) }
  }

  @Test("A table grows by lines, and keeps those before the first that is unwanted")
  func table() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "log.csv").path
    func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
    do {
      let log = try CSVLog(path: path, columns: ["epoch", "loss", "top1"])
      try log.add([1, 2.5, nil])
      try log.add([2, 0.1, 91.25])
      try log.add([3, 1e-9, 92])
    }
    #expect(try text() == "epoch,loss,top1\n1,2.5,\n2,0.1,91.25\n3,1e-09,92\n")
    do {
      let log = try CSVLog(path: path, columns: ["epoch", "loss", "top1"]) { $0["epoch"] != "3" }
      try log.add([3, 0.05, 93])
    }
    #expect(try text() == "epoch,loss,top1\n1,2.5,\n2,0.1,91.25\n3,0.05,93\n")
    #expect(throws: ReportingError.self) {
      try CSVLog(path: path, columns: ["step", "loss"]) { _ in true }
    }
    _ = try CSVLog(path: path, columns: ["step", "a,\"b\""])
    #expect(try text() == "step,\"a,\"\"b\"\"\"\n")
    #expect(throws: ReportingError.self) {
      try CSVLog(path: folder.path + "/missing/log.csv", columns: ["a"])
    }
  }
}
