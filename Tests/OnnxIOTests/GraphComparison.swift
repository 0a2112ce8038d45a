// SPDX-License-Identifier: Apache-2.0
import Foundation
import GraphIR
import OnnxIO
import TensorCore

/// Where two graphs differ, value by value and node by node; nothing if they are equal.
///
/// The producer is left out: every file that is written names its own.
func differences(_ left: Graph, _ right: Graph) -> [String] {
  var found: [String] = []
  func compare<Value: Equatable>(_ what: String, _ one: Value, _ other: Value) {
    if one != other { found.append("\(what): \(one) ≠ \(other)") }
  }
  func names(_ graph: Graph, _ ids: [ValueID?]) -> [String?] {
    ids.map { id in id.map { graph[$0].name } }
  }
  func compareValues(_ ids: [ValueID?], _ others: [ValueID?]) {
    for case (.some(let one), .some(let other)) in zip(ids, others) {
      compare("type of \(left[one].name)", left[one].type, right[other].type)
      if left[one].constant != right[other].constant {
        found.append("constant \(left[one].name)")
      }
    }
  }
  compare("name", left.name, right.name)
  compare("operator set", left.metadata.opset, right.metadata.opset)
  compare("operator sets", left.metadata.otherOpsets, right.metadata.otherOpsets)
  compare("documentation", left.metadata.documentation, right.metadata.documentation)
  compare("properties", left.metadata.properties, right.metadata.properties)
  for (one, other) in [(left.inputs, right.inputs), (left.outputs, right.outputs)] {
    compare("interface", names(left, one), names(right, other))
    compareValues(one, other)
  }
  compare("number of nodes", left.nodes.count, right.nodes.count)
  for (one, other) in zip(left.nodes, right.nodes) {
    compare("node", one.name, other.name)
    if !one.op.isEqual(to: other.op) { found.append("\(one.name): \(one.op) ≠ \(other.op)") }
    compare("inputs of \(one.name)", names(left, one.inputs), names(right, other.inputs))
    compare("outputs of \(one.name)", names(left, one.outputs), names(right, other.outputs))
    compareValues(one.inputs, other.inputs)
    compareValues(one.outputs, other.outputs)
  }
  return found
}

/// The folder with data that is shared between projects, beside the package.
enum SharedData {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("shared/data")

  static var isThere: Bool { FileManager.default.fileExists(atPath: folder.path) }

  /// The ONNX files of a subfolder, in order; none if it is absent.
  static func models(in name: String) -> [URL] {
    let files = try? FileManager.default.contentsOfDirectory(
      at: folder.appendingPathComponent(name), includingPropertiesForKeys: nil)
    return (files ?? []).filter { $0.pathExtension == "onnx" }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
  }
}

/// A folder that is removed with the value that owns it.
final class ScratchFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("onnx-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}
