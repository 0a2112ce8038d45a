// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// Attention without softmax, as a recurrence over a matrix of state for each head.
///
/// Inputs query, key and value `[batch, length, heads · size]`, and optionally the first state
/// `[batch, keyHeads, keySize, valueSize]`, the logarithms of decays, and the rates of correction.
/// Outputs the result and the last state.
///
/// Source: ONNX, operator LinearAttention; Yang et al., "Gated Delta Networks", 2024, for the rule
/// with decay and correction: `S ← exp(g) S`, `S ← S + k (β (v − Sᵀ k))ᵀ`, `o = scale · Sᵀ q`.
public struct LinearAttention: Op {
  public enum Rule: String, Sendable {
    case linear, gated, delta
    case gatedDelta = "gated_delta"

    var decays: Bool { self == .gated || self == .gatedDelta }
    var corrects: Bool { self == .delta || self == .gatedDelta }
  }

  public var kind: String { "LinearAttention" }
  public var rule: Rule
  public var queryHeads: Int
  public var keyHeads: Int
  /// One over the root of the key size if 0.
  public var scale: Float

  public init(rule: Rule = .gatedDelta, queryHeads: Int, keyHeads: Int, scale: Float = 0) {
    self.rule = rule
    self.queryHeads = queryHeads
    self.keyHeads = keyHeads
    self.scale = scale
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...6)
    try checkOutputCount(outputCount, 1...2)
    guard queryHeads > 0, keyHeads > 0, queryHeads % keyHeads == 0 else {
      throw .invalidAttribute(
        name: "q_num_heads", found: "\(queryHeads)", expected: "a multiple of \(keyHeads)")
    }
    var dimensions: [[Dimension]] = []
    for (index, name) in ["query", "key", "value"].enumerated() {
      let type = try operands.required(index, name).type
      try ElementTypeRule.floating.check(type, name)
      if let rank = type?.rank, rank != 3 {
        throw .invalidRank(input: name, found: rank, expected: "3")
      }
      dimensions.append(type?.dimensions ?? [.unknown, .unknown, .unknown])
    }
    for (index, name, isWanted) in [(4, "decay", rule.decays), (5, "beta", rule.corrects)]
    where isWanted {
      guard operands.optional(index) != nil else { throw .missingInput(name: name) }
    }
    let query = dimensions[0]
    for (index, name) in [(1, "key"), (2, "value")] {
      guard Dimension.merged(dimensions[index][0], query[0]) != nil,
        Dimension.merged(dimensions[index][1], query[1]) != nil,
        (dimensions[index][2].value ?? 0) % keyHeads == 0
      else {
        throw .invalidShape(
          input: name, found: operands[index]?.type?.shape ?? [],
          expected: "the batch and length of query, and \(keyHeads) heads")
      }
    }
    let keySize = dimensions[1][2] / .fixed(keyHeads)
    let valueSize = dimensions[2][2] / .fixed(keyHeads)
    guard let type = operands[0]?.type?.elementType else {
      return Array(repeating: nil, count: outputCount)
    }
    guard Dimension.merged(query[2], .fixed(queryHeads) * keySize) != nil else {
      throw .invalidShape(
        input: "query", found: operands[0]?.type?.shape ?? [],
        expected: "\(queryHeads) heads of \(keySize)")
    }
    let state = [query[0], .fixed(keyHeads), keySize, valueSize]
    if let past = operands.optional(3)?.dimensions {
      guard past.count == 4, zip(past, state).allSatisfy({ Dimension.merged($0, $1) != nil }) else {
        throw .invalidShape(
          input: "past_state", found: operands[3]?.type?.shape ?? [],
          expected: state.map(\.description).joined(separator: "×"))
      }
    }
    let types = [
      TensorType(type, [query[0], query[1], .fixed(queryHeads) * valueSize]),
      TensorType(operands.optional(3)?.type?.elementType ?? type, state),
    ]
    return Array(types.prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    let (query, key, value) = (
      try inputs.required(0, "query"), try inputs.required(1, "key"),
      try inputs.required(2, "value")
    )
    let (batch, length) = (query.shape[0], query.shape[1])
    let (keySize, valueSize) = (key.shape[2] / keyHeads, value.shape[2] / keyHeads)
    let (decay, decaySize) = try gate(inputs, 4, "decay", rule.decays, keySize: keySize, query)
    let (rate, rateSize) = try gate(inputs, 5, "beta", rule.corrects, keySize: 1, query)
    let factor = scale == 0 ? 1 / Double(keySize).squareRoot() : Double(scale)
    let (q, k, v) = (query.reals(), key.reals(), value.reals())
    let stateSize = keySize * valueSize
    var states =
      inputs.optional(3)?.reals() ?? Array(repeating: 0, count: batch * keyHeads * stateSize)
    let group = queryHeads / keyHeads
    var output = [Double](repeating: 0, count: batch * length * queryHeads * valueSize)
    for sample in 0..<batch {
      for head in 0..<keyHeads {
        let first = (sample * keyHeads + head) * stateSize
        for step in 0..<length {
          let row = sample * length + step
          let keyStart = (row * keyHeads + head) * keySize
          if rule.decays {
            for index in 0..<stateSize {
              let place = decaySize == keyHeads ? head : head * keySize + index / valueSize
              states[first + index] *= exp(decay[row * decaySize + place])
            }
          }
          for column in 0..<valueSize {
            var new = v[(row * keyHeads + head) * valueSize + column]
            if rule.corrects {
              for index in 0..<keySize {
                new -= states[first + index * valueSize + column] * k[keyStart + index]
              }
              new *= rate[row * rateSize + (rateSize == 1 ? 0 : head)]
            }
            for index in 0..<keySize {
              states[first + index * valueSize + column] += k[keyStart + index] * new
            }
            for reader in (head * group)..<((head + 1) * group) {
              var sum = 0.0
              for index in 0..<keySize {
                sum +=
                  q[(row * queryHeads + reader) * keySize + index]
                  * states[first + index * valueSize + column]
              }
              output[(row * queryHeads + reader) * valueSize + column] = factor * sum
            }
          }
        }
      }
    }
    return zip(results, [output, states]).map { result, reals in
      Tensor(reals: reals, shape: result.shape, elementType: result.elementType)
    }
  }

  /// The numbers of an optional input `[batch, length, n]` and n, which is a number of heads or of
  /// all elements of their keys.
  private func gate(
    _ inputs: [Tensor?], _ index: Int, _ name: String, _ isWanted: Bool, keySize: Int,
    _ query: Tensor
  ) throws(OpError) -> (values: [Double], size: Int) {
    guard isWanted else { return ([], 1) }
    let tensor: Tensor = try inputs.required(index, name)
    let sizes = index == 4 ? [keyHeads, keyHeads * keySize] : [keyHeads, 1]
    guard tensor.rank == 3, Array(tensor.shape[..<2]) == Array(query.shape[..<2]),
      sizes.contains(tensor.shape[2])
    else {
      throw .invalidShape(
        input: name, found: tensor.shape,
        expected: "\(Array(query.shape[..<2])) with \(sizes[0]) or \(sizes[1]) numbers")
    }
    return (tensor.reals(), tensor.shape[2])
  }
}
