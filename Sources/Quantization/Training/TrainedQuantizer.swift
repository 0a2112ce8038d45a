// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// A way to round weights and activations while a network is trained.
///
/// One file and one line in `TrainedQuantizers.family` each. What an implementer computes under
/// training must be what the codes that it hands over stand for, to the rounding of float32.
/// Parameters that it adds are named after the operand.
public protocol TrainedQuantizer: Sendable {
  static var card: MethodCard { get }

  /// - Throws: `CompressionError.invalidOption`.
  init(options: MethodOptions) throws(CompressionError)

  /// Adds the nodes that round an operand; returns the rounded value, of the operand's shape.
  func addRounding(
    of value: ValueID, _ operand: QuantizedOperand, to context: inout LossContext
  ) -> ValueID

  /// What updates do with one of the quantizer's own parameters.
  func options(forParameter name: String, standard: ParameterOptions) -> ParameterOptions

  /// The codes of a weight tensor under trained values.
  ///
  /// - Parameter values: Trained values by name: the quantizer's parameters among them.
  func codes(
    of weights: Tensor, _ operand: QuantizedOperand, values: [String: Tensor]
  ) -> TrainedWeightCodes

  /// How an activation is rounded under trained values.
  func rounding(of operand: QuantizedOperand, values: [String: Tensor]) -> ActivationRounding
}

extension TrainedQuantizer {
  public func options(
    forParameter name: String, standard: ParameterOptions
  ) -> ParameterOptions { standard }

  /// The registry's line.
  static var entry: MethodFamily<any TrainedQuantizer>.Entry {
    MethodFamily<any TrainedQuantizer>.Entry(card) { (options) throws(CompressionError) in
      try Self(options: options)
    }
  }
}

/// A weight tensor or an activation that is rounded.
public struct QuantizedOperand: Sendable, Equatable {
  public enum Role: String, Sendable, Codable { case weight, activation }

  public var role: Role

  /// What its parameters are named after, such as `layer1.conv1.weight`.
  public var name: String

  /// 2…8.
  public var bits: Int

  /// Whether there are codes for negative values; always so for weights.
  public var isSigned: Bool

  /// Of weights `[out, …]`; of activations one sample's extents.
  public var shape: [Int]

  /// The axis of the output channels of a weight tensor.
  public var channelAxis: Int?

  /// Initial weights, or activations of the network before training; a sample of them where there
  /// are many.
  public var observed: [Float]

  public init(
    role: Role, name: String, bits: Int, isSigned: Bool, shape: [Int], channelAxis: Int? = nil,
    observed: [Float]
  ) {
    self.role = role
    self.name = name
    self.bits = bits
    self.isSigned = isSigned
    self.shape = shape
    self.channelAxis = channelAxis
    self.observed = observed
  }

  /// Weights of a layer, or elements of an activation of one sample.
  public var elementCount: Int { shape.reduce(1, *) }

  /// All codes of the width: from `−2^(bits − 1)`, or from 0.
  public var codes: ClosedRange<Int> {
    isSigned ? -(1 << (bits - 1))...(1 << (bits - 1)) - 1 : 0...(1 << bits) - 1
  }

  /// `−(2^(bits − 1) − 1)…2^(bits − 1) − 1`, or from 0.
  public var symmetricCodes: ClosedRange<Int> {
    isSigned ? -((1 << (bits - 1)) - 1)...(1 << (bits - 1)) - 1 : codes
  }

  /// The greatest magnitude observed; 1 if there is none.
  public var greatestMagnitude: Float {
    let greatest = observed.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
    return greatest > 0 ? greatest : 1
  }

  public var meanMagnitude: Float {
    let finite = observed.filter(\.isFinite)
    guard !finite.isEmpty else { return 1 }
    let mean = finite.reduce(0.0) { $0 + Double(abs($1)) } / Double(finite.count)
    return mean > 0 ? Float(mean) : 1
  }
}

/// Trained weights as integer codes: `real = scale · code + shift`, or `scale · levels[code] + shift`.
public struct TrainedWeightCodes: Sendable, Equatable {
  /// In the order of the weight tensor.
  public var codes: [Int]
  public var range: ClosedRange<Int>

  /// One, or one per index along `axis`.
  public var scales: [Float]
  public var axis: Int?

  /// Added to all.
  public var shift: Float

  /// What codes from 0 on stand for, where they are not evenly spaced.
  public var levels: [Float]?

  public init(
    codes: [Int], range: ClosedRange<Int>, scales: [Float], axis: Int? = nil, shift: Float = 0
  ) {
    self.codes = codes
    self.range = range
    self.scales = scales
    self.axis = axis
    self.shift = shift
  }

  /// The codes of weights that are rounded to the levels of a table.
  public init(rounding weights: Tensor, to table: LevelTable) {
    self.init(
      codes: table.codes(of: weights.floats()), range: 0...max(table.levels.count - 1, 0),
      scales: [1])
    levels = table.levels
  }

  /// The reals that the codes stand for.
  public func reals(shape: [Int]) -> [Float] {
    let slices = ChannelSlices(shape: shape, axis: axis)
    return codes.enumerated().map { index, code in
      scales[axis == nil ? 0 : slices.channel(of: index)] * (levels?[code] ?? Float(code)) + shift
    }
  }
}

/// How an activation is rounded.
public enum ActivationRounding: Sendable, Equatable {
  case grid(TrainedActivationGrid)
  case table(LevelTable)
}

/// A grid with even steps: `code = clamp(round((x − shift) / step), codes)`, which stands for
/// `scale · code + offset`.
public struct TrainedActivationGrid: Sendable, Equatable {
  public var codes: ClosedRange<Int>
  public var step: Float
  public var shift: Float
  public var scale: Float
  public var offset: Float

  /// A grid on which a code stands for the value that it was made of.
  public init(codes: ClosedRange<Int>, step: Float, shift: Float = 0) {
    self.codes = codes
    self.step = step
    self.shift = shift
    scale = step
    offset = shift
  }
}
