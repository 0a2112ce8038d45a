// SPDX-License-Identifier: Apache-2.0

/// How a graph is written.
public struct OnnxWriteOptions: Sendable, Equatable, Codable {
  /// Version of the standard operator set; the graph's own if `nil`.
  ///
  /// A later one is written where an operator, a type or an attribute of the graph needs it
  /// (`OnnxModel.requiredOpset(_:)`).
  public var opset: Int?

  /// Bytes from which on a tensor is stored in a file beside the model, named after it.
  ///
  /// The file's name is the model's with `.data` behind. If `nil`, all tensors are in the model,
  /// unless together they pass the format's 2 GiB; then those from 1 KiB on are beside it.
  public var externalDataThreshold: Int?

  /// The graph's own operator set, and one file.
  public init(opset: Int? = nil, externalDataThreshold: Int? = nil) {
    self.opset = opset
    self.externalDataThreshold = externalDataThreshold
  }
}
