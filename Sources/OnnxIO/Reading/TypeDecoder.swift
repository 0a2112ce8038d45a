// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Turns declared types into `TensorType`s.
enum TypeDecoder {
  /// The declared type; `nil` if none is declared or it is not a tensor of a known element type.
  static func type(_ value: OnnxValueInfoProto) throws(OnnxProblem) -> TensorType? {
    guard value.hasType, case .tensorType(let tensor) = value.type.value,
      let elementType = OnnxElementTypes.type(Int(tensor.elemType))
    else { return nil }
    guard tensor.hasShape else { return TensorType(elementType, nil) }
    var dimensions: [Dimension] = []
    var fixed: [Int64] = []
    for dimension in tensor.shape.dim {
      switch dimension.value {
      case .dimValue(-1): dimensions.append(.unknown)
      case .dimValue(let extent):
        dimensions.append(.fixed(Int(extent)))
        fixed.append(extent)
      case .dimParam(let name): dimensions.append(name.isEmpty ? .unknown : .symbol(name))
      case nil: dimensions.append(.unknown)
      }
    }
    guard dimensions.count <= TensorType.greatestRank, DimensionBounds.shape(fixed) != nil else {
      throw .invalidDimensions(value: value.name, dimensions: fixed)
    }
    return TensorType(elementType, dimensions)
  }

  /// The declared type of an input or output of the graph, which must be a tensor if declared.
  static func interfaceType(_ value: OnnxValueInfoProto) throws(OnnxProblem) -> TensorType? {
    if let type = try type(value) { return type }
    guard value.hasType, let declared = value.type.value else { return nil }
    let found =
      switch declared {
      case .tensorType(let tensor): "a tensor of \(OnnxElementTypes.name(Int(tensor.elemType)))"
      case .sequenceType: "a sequence"
      case .mapType: "a map"
      case .sparseTensorType: "a sparse tensor"
      case .optionalType: "optional"
      }
    throw .unsupportedValueType(value: value.name, found: found)
  }
}
