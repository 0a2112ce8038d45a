// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// How many scales a weight tensor has.
public enum Granularity: String, Codable, Sendable, Hashable, CaseIterable {
  /// One scale for all.
  case perTensor = "tensor"
  /// One scale per output channel.
  case perChannel = "channel"
}

/// A weight tensor as integer codes.
public struct QuantizedWeights: Sendable, Equatable {
  /// The codes, of the shape of the weights.
  public let codes: Tensor

  /// In weight units per step: one, or one per index along `axis`.
  public let scales: [Float]

  /// As many as `scales`.
  public let zeroPoints: [Int32]

  /// The axis that the scales run along; `nil` for one scale.
  public let axis: Int?

  /// The real values that the codes stand for, row-major, of the shape of the weights.
  public func reals() -> [Float] {
    let slices = ChannelSlices(shape: codes.shape, axis: axis)
    var reals = codes.integers().map { Float($0) }
    for index in reals.indices {
      let channel = slices.channel(of: index)
      reals[index] = (reals[index] - Float(zeroPoints[channel])) * scales[channel]
    }
    return reals
  }
}

/// Quantizes constant weights by the extremes of each channel.
///
/// Source: Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018,
/// section 2; symmetric ranges restricted to −127…127 as in Jacob et al. 2018, section 3.
public struct WeightQuantizer: Codable, Sendable, Equatable {
  /// `int8`, `uint8`, `int16` or `uint16`.
  public var elementType: ElementType
  public var granularity: Granularity
  /// Whether every zero point is 0 (for unsigned types the middle of the codes).
  public var isSymmetric: Bool

  public init(
    elementType: ElementType = .int8, granularity: Granularity = .perChannel,
    isSymmetric: Bool = true
  ) {
    self.elementType = elementType
    self.granularity = granularity
    self.isSymmetric = isSymmetric
  }

  /// Reads options of which any may be left out; those have their defaults.
  public init(from decoder: any Decoder) throws {
    self.init()
    let given = try decoder.container(keyedBy: CodingKeys.self)
    elementType = try given.decodeIfPresent(ElementType.self, forKey: .elementType) ?? elementType
    granularity = try given.decodeIfPresent(Granularity.self, forKey: .granularity) ?? granularity
    isSymmetric = try given.decodeIfPresent(Bool.self, forKey: .isSymmetric) ?? isSymmetric
  }

  /// The codes of a weight tensor.
  ///
  /// - Parameters:
  ///   - weights: Floating-point, any shape.
  ///   - axis: The axis of the output channels; `nil` forces one scale.
  ///   - leastScales: A lower bound for the scale of each channel, or of the tensor; empty for
  ///     none. Biases with little range left ask for it.
  ///   - zeroScale: The scale of a channel of zeros.
  /// - Returns: Codes and scales. The codes of a channel of zeros are the zero point.
  /// - Complexity: O(*elements*).
  public func quantized(
    _ weights: Tensor, axis: Int?, leastScales: [Float] = [], zeroScale: Float = 1
  ) -> QuantizedWeights {
    let axis = granularity == .perChannel ? axis : nil
    let reals = weights.floats()
    let slices = ChannelSlices(shape: weights.shape, axis: axis)
    let ranges = slices.ranges(of: reals)
    var codes = ranges.map { code(for: $0) }
    for channel in codes.indices where ranges[channel].least == 0 && ranges[channel].greatest == 0 {
      codes[channel] = AffineCode(
        scale: zeroScale, zeroPoint: codes[channel].zeroPoint, codes: codes[channel].codes)
    }
    for (channel, least) in leastScales.enumerated() where channel < codes.count {
      guard codes[channel].scale < least else { continue }
      codes[channel] = AffineCode(
        scale: least, zeroPoint: codes[channel].zeroPoint, codes: codes[channel].codes)
    }
    let integers = reals.indices.map { Int64(codes[slices.channel(of: $0)].code(of: reals[$0])) }
    return QuantizedWeights(
      codes: Tensor(integers: integers, shape: weights.shape, elementType: elementType),
      scales: codes.map(\.scale), zeroPoints: codes.map(\.zeroPoint), axis: axis)
  }

  /// The codes of a real range under these options.
  func code(for range: (least: Float, greatest: Float)) -> AffineCode {
    guard isSymmetric else {
      return .affine(
        from: Double(range.least), to: Double(range.greatest),
        codes: ClosedRange<Int32>(allOf: elementType))
    }
    let magnitude = Double(max(abs(range.least), abs(range.greatest)))
    let codes = ClosedRange<Int32>(symmetricOf: elementType)
    guard !elementType.isSignedInteger else {
      return .symmetric(magnitude: magnitude, codes: codes)
    }
    let middle = (codes.upperBound + 1) / 2
    let scale = AffineCode.symmetric(magnitude: magnitude, codes: -(middle - 1)...(middle - 1))
      .scale
    return AffineCode(scale: scale, zeroPoint: middle, codes: 1...codes.upperBound)
  }
}

/// Which slice along an axis each element of a row-major tensor belongs to.
struct ChannelSlices {
  let channelCount: Int
  let inner: Int
  let count: Int

  init(shape: [Int], axis: Int?) {
    count = shape.reduce(1, *)
    guard let axis, axis >= 0, axis < shape.count else {
      channelCount = 1
      inner = max(count, 1)
      return
    }
    channelCount = max(shape[axis], 1)
    inner = max(shape[(axis + 1)...].reduce(1, *), 1)
  }

  func channel(of index: Int) -> Int { index / inner % channelCount }

  /// The least and greatest finite value of each channel; zero for an empty one.
  func ranges(of reals: [Float]) -> [(least: Float, greatest: Float)] {
    var ranges = [(least: Float, greatest: Float)](
      repeating: (.infinity, -.infinity), count: channelCount)
    for index in reals.indices where reals[index].isFinite {
      let channel = channel(of: index)
      ranges[channel].least = min(ranges[channel].least, reals[index])
      ranges[channel].greatest = max(ranges[channel].greatest, reals[index])
    }
    return ranges.map { $0.least > $0.greatest ? (0, 0) : $0 }
  }
}
