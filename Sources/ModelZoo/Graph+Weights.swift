// SPDX-License-Identifier: Apache-2.0
public import DataIO
public import GraphIR
public import TensorCore

/// Weights as tensors under the names of the graph's constants, which for networks of the zoo are
/// the keys of torchvision's `state_dict`.
extension Graph {
  /// Values that hold weights, biases, batch-norm scales or running statistics, in the order of
  /// their use: real tensors with dimensions that nothing computes.
  private var weightValues: [ValueID] {
    var others = Set(inputs)
    for node in nodes { others.formUnion(node.outputs.compactMap { $0 }) }
    var found: [ValueID] = []
    for node in nodes {
      for case .some(let value) in node.inputs where others.insert(value).inserted {
        guard let type = type(value), type.elementType.isFloatingPoint, type.rank ?? 0 > 0 else {
          continue
        }
        found.append(value)
      }
    }
    return found
  }

  /// Weights, biases, batch-norm scales and running statistics, in the order of their use.
  public var weights: [(name: String, tensor: Tensor)] {
    weightValues.compactMap { value in
      self[value].constant.map { (name: self[value].name, tensor: $0) }
    }
  }

  /// The same network with other weights.
  ///
  /// - Parameters:
  ///   - tensors: One for each of `weights`, of the same shape and any real element type; those
  ///     named `….num_batches_tracked`, which PyTorch writes, are ignored.
  ///   - source: What errors call the tensors, such as their file.
  /// - Throws: `ZooError.unsuitableWeights` naming tensors that are missing, superfluous or of
  ///   another shape.
  public func replacingWeights(
    with tensors: [String: Tensor], from source: String
  ) throws(ZooError) -> Graph {
    var result = self
    var missing: [String] = []
    var misshapen: [ZooError.Misfit] = []
    var superfluous = Set(tensors.keys.filter { !$0.hasSuffix(".num_batches_tracked") })
    for value in weightValues {
      let name = self[value].name
      superfluous.remove(name)
      guard let tensor = tensors[name] else {
        missing.append(name)
        continue
      }
      guard let wanted = type(value) else { continue }
      let found = TensorType(tensor.elementType, shape: tensor.shape)
      guard found.dimensions == wanted.dimensions, found.elementType.isFloatingPoint else {
        misshapen.append(.init(name: name, found: "\(found)", expected: "\(wanted)"))
        continue
      }
      result.setConstant(tensor.converted(to: wanted.elementType), of: value)
    }
    guard missing.isEmpty, misshapen.isEmpty, superfluous.isEmpty else {
      throw .unsuitableWeights(
        source: source, missing: missing, superfluous: superfluous.sorted(), misshapen: misshapen)
    }
    return result
  }

  /// The same network with the weights of a safetensors file.
  ///
  /// - Throws: `DataError` if the file cannot be read, `ZooError` as
  ///   `replacingWeights(with:from:)`.
  public func readingWeights(contentsOf path: String) throws -> Graph {
    try replacingWeights(with: SafeTensorsFile(path: path).tensors(), from: path)
  }

  /// Writes `weights` as a safetensors file.
  ///
  /// - Throws: `DataError.unwritable`; nothing half-written is left.
  public func writeWeights(to path: String) throws(DataError) {
    try SafeTensorsFile.write(weights, metadata: ["format": "pt"], to: path)
  }
}
