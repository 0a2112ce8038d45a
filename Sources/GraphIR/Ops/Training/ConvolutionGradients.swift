// SPDX-License-Identifier: Apache-2.0

/// The gradient of a convolution with respect to its input; inputs dY, W; output dX.
public struct ConvInputGradient: Op {
  public var kind: String { "ConvInputGradient" }
  public var domain: String { "swiftlet.internal" }
  public var convolution: Conv
  /// Spatial extents of the convolution's input.
  public var inputExtents: [Int]

  public init(of convolution: Conv, inputExtents: [Int]) {
    self.convolution = convolution
    self.inputExtents = inputExtents
  }
}

/// The gradient of a convolution with respect to its weights; inputs dY, X; output dW.
public struct ConvWeightGradient: Op {
  public var kind: String { "ConvWeightGradient" }
  public var domain: String { "swiftlet.internal" }
  public var convolution: Conv
  /// Spatial extents of the kernel.
  public var kernelExtents: [Int]

  public init(of convolution: Conv, kernelExtents: [Int]) {
    self.convolution = convolution
    self.kernelExtents = kernelExtents
  }
}

/// The sum over all axes but the channels (axis 1); input `[N, C, …]`, output `[C]`.
public struct ChannelSum: Op {
  public var kind: String { "ChannelSum" }
  public var domain: String { "swiftlet.internal" }
  public init() {}
}
