// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// Inputs for measuring speed: any values do, as long as every operator accepts them.
public enum RandomInputs {
  /// A tensor per input: real values with mean 0 and deviation 1, bytes over their whole range,
  /// wider integers 0 or 1, so that they are valid as indices.
  ///
  /// The same seed gives the same values on every machine. Inputs whose shape is not known are
  /// left out.
  public static func tensors(
    for inputs: [(name: String, type: TensorType)], seed: UInt64 = 0
  ) -> [String: Tensor] {
    var random = RandomSource(seed: seed)
    var tensors: [String: Tensor] = [:]
    for (name, type) in inputs {
      guard let shape = type.shape else { continue }
      tensors[name] = tensor(type.elementType, shape, &random)
    }
    return tensors
  }

  private static func tensor(
    _ type: ElementType, _ shape: [Int], _ random: inout RandomSource
  ) -> Tensor {
    let count = shape.reduce(1, *)
    if type.isFloatingPoint {
      // The sum of four even values has variance 1/3.
      let values = (0..<count).map { _ -> Float in
        let sum = (0..<4).reduce(0.0) { sum, _ in sum + random.nextUniform() }
        return Float((sum - 2) * 1.7320508075688772)
      }
      return Tensor(values, shape: shape).converted(to: type)
    }
    let range: ClosedRange<Int64> = type.bitWidth <= 8 ? type.integerRange ?? 0...1 : 0...1
    let width = Int(range.upperBound - range.lowerBound) + 1
    let values = (0..<count).map { _ in
      range.lowerBound + Int64(random.nextIndex(below: width))
    }
    return Tensor(integers: values, shape: shape, elementType: type)
  }
}
