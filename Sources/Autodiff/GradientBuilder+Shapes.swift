// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension GradientBuilder {
  /// The dimensions of a value.
  ///
  /// - Throws: `AutodiffError.unknown` if not even the rank is known.
  func dimensions(_ value: ValueID) throws(AutodiffError) -> [Dimension] {
    guard let dimensions = type(value)?.dimensions else {
      throw unknown("the rank of \"\(graph[value].name)\"")
    }
    return dimensions
  }

  /// The extents of a value behind batch and channels.
  func spatialExtents(_ value: ValueID) throws(AutodiffError) -> [Int] {
    let dimensions = try dimensions(value).dropFirst(2)
    let extents = dimensions.compactMap(\.value)
    guard extents.count == dimensions.count else {
      throw unknown("the spatial extents of \"\(graph[value].name)\"")
    }
    return extents
  }

  /// The numbers of an operand that lists axes or extents.
  func integers(_ value: ValueID, _ what: String) throws(AutodiffError) -> [Int] {
    guard let numbers = operand(value)?.knownIntegers else { throw unknown(what) }
    return numbers
  }

  func elementType(_ value: ValueID) -> ElementType { type(value)?.elementType ?? .float32 }

  /// A constant scalar of the element type of `model`.
  mutating func scalar(_ number: Double, like model: ValueID) -> ValueID {
    constant(Tensor(reals: [number], shape: [], elementType: elementType(model)))
  }

  mutating func list(_ numbers: [Int]) -> ValueID {
    constant(Tensor(numbers.map { Int64($0) }, shape: [numbers.count]))
  }

  /// Whether both values surely have the same shape.
  func haveEqualShapes(_ left: ValueID, _ right: ValueID) -> Bool {
    guard let first = type(left)?.dimensions, let second = type(right)?.dimensions else {
      return false
    }
    return first == second && !first.contains(.unknown)
  }

  /// The shape of a value as a list: a constant where it is known, else computed.
  mutating func shape(of value: ValueID) throws(AutodiffError) -> ValueID {
    if let shape = type(value)?.shape { return list(shape) }
    return try add(Shape(), value)
  }

  /// The elements of a gradient under the shape of `model`.
  mutating func reshaped(
    _ gradient: ValueID, like model: ValueID
  ) throws(AutodiffError) -> ValueID {
    if haveEqualShapes(gradient, model) { return gradient }
    if let dimensions = type(model)?.dimensions,
      dimensions.filter({ $0.value == nil }).count <= 1, !dimensions.contains(.fixed(0))
    {
      return try add(Reshape(), gradient, list(dimensions.map { $0.value ?? -1 }))
    }
    return try add(Reshape(allowsZero: true), gradient, shape(of: model))
  }

  /// The gradient summed over the axes along which `operand` was broadcast.
  mutating func summed(
    _ gradient: ValueID, like operand: ValueID
  ) throws(AutodiffError) -> ValueID {
    haveEqualShapes(gradient, operand) ? gradient : try add(SumToShape(), gradient, operand)
  }

  /// The gradient broadcast to the shape of `model`.
  mutating func expanded(
    _ gradient: ValueID, like model: ValueID
  ) throws(AutodiffError) -> ValueID {
    haveEqualShapes(gradient, model)
      ? gradient : try add(Expand(), gradient, shape(of: model))
  }

  mutating func zeros(like model: ValueID) throws(AutodiffError) -> ValueID {
    if let shape = type(model)?.shape {
      return constant(Tensor(zerosOf: elementType(model), shape: shape))
    }
    let zero = Tensor(zerosOf: elementType(model), shape: [1])
    return try add(ConstantOfShape(value: zero), shape(of: model))
  }

  /// `value` where `condition` holds, 0 elsewhere.
  mutating func masked(
    _ value: ValueID, where condition: ValueID
  ) throws(AutodiffError) -> ValueID {
    try add(Where(), condition, value, scalar(0, like: value))
  }

  mutating func product(_ left: ValueID, _ right: ValueID) throws(AutodiffError) -> ValueID {
    try add(Binary(.multiply), left, right)
  }

  /// The number of elements as a scalar of the element type of `model`.
  mutating func count(of value: ValueID, like model: ValueID) throws(AutodiffError) -> ValueID {
    if let shape = type(value)?.shape { return scalar(Double(shape.reduce(1, *)), like: model) }
    return try add(Cast(to: elementType(model)), add(Size(), value))
  }
}
