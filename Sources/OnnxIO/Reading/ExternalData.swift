// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Tensor data in files beside a model, confined to the model's folder.
///
/// A class because it counts the bytes that all tensors together have read.
final class ExternalData: Sendable {
  private let folder: URL
  private let limit: Int
  private let bytesRead = Mutex(0)

  init(folder: URL, limit: Int) {
    self.folder = folder
    self.limit = limit
  }

  /// A range of the file at `location`, a path relative to the folder.
  ///
  /// Refused: absolute paths, `..`, links that lead out of the folder, anything but a plain file.
  func bytes(location: String, offset: Int, length: Int) throws(OnnxTensorProblem) -> [UInt8] {
    let path = try confinedPath(location)
    let withinLimit = bytesRead.withLock { total in
      guard length <= limit - total else { return false }
      total += length
      return true
    }
    guard withinLimit else { throw .tooMuchData(limit: limit) }
    do {
      let file = try PlainFile(path: path)
      guard offset <= file.size, length <= file.size - offset else {
        throw OnnxTensorProblem.dataTooShort(
          location: location, offset: offset, length: length, available: file.size)
      }
      return try file.bytes(offset: offset, length: length)
    } catch let problem as OnnxTensorProblem {
      throw problem
    } catch {
      throw .unreadableData(location: location, reason: "\(error)")
    }
  }

  private func confinedPath(_ location: String) throws(OnnxTensorProblem) -> String {
    let parts = location.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }
    guard !location.isEmpty, !location.hasPrefix("/"), !location.hasPrefix("\\"),
      !parts.contains(".."), !location.contains("\0")
    else { throw .outsideFolder(location: location) }
    let base = folder.resolvingSymlinksInPath().standardizedFileURL.path
    let root = PlainFile.realPath(base) ?? base
    let path = root + (root.hasSuffix("/") ? "" : "/") + location
    guard let resolved = PlainFile.realPath(path) else {
      throw .unreadableData(location: location, reason: PlainFile.lastReason())
    }
    guard resolved.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
      throw .outsideFolder(location: location)
    }
    return resolved
  }
}
