// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import GraphIR
import SwiftProtobuf
import TensorCore

extension OnnxModel {
  /// Writes a graph as an ONNX file.
  ///
  /// The file is written beside its place and renamed, so that a failure leaves what was there.
  /// The same graph and options give the same bytes. Constants that nothing uses are left out;
  /// names, types, properties and documentation are kept, the producer becomes `swiftlet`.
  ///
  /// - Throws: `OnnxError.unexportable` if a node has no form in ONNX, `OnnxError.unwritable` if
  ///   the file cannot be written.
  public static func write(
    _ graph: Graph, to url: URL, options: OnnxWriteOptions = OnnxWriteOptions()
  ) throws(OnnxError) {
    let path = url.path
    var skeleton = try skeleton(of: graph, options: options, name: path)
    let threshold = options.externalDataThreshold ?? automaticThreshold(graph, skeleton)
    do {
      let place = threshold == nil ? nil : try AtomicFile(path: path + ".data")
      let location = url.lastPathComponent + ".data"
      for id in skeleton.initializers {
        guard let tensor = graph[id].constant else { continue }
        if let place, let threshold, tensor.bytes.count >= threshold {
          skeleton.model.graph.initializer.append(
            try external(tensor, name: graph[id].name, in: place, location: location))
        } else {
          skeleton.model.graph.initializer.append(
            TensorEncoder.proto(tensor, name: graph[id].name))
        }
      }
      let file = try AtomicFile(path: path)
      try file.write(try skeleton.model.serializedBytes())
      if let place, place.size > 0 { try place.commit() }
      try file.commit()
    } catch {
      throw .unwritable(file: path, reason: "\(error)")
    }
  }

  /// The bytes of the ONNX file of a graph, all tensors inside.
  ///
  /// - Throws: `OnnxError.unexportable` if a node has no form in ONNX or the model passes 2 GiB.
  public static func serialized(
    _ graph: Graph, options: OnnxWriteOptions = OnnxWriteOptions()
  ) throws(OnnxError) -> [UInt8] {
    var skeleton = try skeleton(of: graph, options: options, name: "model")
    if automaticThreshold(graph, skeleton) != nil {
      throw .unexportable(file: "model", problem: .fileTooLarge(bytes: .max, limit: largestModel))
    }
    skeleton.model.graph.initializer = skeleton.initializers.compactMap { id in
      graph[id].constant.map { TensorEncoder.proto($0, name: graph[id].name) }
    }
    do { return try skeleton.model.serializedBytes() } catch {
      throw .unwritable(file: "model", reason: "\(error)")
    }
  }

  /// The least version of the standard operator set in which the graph can be written.
  ///
  /// Per-axis quantization needs 13, for example, 16-bit and 4-bit codes 21, 2-bit codes 25.
  ///
  /// - Throws: `OnnxError.unexportable` if a node has no form in ONNX.
  public static func requiredOpset(_ graph: Graph) throws(OnnxError) -> Int {
    do {
      return try ModelWriter(graph: graph).skeleton(from: ModelWriter.oldestOpset).opset
    } catch {
      throw .unexportable(file: "model", problem: error)
    }
  }

  private static let largestModel = Int(Int32.max)

  private static func skeleton(
    of graph: Graph, options: OnnxWriteOptions, name: String
  ) throws(OnnxError) -> ModelWriter.Skeleton {
    let writer = ModelWriter(graph: graph)
    do {
      let wanted = max(options.opset ?? graph.metadata.opset, ModelWriter.oldestOpset)
      return try writer.skeleton(from: wanted)
    } catch {
      throw .unexportable(file: name, problem: error)
    }
  }

  /// 1 KiB if the tensors do not fit in one file with the rest of the model, else `nil`.
  private static func automaticThreshold(
    _ graph: Graph, _ skeleton: ModelWriter.Skeleton
  ) -> Int? {
    let bytes = skeleton.initializers.reduce(0) { $0 + (graph[$1].constant?.bytes.count ?? 0) }
    return bytes > largestModel - (1 << 26) ? 1024 : nil
  }

  /// Appends a tensor to a data file, at a multiple of 64 bytes, and refers to it.
  private static func external(
    _ tensor: Tensor, name: String, in file: AtomicFile, location: String
  ) throws -> OnnxTensorProto {
    try file.write([UInt8](repeating: 0, count: (64 - file.size % 64) % 64))
    let entries = [
      ("location", location), ("offset", "\(file.size)"), ("length", "\(tensor.bytes.count)"),
    ]
    try file.write(tensor.bytes)
    var proto = TensorEncoder.header(tensor, name: name)
    proto.dataLocation = .external
    proto.externalData = entries.map { key, value in
      var entry = OnnxStringStringEntryProto()
      entry.key = key
      entry.value = value
      return entry
    }
    return proto
  }
}
