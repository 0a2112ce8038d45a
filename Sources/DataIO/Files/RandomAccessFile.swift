// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A regular file open for reading at any offset, from any thread.
///
/// A class because it owns a file descriptor, which is closed with the last reference.
package final class RandomAccessFile: Sendable {
  package let path: String
  package let size: Int
  private let descriptor: Int32

  /// Opens the file at `path`.
  ///
  /// - Throws: `DataError.missing`, or `DataError.unreadable` with the system's error code.
  package init(path: String) throws(DataError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .missing(path: path) : .unreadable(path: path, code: errno)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .unreadable(path: path, code: code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .unreadable(path: path, code: isFolder ? EISDIR : EINVAL)
    }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// `count` bytes from `offset`, fewer where the file ends before.
  ///
  /// - Throws: `DataError.unreadable` with the system's error code.
  package func bytes(at offset: Int, count: Int) throws(DataError) -> [UInt8] {
    let wanted = max(0, min(count, size - offset))
    var code: Int32 = 0
    let result = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
      var done = 0
      while done < wanted {
        let got = pread(
          descriptor, buffer.baseAddress?.advanced(by: done), min(wanted - done, 1 << 30),
          off_t(offset + done))
        if got < 0 && errno == EINTR { continue }
        if got < 0 { code = errno }
        if got <= 0 { break }
        done += got
      }
      initialized = done
    }
    if code != 0 { throw .unreadable(path: path, code: code) }
    return result
  }

  /// The whole file.
  ///
  /// - Throws: `DataError.unreadable` with the system's error code.
  package func contents() throws(DataError) -> [UInt8] { try bytes(at: 0, count: size) }
}
