// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Testing

@Suite("Files are written whole or not at all")
struct AtomicFileTests {
  @Test("a file is replaced, and nothing else is left in the folder")
  func replaced() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.bin", [1, 2, 3])
    try AtomicFile.write(pieces: [[9], [], [8, 7]], to: path)
    #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == [9, 8, 7])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.bin"])
  }

  @Test("a symbolic link stays one")
  func link() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.bin", [1])
    let link = folder.path + "/link.bin"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "a.bin")
    try AtomicFile.write([2], to: link)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "a.bin")
    #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/a.bin"))) == [2])
  }

  @Test("a folder that is not there, and a path that is a folder, are named")
  func noFolder() throws {
    let folder = try TemporaryFolder()
    let absent = folder.path + "/none/a.bin"
    let error = #expect(throws: DataError.self) { try AtomicFile.write([1], to: absent) }
    #expect(error == .unwritable(path: absent, code: ENOENT))
    #expect(error?.description.contains("its folder does not exist") == true)
    #expect(throws: DataError.unwritable(path: folder.path, code: EISDIR)) {
      try AtomicFile.write([1], to: folder.path)
    }
  }

  @Test(
    "a full disk is said to be full",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullDisk() {
    let error = #expect(throws: DataError.self) { try AtomicFile.write([1], to: "/dev/full") }
    #expect(error?.description.contains("the disk is full") == true)
  }

  @Test("a read-only folder is refused and keeps its file", .enabled(if: getuid() != 0))
  func readOnly() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.bin", [1])
    chmod(folder.path, 0o500)
    defer { chmod(folder.path, 0o700) }
    #expect(throws: DataError.unwritable(path: path, code: EACCES)) {
      try AtomicFile.write([2], to: path)
    }
    #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == [1])
  }
}
