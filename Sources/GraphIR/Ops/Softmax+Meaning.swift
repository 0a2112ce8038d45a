// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension Softmax {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...1)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "input").type
    try ElementTypeRule.floating.check(x, "input")
    if let rank = x?.rank {
      _ = try Axes.normalized(axis, rank: rank, includesEnd: flattensTrailingAxes)
    }
    return [x]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "input")
    let first = try Axes.normalized(axis, rank: x.rank, includesEnd: flattensTrailingAxes)
    var values = x.reals()
    let normalized = flattensTrailingAxes ? first..<x.rank : first..<(first + 1)
    let length = x.shape[normalized].reduce(1, *)
    let distance = x.shape.dropFirst(normalized.upperBound).reduce(1, *)
    // In 16-bit types each step is rounded, as in the operator's definition as a function.
    let type = x.elementType
    let round: (Double) -> Double =
      switch type {
      case .float16: { Double(Half.float(float16: Half.float16(Float($0)))) }
      case .bfloat16: { Double(Half.float(bfloat16: Half.bfloat16(Float($0)))) }
      default: { $0 }
      }
    for outer in 0..<(values.count / (length * distance)) {
      for inner in 0..<distance {
        let start = outer * length * distance + inner
        normalize(&values, from: start, count: length, step: distance, round)
      }
    }
    return [Tensor(reals: values, shape: x.shape, elementType: x.elementType)]
  }

  /// Normalizes the elements at `start`, `start + step`, ….
  private func normalize(
    _ values: inout [Double], from start: Int, count: Int, step: Int, _ round: (Double) -> Double
  ) {
    var greatest = -Double.infinity
    for position in 0..<count { greatest = max(greatest, values[start + position * step]) }
    var sum = 0.0
    for position in 0..<count {
      let index = start + position * step
      values[index] = round(values[index] - greatest)
      let power = round(exp(values[index]))
      sum += power
      if !isLogarithm { values[index] = power }
    }
    sum = round(sum)
    let logarithm = round(log(sum))
    for position in 0..<count {
      let index = start + position * step
      if isLogarithm { values[index] -= logarithm } else { values[index] /= sum }
    }
  }
}
