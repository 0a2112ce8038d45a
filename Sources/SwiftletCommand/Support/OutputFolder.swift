// SPDX-License-Identifier: Apache-2.0
import Foundation
package import Swiftlet

/// A folder that outputs are written to, and that none of their names can leave.
package struct OutputFolder {
  let path: String

  package init(_ path: String) { self.path = path }

  /// Where each output goes.
  ///
  /// - Throws: `CommandError` naming an output whose name would leave the folder, or that shares
  ///   its file with another.
  package func paths(of names: [String]) throws(CommandError) -> [String] {
    var seen: Set<String> = []
    var paths: [String] = []
    for name in names {
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      let isConfined =
        !name.isEmpty && !name.contains("\0")
        && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
      guard isConfined else {
        throw CommandError(
          "output \"\(name)\" cannot be a file in \(path)",
          reasons: ["its name would leave the folder; rename the output in the model"])
      }
      guard seen.insert(name).inserted else {
        throw CommandError("two outputs are named \"\(name)\" (expected different names)")
      }
      paths.append("\(path)/\(name).npy")
    }
    return paths
  }

  /// Writes the tensors, making the folders that they need.
  package static func write(_ files: [(path: String, tensor: Tensor)]) throws {
    for (path, tensor) in files {
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      do {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      } catch {
        throw CommandError(
          "\(folder.path): the folder cannot be made",
          reasons: [error.localizedDescription])
      }
      try NpyFile.write(tensor, to: path)
    }
  }
}
