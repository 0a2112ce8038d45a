// SPDX-License-Identifier: Apache-2.0

/// A convolution with the negative L1 distance in place of the product:
/// `Y = −Σ |X − W|` over each window; inputs X `[N, C, …]`, W `[M, C, …]`. Padding counts as zeros.
///
/// Source: Chen et al., "AdderNet: Do We Really Need Multiplications in Deep Learning?", 2020, Eq. 2.
public struct AdderConv: Op {
  public var kind: String { "AdderConv" }
  public var domain: String { "swiftlet" }
  public var strides: [Int]
  public var padding: Padding

  public init(strides: [Int] = [], padding: Padding = .explicit([])) {
    self.strides = strides
    self.padding = padding
  }
}

/// The paper's gradient of `AdderConv` with respect to its input, `Σ dY · clip(W − X, −1, 1)`
/// (Eq. 5); inputs dY, X, W; output dX.
public struct AdderConvInputGradient: Op {
  public var kind: String { "AdderConvInputGradient" }
  public var domain: String { "swiftlet.internal" }
  public var convolution: AdderConv

  public init(of convolution: AdderConv) { self.convolution = convolution }
}

/// The paper's gradient of `AdderConv` with respect to its weights, `Σ dY · (X − W)` (Eq. 4), scaled
/// by `η · √k / ‖g‖₂` with `k` weights in the layer (Eq. 12, 13); inputs dY, X, W; output dW.
public struct AdderConvWeightGradient: Op {
  public var kind: String { "AdderConvWeightGradient" }
  public var domain: String { "swiftlet.internal" }
  public var convolution: AdderConv
  /// η; `nil` for the gradient as it is.
  public var adaptiveRate: Float?

  public init(of convolution: AdderConv, adaptiveRate: Float? = 0.2) {
    self.convolution = convolution
    self.adaptiveRate = adaptiveRate
  }
}
