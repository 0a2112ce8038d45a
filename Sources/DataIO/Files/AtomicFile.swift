// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Writing of whole files so that nobody ever sees a half of one.
///
/// The bytes go to a new file in the same folder, are flushed to the disk, and the file is then
/// renamed over the old one. If anything fails, the new file is removed and the old one is as it
/// was. Devices and pipes, which cannot be renamed over, are written to directly.
public enum AtomicFile {
  /// Writes `bytes` as the whole content of the file at `path`.
  ///
  /// - Throws: `DataError.unwritable` with the system's error code.
  public static func write(_ bytes: [UInt8], to path: String) throws(DataError) {
    try write(pieces: [bytes], to: path)
  }

  /// Writes `text` in UTF-8 as the whole content of the file at `path`.
  ///
  /// - Throws: `DataError.unwritable` with the system's error code.
  public static func write(_ text: String, to path: String) throws(DataError) {
    try write(pieces: [Array(text.utf8)], to: path)
  }

  /// Writes `pieces`, one after the other, as the whole content of the file at `path`.
  ///
  /// - Throws: `DataError.unwritable` with the system's error code.
  public static func write(pieces: [[UInt8]], to path: String) throws(DataError) {
    let target = resolved(path)
    var status = stat()
    let exists = stat(target, &status) == 0
    let kind = status.st_mode & S_IFMT
    if exists && kind == S_IFDIR { throw .unwritable(path: path, code: EISDIR) }
    if exists && kind != S_IFREG {
      let descriptor = open(target, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw .unwritable(path: path, code: errno) }
      let code = put(pieces, into: descriptor)
      close(descriptor)
      if code != 0 { throw .unwritable(path: path, code: code) }
      return
    }
    if exists && access(target, W_OK) != 0 { throw .unwritable(path: path, code: errno) }
    let beside = "\(target).partial-\(getpid())-\(serial.add(1, ordering: .relaxed).newValue)"
    let mode: mode_t = exists ? status.st_mode & 0o777 : 0o666
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .unwritable(path: path, code: errno) }
    var code = put(pieces, into: descriptor)
    if code == 0 && fsync(descriptor) != 0 { code = errno }
    if close(descriptor) != 0 && code == 0 { code = errno }
    if code == 0 && rename(beside, target) != 0 { code = errno }
    if code != 0 {
      unlink(beside)
      throw .unwritable(path: path, code: code)
    }
  }

  private static let serial = Atomic<Int>(0)

  /// The path behind a symbolic link, so that the link stays one.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Writes all pieces; returns 0 or the error code.
  private static func put(_ pieces: [[UInt8]], into descriptor: Int32) -> Int32 {
    for piece in pieces {
      let code = piece.withUnsafeBytes { buffer -> Int32 in
        var done = 0
        while done < buffer.count {
          let written = Foundation.write(
            descriptor, buffer.baseAddress?.advanced(by: done), min(buffer.count - done, 1 << 30))
          if written < 0 && errno == EINTR { continue }
          if written <= 0 { return written < 0 ? errno : EIO }
          done += written
        }
        return 0
      }
      if code != 0 { return code }
    }
    return 0
  }
}
