// SPDX-License-Identifier: Apache-2.0
import Foundation
import TensorCore

/// Turns tensors into stored ones, their elements in `raw_data`.
enum TensorEncoder {
  static func proto(_ tensor: Tensor, name: String) -> OnnxTensorProto {
    var proto = header(tensor, name: name)
    proto.rawData = Data(tensor.bytes)
    return proto
  }

  /// The stored tensor without its elements.
  static func header(_ tensor: Tensor, name: String) -> OnnxTensorProto {
    var proto = OnnxTensorProto()
    proto.name = name
    proto.dims = tensor.shape.map { Int64($0) }
    proto.dataType = Int32(OnnxElementTypes.code(tensor.elementType))
    return proto
  }
}
