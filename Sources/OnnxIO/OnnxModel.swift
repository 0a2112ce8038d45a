// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import GraphIR
import SwiftProtobuf

/// Reading and writing of ONNX models.
public enum OnnxModel {
  /// Reads an ONNX file.
  ///
  /// Names of nodes and values are those of the file. `Constant` nodes and initializers become
  /// constants, model-local functions are inlined, and old forms of operators become today's.
  /// Operators that are not known, and nodes with subgraphs, become `Opaque`. Tensors in
  /// external data are read from the file's folder and from nowhere else.
  ///
  /// - Throws: `OnnxError.unreadable` if the file cannot be opened, `OnnxError.invalid` if it is
  ///   damaged, breaks ONNX's rules or a limit, or stores a type that is unsupported.
  public static func read(
    contentsOf url: URL, limits: OnnxLimits = OnnxLimits()
  ) throws(OnnxError) -> Graph {
    do {
      let external = ExternalData(
        folder: url.deletingLastPathComponent(), limit: limits.externalBytes)
      var reader = ModelReader(externalData: external, limits: limits)
      return try reader.graph(of: try decoded(try bytes(of: url, limits: limits)))
    } catch let problem as OnnxProblem {
      throw .invalid(file: url.path, problem: problem)
    } catch {
      throw .unreadable(file: url.path, reason: "\(error)")
    }
  }

  /// Reads a model from memory.
  ///
  /// - Parameters:
  ///   - bytes: The contents of an ONNX file.
  ///   - name: What error messages call the model.
  ///   - folder: Where external data lies; without it, external data is refused.
  ///   - limits: What reading may take.
  /// - Throws: `OnnxError.invalid`, as `read(contentsOf:limits:)` does.
  public static func read(
    _ bytes: [UInt8], named name: String = "model", folder: URL? = nil,
    limits: OnnxLimits = OnnxLimits()
  ) throws(OnnxError) -> Graph {
    do throws(OnnxProblem) {
      guard bytes.count <= limits.fileBytes else {
        throw .fileTooLarge(bytes: bytes.count, limit: limits.fileBytes)
      }
      let external = folder.map { ExternalData(folder: $0, limit: limits.externalBytes) }
      var reader = ModelReader(externalData: external, limits: limits)
      return try reader.graph(of: try decoded(bytes))
    } catch {
      throw .invalid(file: name, problem: error)
    }
  }

  private static func bytes(of url: URL, limits: OnnxLimits) throws -> [UInt8] {
    let file = try PlainFile(path: url.path)
    guard file.size <= limits.fileBytes else {
      throw OnnxProblem.fileTooLarge(bytes: file.size, limit: limits.fileBytes)
    }
    return try file.bytes(offset: 0, length: file.size)
  }

  private static func decoded(_ bytes: [UInt8]) throws(OnnxProblem) -> OnnxModelProto {
    do {
      return try OnnxModelProto(serializedBytes: bytes)
    } catch let error as BinaryDecodingError {
      throw .malformed(reason: OnnxModel.words(for: error))
    } catch {
      throw .malformed(reason: "\(error)")
    }
  }

  private static func words(for error: BinaryDecodingError) -> String {
    switch error {
    case .truncated: "it ends in the middle of a message"
    case .invalidUTF8: "a name is not UTF-8"
    case .messageDepthLimit: "messages are nested more than 100 deep"
    default: "its messages cannot be decoded"
    }
  }
}
