// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// How channels run through a weight: element `((g · outer + o) · extent + e) · inner + i` belongs
/// to channel `g · extent + e`.
struct ChannelLayout: Equatable {
  var groups = 1
  var outer = 1
  var extent: Int
  var inner = 1

  var channels: Int { groups * extent }
  var count: Int { groups * outer * extent * inner }

  func channel(of index: Int) -> Int {
    let step = index / inner
    return step / (extent * outer) * extent + step % extent
  }

  /// The weight with every element multiplied by its channel's factor, in `Double`, then rounded.
  func scaled(_ weight: Tensor, by factors: [Double]) -> Tensor {
    var elements = weight.reals()
    for index in elements.indices { elements[index] *= factors[channel(of: index)] }
    return Tensor(reals: elements, shape: weight.shape, elementType: weight.elementType)
  }
}

/// An op that multiplies its first input by a weight, its second, and adds a bias per output
/// channel, its third; the channels of its result lie along axis 1.
protocol ChannelLinear: Op {
  /// How output channels run through the weight; `nil` if the shape does not fit the op.
  func outputLayout(weight shape: [Int]) -> ChannelLayout?

  /// How input channels run through the weight; `nil` likewise.
  func inputLayout(weight shape: [Int]) -> ChannelLayout?

  /// What the third input is multiplied by.
  var biasFactor: Double { get }

  /// The op that takes a bias of one element per channel, unmultiplied, where this stood.
  var withPlainBias: any Op { get }

  /// Whether the op may take a bias for a result of this rank.
  func takesBias(rank: Int) -> Bool

  /// Whether the channels of the first input lie along axis 1.
  var readsChannelsInPlace: Bool { get }

  /// Whether each input channel meets every weight of its own in every result (nothing is padded
  /// and no operand is turned), so that a constant added to the channel is a constant in the bias.
  var seesWholeChannels: Bool { get }
}

extension ChannelLinear {
  var biasFactor: Double { 1 }
  var withPlainBias: any Op { self }
  func takesBias(rank: Int) -> Bool { true }
  var readsChannelsInPlace: Bool { true }
}

extension Padding {
  /// Whether nothing is padded, whatever the input's extents.
  var isNone: Bool {
    switch self {
    case .valid: true
    case .explicit(let pads): pads.allSatisfy { $0 == 0 }
    case .sameUpper, .sameLower: false
    }
  }
}

extension Conv: ChannelLinear {
  func outputLayout(weight shape: [Int]) -> ChannelLayout? {
    guard shape.count >= 3 else { return nil }
    return ChannelLayout(extent: shape[0], inner: shape.dropFirst().reduce(1, *))
  }

  func inputLayout(weight shape: [Int]) -> ChannelLayout? {
    guard shape.count >= 3, group > 0, shape[0] % group == 0 else { return nil }
    return ChannelLayout(
      groups: group, outer: shape[0] / group, extent: shape[1],
      inner: shape.dropFirst(2).reduce(1, *))
  }

  var seesWholeChannels: Bool { padding.isNone }
}

extension ConvTranspose: ChannelLinear {
  func outputLayout(weight shape: [Int]) -> ChannelLayout? {
    guard shape.count >= 3, group > 0, shape[0] % group == 0 else { return nil }
    return ChannelLayout(
      groups: group, outer: shape[0] / group, extent: shape[1],
      inner: shape.dropFirst(2).reduce(1, *))
  }

  func inputLayout(weight shape: [Int]) -> ChannelLayout? {
    guard shape.count >= 3 else { return nil }
    return ChannelLayout(extent: shape[0], inner: shape.dropFirst().reduce(1, *))
  }

  var seesWholeChannels: Bool { false }
}

extension Gemm: ChannelLinear {
  func outputLayout(weight shape: [Int]) -> ChannelLayout? {
    guard shape.count == 2 else { return nil }
    return transposesB
      ? ChannelLayout(extent: shape[0], inner: shape[1])
      : ChannelLayout(outer: shape[0], extent: shape[1])
  }

  func inputLayout(weight shape: [Int]) -> ChannelLayout? {
    guard shape.count == 2 else { return nil }
    return transposesB
      ? ChannelLayout(outer: shape[0], extent: shape[1])
      : ChannelLayout(extent: shape[0], inner: shape[1])
  }

  var biasFactor: Double { Double(beta) }

  var withPlainBias: any Op {
    Gemm(alpha: alpha, beta: 1, transposesA: transposesA, transposesB: transposesB)
  }

  var readsChannelsInPlace: Bool { !transposesA }

  var seesWholeChannels: Bool { !transposesA && alpha == 1 }
}

extension MatMul: ChannelLinear {
  func outputLayout(weight shape: [Int]) -> ChannelLayout? { Gemm().outputLayout(weight: shape) }
  func inputLayout(weight shape: [Int]) -> ChannelLayout? { Gemm().inputLayout(weight: shape) }
  var withPlainBias: any Op { Gemm() }
  func takesBias(rank: Int) -> Bool { rank == 2 }
  var seesWholeChannels: Bool { true }
}
