// SPDX-License-Identifier: Apache-2.0
import Foundation

/// An open file that is neither a folder nor a device.
///
/// A class because it owns the descriptor and closes it.
final class PlainFile {
  let size: Int
  private let descriptor: Int32

  /// Why a file could not be opened or read.
  struct Failure: Error, CustomStringConvertible { let description: String }

  init(path: String) throws(Failure) {
    let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard opened >= 0 else { throw Failure(description: PlainFile.lastReason()) }
    var status = stat()
    guard fstat(opened, &status) == 0 else {
      let reason = PlainFile.lastReason()
      close(opened)
      throw Failure(description: reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(opened)
      throw Failure(description: "not a plain file")
    }
    descriptor = opened
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// A range of the file, which must be inside `size`.
  func bytes(offset: Int, length: Int) throws(Failure) -> [UInt8] {
    var failure: Failure?
    let bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
      initialized = 0
      while initialized < length {
        let start = buffer.baseAddress?.advanced(by: initialized)
        let count = pread(descriptor, start, length - initialized, off_t(offset + initialized))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          failure = Failure(
            description: count == 0 ? "the file ended early" : PlainFile.lastReason())
          return
        }
        initialized += count
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// The path without links and `.`; `nil`, with `errno` set, if it leads nowhere.
  static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The system's words for the last failed call.
  static func lastReason() -> String { String(cString: strerror(errno)) }
}
