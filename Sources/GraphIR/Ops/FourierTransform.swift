// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// The discrete Fourier transform along an axis, its inverse, or one of them for real signals;
/// inputs the signal (its last axis holds real and imaginary parts, or real ones alone), and
/// optionally the length of the transform and the axis, −2 if it is left out.
///
/// Shorter signals are padded with zeros, longer ones cut.
public struct FourierTransform: Op {
  public var kind: String { "DFT" }
  public var isInverse: Bool
  /// Whether only the frequencies up to half the length are given, the others being their
  /// conjugates.
  public var isOnesided: Bool

  public init(isInverse: Bool = false, isOnesided: Bool = false) {
    self.isInverse = isInverse
    self.isOnesided = isOnesided
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(1...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "input").type
    try ElementTypeRule.floating.check(x, "input")
    var place: Int? = -2
    if let axis = operands.optional(2) { place = try axis.checkedIntegers("axis")?.first }
    let given = try operands.optional(1)?.checkedContents("dft_length")?.first
    guard let x, var dimensions = x.dimensions else { return [x] }
    guard dimensions.count >= 2, let last = dimensions.last else {
      throw .invalidRank(input: "input", found: dimensions.count, expected: "2 or more")
    }
    if let parts = last.value, parts != 1 && parts != 2 {
      throw .invalidShape(
        input: "input", found: x.shape ?? [parts], expected: "1 or 2 along the last axis")
    }
    guard let place else { return [TensorType(x.elementType, dimensions.map { _ in .unknown })] }
    let axis = try Axes.normalized(place, rank: dimensions.count)
    guard axis < dimensions.count - 1 else {
      throw .invalidAttribute(
        name: "axis", found: "\(place)", expected: "another than the last axis")
    }
    var length = dimensions[axis]
    if isInverse, isOnesided { length = .fixed(2) * (length - .fixed(1)) }
    if operands.optional(1) != nil { length = given ?? .unknown }
    if let known = length.value, known < 1 {
      throw .invalidValue(input: "dft_length", found: "\(known)", expected: "1 or more")
    }
    dimensions[axis] = isOnesided && !isInverse ? length / .fixed(2) + .fixed(1) : length
    dimensions[dimensions.count - 1] = isOnesided && isInverse ? .fixed(1) : .fixed(2)
    return [TensorType(x.elementType, dimensions)]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "input")
    let axis = try Axes.normalized(
      Int(inputs.optional(2)?.integers().first ?? -2), rank: x.rank)
    let (given, parts) = (x.shape[axis], x.shape[x.rank - 1])
    var length = isInverse && isOnesided ? 2 * (given - 1) : given
    if let wanted = inputs.optional(1)?.integers().first { length = Int(wanted) }
    let shape = results[0].shape
    let (count, outputParts) = (shape[axis], shape[x.rank - 1])
    let inner = x.shape[(axis + 1)..<(x.rank - 1)].reduce(1, *)
    let outer = x.shape[..<axis].reduce(1, *)
    let values = x.reals()
    let turn = (isInverse ? 2 : -2) * Double.pi / Double(length)
    let cosines = (0..<length).map { cos(turn * Double($0)) }
    let sines = (0..<length).map { sin(turn * Double($0)) }
    let factor = isInverse ? 1 / Double(length) : 1
    var output = [Double](repeating: 0, count: shape.reduce(1, *))
    for row in 0..<outer {
      for column in 0..<inner {
        let signal = signal(length, given) { position, part in
          part < parts ? values[((row * given + position) * inner + column) * parts + part] : 0
        }
        for frequency in 0..<count {
          var (real, imaginary) = (0.0, 0.0)
          var angle = 0
          for element in signal {
            real += element.real * cosines[angle] - element.imaginary * sines[angle]
            imaginary += element.real * sines[angle] + element.imaginary * cosines[angle]
            angle = (angle + frequency) % length
          }
          let place = ((row * count + frequency) * inner + column) * outputParts
          output[place] = real * factor
          if outputParts == 2 { output[place + 1] = imaginary * factor }
        }
      }
    }
    return [Tensor(reals: output, shape: shape, elementType: x.elementType)]
  }

  /// A line of the transform's length; the conjugates that a one-sided spectrum leaves out are
  /// added, and parts that must be real taken for real.
  private func signal(
    _ length: Int, _ given: Int, _ value: (_ position: Int, _ part: Int) -> Double
  ) -> [(real: Double, imaginary: Double)] {
    (0..<length).map { index in
      guard isInverse, isOnesided else {
        return index < given ? (value(index, 0), value(index, 1)) : (0, 0)
      }
      let mirrored = min(index, length - index)
      guard mirrored < given else { return (0, 0) }
      let isReal = index == 0 || 2 * index == length
      let sign: Double = isReal ? 0 : index == mirrored ? 1 : -1
      return (value(mirrored, 0), sign * value(mirrored, 1))
    }
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    guard let x = inputs.optional(0)?.shape, let y = outputs.first.flatMap({ $0 })?.shape else {
      return nil
    }
    let size = max(x.reduce(1, *), y.reduce(1, *))
    let (work, overflow) = size.multipliedReportingOverflow(by: max(x.max() ?? 1, y.max() ?? 1))
    return overflow ? nil : OpCost(multiplyAccumulates: work)
  }
}

/// Spectra of overlapping parts of a signal; inputs the signal `[N, length, 1 or 2]`, the distance
/// of parts, and optionally a window and the length of a part, of which one must be given.
public struct ShortTimeFourierTransform: CompositeOp {
  public var kind: String { "STFT" }
  public var isOnesided: Bool
  public init(isOnesided: Bool = true) { self.isOnesided = isOnesided }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...4)
    try checkOutputCount(outputCount, 1...1)
    let (signal, step): (ValueID, ValueID) = (
      try inputs.required(0, "signal"), try inputs.required(1, "frame_step")
    )
    let window = inputs.optional(2)
    guard let distance = body.operand(step).knownIntegers?.first else {
      throw .notEvaluable(kind: kind)
    }
    let length: Int
    if let given = inputs.optional(3) {
      guard let known = body.operand(given).knownIntegers?.first else {
        throw .notEvaluable(kind: kind)
      }
      length = known
    } else if let window {
      length = try body.extent(window, 0)
    } else {
      throw .missingInput(name: "frame_length")
    }
    let total = try body.extent(signal, 1)
    guard distance > 0, length > 0, length <= total else {
      throw .invalidValue(
        input: "frame_length", found: "\(length) at steps of \(distance)", expected: "1…\(total)")
    }
    let frames = (total - length) / distance + 1
    try ResultLimit.check([frames, length], .int64)
    let positions = (0..<frames).flatMap { frame in
      (0..<length).map { Int64(frame * distance + $0) }
    }
    var parts = try body.add(
      Gather(axis: 1), signal, body.constant(Tensor(positions, shape: [frames, length])))
    if let window { parts = try body.binary(.multiply, parts, body.unsqueeze(window, [1])) }
    return [
      try body.add(
        FourierTransform(isOnesided: isOnesided), parts, nil, body.scalar(2, .int64))
    ]
  }
}
