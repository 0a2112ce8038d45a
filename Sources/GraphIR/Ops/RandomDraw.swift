// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// Random numbers: of a given shape, of the shape of the input, or with the probabilities that the
/// input holds.
///
/// The numbers follow from the seed alone, so that the same network gives the same numbers every
/// time; without a seed it is 0.
public struct RandomDraw: Op {
  public enum Distribution: Sendable, Equatable {
    case normal(mean: Float, deviation: Float)
    case uniform(low: Float, high: Float)
    /// One with the probability that the input holds.
    case bernoulli
    /// Numbers of classes, with the unnormalized log-probabilities `[N, classes]` of the input.
    case multinomial(count: Int)
  }

  public var distribution: Distribution
  /// The type of the result; that of the input if `nil`.
  public var elementType: ElementType?
  /// The shape of the result; that of the input if `nil`.
  public var shape: [Int]?
  public var seed: Float?

  public init(
    _ distribution: Distribution, elementType: ElementType? = nil, shape: [Int]? = nil,
    seed: Float? = nil
  ) {
    self.distribution = distribution
    self.elementType = elementType
    self.shape = shape
    self.seed = seed
  }

  public var kind: String {
    switch distribution {
    case .normal: shape == nil ? "RandomNormalLike" : "RandomNormal"
    case .uniform: shape == nil ? "RandomUniformLike" : "RandomUniform"
    case .bernoulli: "Bernoulli"
    case .multinomial: "Multinomial"
    }
  }

  public var isPure: Bool { false }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try checkOutputCount(outputCount, 1...1)
    if let shape {
      try operands.checkCount(0...0)
      try ResultLimit.check(shape, elementType ?? .float32)
      return [TensorType(elementType ?? .float32, shape: shape)]
    }
    try operands.checkCount(1...1)
    let input = try operands.required(0, "input").type
    switch distribution {
    case .normal, .uniform: break
    case .bernoulli: try ElementTypeRule.floating.check(input, "input")
    case .multinomial(let count):
      try ElementTypeRule.floating.check(input, "input")
      if let rank = input?.rank, rank != 2 {
        throw .invalidRank(input: "input", found: rank, expected: "2")
      }
      return [
        TensorType(elementType ?? .int32, [input?.dimensions?[0] ?? .unknown, .fixed(count)])
      ]
    }
    guard let type = elementType ?? input?.elementType else { return [nil] }
    return [TensorType(type, input?.dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let count = result.shape.reduce(1, *)
    var source = RandomSource(seed: UInt64((seed ?? 0).bitPattern))
    var values: [Double] = []
    values.reserveCapacity(count)
    switch distribution {
    case .normal(let mean, let deviation):
      while values.count < count {
        // Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
        let radius = (-2 * log(1 - source.nextUniform())).squareRoot()
        let angle = 2 * Double.pi * source.nextUniform()
        values.append(Double(mean) + Double(deviation) * radius * cos(angle))
      }
    case .uniform(let low, let high):
      for _ in 0..<count {
        values.append(Double(low) + (Double(high) - Double(low)) * source.nextUniform())
      }
    case .bernoulli:
      for probability in try inputs.required(0, "input").reals() {
        values.append(source.nextUniform() < probability ? 1 : 0)
      }
    case .multinomial(let draws):
      let input = try inputs.required(0, "input")
      let (logits, classes) = (input.reals(), input.shape[1])
      guard classes > 0 || count == 0 else {
        throw .invalidShape(input: "input", found: input.shape, expected: "1 class or more")
      }
      for row in 0..<input.shape[0] {
        let line = logits[(row * classes)..<((row + 1) * classes)]
        let greatest = line.max() ?? 0
        let weights = line.map { exp($0 - greatest) }
        let total = weights.reduce(0, +)
        for _ in 0..<draws {
          var rest = source.nextUniform() * total
          let drawn = weights.firstIndex { weight in
            rest -= weight
            return rest < 0
          }
          values.append(Double(drawn ?? classes - 1))
        }
      }
    }
    return [Tensor(reals: values, shape: result.shape, elementType: result.elementType)]
  }
}
