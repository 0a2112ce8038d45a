// SPDX-License-Identifier: Apache-2.0

/// How the border of a window operator is padded.
public enum Padding: Sendable, Equatable {
  /// Begins of all spatial axes, then their ends, as ONNX `pads` lists them; empty for none.
  case explicit([Int])
  case sameUpper, sameLower, valid
}

/// Convolution over any number of spatial dimensions; inputs `X` `[N, C, …]`, `W` `[M, C/group, …]`
/// and optionally `B` `[M]`.
public struct Conv: Op {
  public var kind: String { "Conv" }
  /// Empty lists mean 1 along every spatial axis.
  public var strides: [Int]
  public var dilations: [Int]
  public var padding: Padding
  public var group: Int

  public init(
    strides: [Int] = [], dilations: [Int] = [], padding: Padding = .explicit([]), group: Int = 1
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.group = group
  }
}

/// Transposed convolution; inputs `X` `[N, C, …]`, `W` `[C, M/group, …]` and optionally `B` `[M]`.
public struct ConvTranspose: Op {
  public var kind: String { "ConvTranspose" }
  public var strides: [Int]
  public var dilations: [Int]
  public var padding: Padding
  public var group: Int
  public var outputPadding: [Int]
  public var outputShape: [Int]?

  public init(
    strides: [Int] = [], dilations: [Int] = [], padding: Padding = .explicit([]), group: Int = 1,
    outputPadding: [Int] = [], outputShape: [Int]? = nil
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.group = group
    self.outputPadding = outputPadding
    self.outputShape = outputShape
  }
}
