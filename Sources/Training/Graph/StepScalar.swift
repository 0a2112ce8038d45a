// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// An input of a training step that is one number, new for every update, such as the learning
/// rate.
public struct StepScalar: Sendable {
  /// The graph input's name.
  public var name: String
  /// `float32` or `int64`.
  public var elementType: ElementType
  public var value: @Sendable (StepPosition) -> Double

  public init(
    name: String, elementType: ElementType = .float32,
    value: @escaping @Sendable (StepPosition) -> Double
  ) {
    self.name = name
    self.elementType = elementType
    self.value = value
  }

  func tensor(at position: StepPosition) -> Tensor {
    let value = value(position)
    return elementType == .int64 ? Tensor(scalar: Int64(value)) : Tensor(scalar: Float(value))
  }
}
