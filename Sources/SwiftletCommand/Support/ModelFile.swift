// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet

/// A network and the file that it came from.
struct ModelFile {
  /// The path as the user gave it.
  let path: String
  let url: URL

  /// The network as it is in the file.
  let graph: Graph

  var name: String { url.lastPathComponent }

  init(_ path: String) throws {
    self.path = path
    url = URL(fileURLWithPath: path)
    graph = try OnnxModel.read(contentsOf: url)
  }

  /// The network in the portable form.
  func portable(stoppingAfter limit: Int = .max) throws -> Graph {
    do { return try graph.portable(stoppingAfter: limit) } catch {
      throw CommandError.naming(path, error)
    }
  }

  /// Bytes of the file, and of the tensors that are stored beside it.
  func byteCount(constants: Int) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(
      atPath: url.resolvingSymlinksInPath().path)
    let size = (attributes?[.size] as? Int) ?? 0
    return constants > size ? size + constants : size
  }
}

extension Graph {
  /// The inputs or outputs in words: `input N×3×32×32`.
  func words(_ values: [ValueID]) -> String {
    values.map { "\(self[$0].name) \(shapeWords(self[$0].type))" }.joined(separator: ", ")
  }

  private func shapeWords(_ type: TensorType?) -> String {
    guard let type, let dimensions = type.dimensions else { return "?" }
    let shape = dimensions.isEmpty ? "scalar" : dimensions.map(\.description).joined(separator: "×")
    return type.elementType == .float32 ? shape : "\(type.elementType.rawValue) \(shape)"
  }
}
