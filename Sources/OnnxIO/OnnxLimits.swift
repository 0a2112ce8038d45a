// SPDX-License-Identifier: Apache-2.0

/// Bounds on what reading a model may take; a model beyond one is refused, not cut.
public struct OnnxLimits: Sendable, Equatable {
  /// Bytes of the model file itself; the format ends at 2 GiB.
  public var fileBytes: Int
  /// Bytes read from files beside the model, over all tensors.
  public var externalBytes: Int
  /// Nodes after functions are inlined, subgraphs included.
  public var nodes: Int
  /// Calls inside calls of model-local functions.
  public var functionDepth: Int

  /// The given bounds; by default as large as honest models need.
  public init(
    fileBytes: Int = 1 << 31, externalBytes: Int = 1 << 36, nodes: Int = 1_000_000,
    functionDepth: Int = 32
  ) {
    self.fileBytes = fileBytes
    self.externalBytes = externalBytes
    self.nodes = nodes
    self.functionDepth = functionDepth
  }
}
