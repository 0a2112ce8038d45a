// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Real data and trained networks that lie beside the project, where there are any.
public enum SharedData {
  /// The folder `../shared/data` beside the package, or `nil` where there is none.
  public static let folder: URL? = {
    let package = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folder = package.deletingLastPathComponent().appendingPathComponent("shared/data")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// Whether the folder is there; tests that need it are disabled without it.
  public static var isPresent: Bool { folder != nil }

  /// A file in the folder.
  public static func file(_ path: String) -> URL? {
    guard let file = folder?.appendingPathComponent(path),
      FileManager.default.fileExists(atPath: file.path)
    else { return nil }
    return file
  }
}
