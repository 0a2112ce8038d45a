// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
import DataIO
public import GraphIR
public import TensorCore

/// Samples for a network with any number of inputs: an `.npz` with an array for each, under its
/// name, the samples along the first axis.
public struct ArrayCalibration: CalibrationSource {
  private let arrays: [String: Tensor]
  private let batchSize: Int
  private let indices: [Int]

  /// Opens the arrays of an archive.
  ///
  /// - Parameters:
  ///   - path: The `.npz` file.
  ///   - graph: The network. Where it fixes the batch size, samples that fill no batch are left
  ///     out.
  ///   - count: Most samples to use; they are spread over the file.
  /// - Returns: `nil` if the file has no array for some input.
  /// - Throws: `DataError` if the archive cannot be read, `InterfaceError` if an array does not fit
  ///   its input.
  public init?(contentsOf path: String, for graph: Graph, count: Int) throws {
    let names = graph.inputs.map { graph[$0].name }
    guard !names.isEmpty, Set(names).isSubset(of: try NpzFile.names(path)) else { return nil }
    var arrays: [String: Tensor] = [:]
    var rows: Int?
    var fixed: Int?
    for input in graph.inputs {
      let name = graph[input].name
      let tensor = try NpzFile.read(name, from: path)
      let type = graph[input].type ?? TensorType(tensor.elementType, nil)
      let found = TensorType(tensor.elementType, shape: tensor.shape)
      let wanted = type.dimensions ?? tensor.shape.map { .fixed($0) }
      guard tensor.rank > 0, tensor.rank == wanted.count, tensor.elementType == type.elementType,
        zip(tensor.shape, wanted).dropFirst().allSatisfy({ $1.value == nil || $1.value == $0 }),
        rows == nil || rows == tensor.shape[0]
      else {
        throw InterfaceError.unfitArray(
          input: name, found: found.description,
          expected: rows.map { "\(type), with \($0) samples as the array before" } ?? "\(type)")
      }
      rows = tensor.shape[0]
      if let batch = wanted[0].value { fixed = batch }
      arrays[name] = tensor
    }
    let present = rows ?? 0
    let batchSize = max(fixed ?? min(8, present), 1)
    let used = min(count, present)
    let whole = fixed == nil ? used : used / batchSize * batchSize
    self.arrays = arrays
    self.batchSize = batchSize
    indices = (0..<whole).map { $0 * present / max(whole, 1) }
  }

  public var batchCount: Int { (indices.count + batchSize - 1) / batchSize }

  public var sampleCount: Int { indices.count }

  public func batch(_ index: Int) throws -> [String: Tensor] {
    let start = index * batchSize
    let part = indices[start..<min(start + batchSize, indices.count)]
    return arrays.mapValues { array in
      let rowBytes = array.bytes.count / max(array.shape[0], 1)
      let bytes = part.flatMap { array.bytes[($0 * rowBytes)..<(($0 + 1) * rowBytes)] }
      return Tensor(
        uncheckedElementType: array.elementType, shape: [part.count] + array.shape.dropFirst(),
        bytes: bytes)
    }
  }
}
