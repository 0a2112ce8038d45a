// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file that will be written at the end of long work.
enum OutputFile {
  /// Looks before the work whether the file can be written.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - input: A file that must be kept, if there is one.
  ///   - words: What that file is.
  /// - Throws: `CommandError` if the folder does not exist, a folder has the name, or it is `input`.
  static func check(
    _ path: String, isNot input: String? = nil, _ words: String = ""
  ) throws(CommandError) {
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw CommandError("\(path): its folder does not exist")
    }
    if manager.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
      throw CommandError("\(path): a folder of that name exists (expected a file)")
    }
    guard let input else { return }
    let given = URL(fileURLWithPath: input).resolvingSymlinksInPath()
    guard url.resolvingSymlinksInPath() != given else {
      throw CommandError(
        "\(path): that is \(words)", reasons: ["say another name, so that it is kept"])
    }
  }
}
