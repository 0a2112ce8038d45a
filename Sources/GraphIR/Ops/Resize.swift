// SPDX-License-Identifier: Apache-2.0

/// Resampling along any axes; inputs X and optionally region of interest, scales and sizes, of
/// which either scales or sizes is given.
public struct Resize: Op {
  public enum Mode: String, Sendable { case nearest, linear, cubic }

  /// Where the result's positions lie in the input, by ONNX's names.
  public enum Coordinates: String, Sendable {
    case halfPixel = "half_pixel", halfPixelSymmetric = "half_pixel_symmetric"
    case pytorchHalfPixel = "pytorch_half_pixel", alignCorners = "align_corners"
    case asymmetric, halfPixelForNearest = "tf_half_pixel_for_nn"
    case cropAndResize = "tf_crop_and_resize"
  }

  /// Which neighbour of a position is the nearest one.
  public enum Rounding: String, Sendable {
    case preferFloor = "round_prefer_floor", preferCeil = "round_prefer_ceil", floor, ceil
  }

  /// What becomes of the ratio of extents where sizes are given.
  public enum AspectPolicy: String, Sendable {
    case stretch, notLarger = "not_larger", notSmaller = "not_smaller"
  }

  public var kind: String { "Resize" }
  public var mode: Mode
  public var coordinates: Coordinates
  public var rounding: Rounding
  /// The axes that scales, sizes and the region list; all if `nil`.
  public var axes: [Int]?
  public var aspectPolicy: AspectPolicy
  public var antialiases: Bool
  /// The `a` of the cubic kernel.
  public var cubicCoefficient: Float
  /// Whether neighbours outside the input have no weight; otherwise the border is repeated.
  public var excludesOutside: Bool
  /// The value outside the region of interest, for `cropAndResize`.
  public var extrapolationValue: Float

  public init(
    mode: Mode = .nearest, coordinates: Coordinates = .halfPixel,
    rounding: Rounding = .preferFloor, axes: [Int]? = nil, aspectPolicy: AspectPolicy = .stretch
  ) {
    self.mode = mode
    self.coordinates = coordinates
    self.rounding = rounding
    self.axes = axes
    self.aspectPolicy = aspectPolicy
    antialiases = false
    cubicCoefficient = -0.75
    excludesOutside = false
    extrapolationValue = 0
  }
}
