// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// An operator that can be read from ONNX nodes and written as one.
protocol OnnxConvertible: Op {
  /// The ONNX operators that become this op; outside the standard domain as `domain::Operator`.
  static var onnxOperators: [String] { get }

  /// The op of an ONNX node of any operator set; what the op takes as inputs but the node has as
  /// attributes becomes constant inputs of the node.
  init(onnx node: inout OnnxNode) throws(ConversionError)

  /// Completes the form of a node whose op this is: attributes, and inputs that the form's
  /// operator set takes otherwise. The form starts with the op's kind and the node's inputs.
  func write(to form: inout OnnxForm) throws(ConversionError)
}

extension OnnxConvertible {
  func write(to form: inout OnnxForm) throws(ConversionError) {}
}

/// Why a node could not be converted.
enum ConversionError: Error {
  /// The node breaks its operator's rules.
  case invalid(OpError)
  /// The node may be right, but its meaning cannot be expressed; it is carried along unread.
  case unsupported(String)
}
