// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// Triangular filters on the mel scale for spectra, `[dft_length / 2 + 1, bins]`; inputs the number of
/// filters, the length of the transform, the sample rate, and the lowest and highest frequency.
public struct MelWeightMatrix: Op {
  public var kind: String { "MelWeightMatrix" }
  public var elementType: ElementType
  public init(elementType: ElementType = .float32) { self.elementType = elementType }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(5...5)
    try checkOutputCount(outputCount, 1...1)
    let bins = try operands.required(0, "num_mel_bins").knownIntegers?.first
    let length = try operands.required(1, "dft_length").knownIntegers?.first
    for (name, value) in [("num_mel_bins", bins), ("dft_length", length)] {
      if let value, value < 0 {
        throw .invalidValue(input: name, found: "\(value)", expected: "0 or more")
      }
    }
    return [
      TensorType(
        elementType,
        [
          length.map { .fixed($0 / 2 + 1) } ?? .unknown, bins.map { .fixed($0) } ?? .unknown,
        ])
    ]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let shape = try resultTypes(inputs, outputCount: outputCount)[0].shape
    let length = try inputs.required(1, "dft_length").reals().first ?? 0
    let rate = try inputs.required(2, "sample_rate").reals().first ?? 0
    guard rate > 0 else {
      throw .invalidValue(input: "sample_rate", found: "\(rate)", expected: "above 0")
    }
    let lowest = Self.mel(try inputs.required(3, "lower_edge_hertz").reals().first ?? 0)
    let highest = Self.mel(try inputs.required(4, "upper_edge_hertz").reals().first ?? 0)
    let (rows, bins) = (shape[0], shape[1])
    try ResultLimit.check([bins + 2], .float64)
    let step = (highest - lowest) / Double(bins + 2)
    var edges: [Int] = []
    for bin in 0..<(bins + 2) {
      let hertz = 700 * (pow(10, (Double(bin) * step + lowest) / 2595) - 1)
      let edge = ((length + 1) * hertz / rate).rounded(.down)
      guard edge >= 0, edge <= Double(rows) else {
        throw .invalidValue(
          input: "upper_edge_hertz", found: "beyond the spectrum", expected: "\(rate / 2) at most")
      }
      edges.append(Int(edge))
    }
    var weights = [Double](repeating: 0, count: rows * bins)
    for bin in 0..<bins {
      let (left, center, right) = (edges[bin], edges[bin + 1], edges[bin + 2])
      if left == center, center < rows { weights[center * bins + bin] = 1 }
      for row in left..<min(rows, max(left, center + 1)) where left < center {
        weights[row * bins + bin] = Double(row - left) / Double(center - left)
      }
      for row in center..<min(rows, max(center, right)) {
        weights[row * bins + bin] = Double(right - row) / Double(right - center)
      }
    }
    return [Tensor(reals: weights, shape: shape, elementType: elementType)]
  }

  private static func mel(_ hertz: Double) -> Double { 2595 * log10(1 + hertz / 700) }
}
