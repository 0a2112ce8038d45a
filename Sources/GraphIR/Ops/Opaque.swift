// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// An operator that is carried along unread: it can be listed and written back, not run.
///
/// A node whose attributes hold subgraphs has, behind its own inputs, the values that the
/// subgraphs capture from the graph around them, so that passes keep those values.
public struct Opaque: Op {
  public let kind: String
  public let domain: String

  /// The attributes in the order of the file, each as the bytes of its ONNX message.
  public var attributes: [[UInt8]]

  /// The names by which the subgraphs in the attributes use the node's trailing inputs.
  public var capturedNames: [String]

  /// The standard operator set that the attributes, and subgraphs in them, are written in.
  public var opset: Int

  /// Why an operator that is known elsewhere is unread here; empty for an unknown operator.
  public var reason: String

  public init(
    kind: String, domain: String, attributes: [[UInt8]], capturedNames: [String] = [],
    opset: Int = 0, reason: String = ""
  ) {
    self.kind = kind
    self.domain = domain
    self.attributes = attributes
    self.capturedNames = capturedNames
    self.opset = opset
    self.reason = reason
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? { nil }
}
