// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A listing of a folder: names sorted by their bytes, hidden ones left out.
struct Folder {
  let path: String
  let files: [String]
  let folders: [String]

  /// All names, folders with a slash.
  var names: [String] { folders.map { $0 + "/" } + files }

  init(path: String) throws(DataError) {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw Folder.isFolder(path)
        ? .unreadable(path: path, code: EACCES) : .missing(path: path)
    }
    let sorted = names.filter { !$0.hasPrefix(".") }
      .sorted(by: ImageFolderSource.precedes)
    var files: [String] = []
    var folders: [String] = []
    for name in sorted {
      if Folder.isFolder(path + "/" + name) { folders.append(name) } else { files.append(name) }
    }
    self.path = path
    self.files = files
    self.folders = folders
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
  }

  static func fileName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
