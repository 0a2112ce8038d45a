// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Turns types into declared ones.
enum TypeEncoder {
  /// The declaration of a value; without a type if it has none.
  static func valueInfo(_ value: GraphValue) -> OnnxValueInfoProto {
    var proto = OnnxValueInfoProto()
    proto.name = value.name
    guard let type = value.type else { return proto }
    var tensor = OnnxTypeProto.Tensor()
    tensor.elemType = Int32(OnnxElementTypes.code(type.elementType))
    if let dimensions = type.dimensions {
      tensor.shape.dim = dimensions.map { dimension in
        var proto = OnnxTensorShapeProto.Dimension()
        switch dimension {
        case .fixed(let extent): proto.dimValue = Int64(extent)
        case .symbol(let name): proto.dimParam = name
        case .unknown: break
        }
        return proto
      }
    }
    proto.type.tensorType = tensor
    return proto
  }
}
