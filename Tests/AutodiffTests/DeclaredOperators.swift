// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The operators that the sources declare: types that conform to `Op`, or to
/// `CompositeOp`, where they are declared.
enum DeclaredOperators {
  static func names() throws -> [String] {
    let folder = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/GraphIR/Ops")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var names: [String] = []
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      let matches = text.matches(of: /public struct (\w+): (?:Composite)?Op \{/)
      names += matches.map { String($0.1) }
    }
    return names
  }
}
