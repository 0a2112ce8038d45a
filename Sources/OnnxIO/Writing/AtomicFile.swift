// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file that is written beside its place and takes it only when it is whole.
///
/// A class because it owns the descriptor and, until `commit()`, the file beside the place.
final class AtomicFile {
  private let path: String
  private let partialPath: String
  private var descriptor: Int32
  private var isCommitted = false
  private(set) var size = 0

  /// Why a file could not be written.
  struct Failure: Error, CustomStringConvertible { let description: String }

  init(path: String) throws(Failure) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw Failure(description: "there is a folder or device in its place")
    }
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    self.path = path
    partialPath = "\(folder).\(name).\(getpid()).partial"
    descriptor = open(partialPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Failure(description: PlainFile.lastReason()) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !isCommitted { unlink(partialPath) }
  }

  func write(_ bytes: [UInt8]) throws(Failure) {
    var failure: Failure?
    bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count {
        let start = buffer.baseAddress?.advanced(by: written)
        let count = Foundation.write(descriptor, start, buffer.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          failure = Failure(description: PlainFile.lastReason())
          return
        }
        written += count
      }
    }
    if let failure { throw failure }
    size += bytes.count
  }

  /// Puts the file in its place.
  func commit() throws(Failure) {
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0, rename(partialPath, path) == 0 else {
      throw Failure(description: PlainFile.lastReason())
    }
    isCommitted = true
  }
}
