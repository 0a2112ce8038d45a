// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// An operator that is carried along unread: it can be listed and written back, not run.
public struct Opaque: Op {
  public let kind: String
  public let domain: String

  /// The attributes in the order of the file, each as the bytes of its ONNX message.
  public var attributes: [[UInt8]]

  public init(kind: String, domain: String, attributes: [[UInt8]]) {
    self.kind = kind
    self.domain = domain
    self.attributes = attributes
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? { nil }
}
