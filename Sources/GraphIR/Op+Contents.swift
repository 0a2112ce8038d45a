// SPDX-License-Identifier: Apache-2.0
import TensorCore

extension Operand {
  /// The operand as a tensor, where its elements are known numbers.
  var knownTensor: Tensor? {
    if let constant { return constant }
    guard let type, let shape = type.shape, let numbers = knownIntegers,
      (try? ResultLimit.check(shape, type.elementType)) == numbers.count
    else { return nil }
    return Tensor(
      integers: numbers.map { Int64($0) }, shape: shape, elementType: type.elementType)
  }
}

extension ElementType {
  /// Integers of which each has its own value in this type.
  private var exactIntegers: ClosedRange<Int64> {
    switch self {
    case .float64: -(1 << 53)...(1 << 53)
    case .float32: -(1 << 24)...(1 << 24)
    case .float16: -(1 << 11)...(1 << 11)
    case .bfloat16: -(1 << 8)...(1 << 8)
    default: integerRange ?? 0...0
    }
  }

  /// Contents of a tensor of this type, those that it would wrap or round taken for unknown.
  func fitting(_ contents: [Dimension]) -> [Dimension] {
    contents.map { exactIntegers.contains(Int64($0.value ?? 0)) ? $0 : .unknown }
  }
}

extension Op {
  /// The contents of the result where all operands are known numbers: those of the evaluated op.
  func foldedContents(_ operands: [Operand?]) -> [Dimension]? {
    guard hasShapeSizedResult(operands), let tensors = tensors(operands[...]),
      tensors.allSatisfy({ ($0?.count ?? 0) <= Operand.contentsLimit }),
      let result = try? evaluate(tensors, outputCount: 1).first
    else { return nil }
    return Operand(result).knownContents
  }

  /// The contents of the result of an op that only moves elements of its first operand.
  ///
  /// Found by moving the positions of the elements in place of the elements.
  ///
  /// - Returns: `nil` where the first operand's shape or contents, or another operand, is unknown.
  func movedContents(_ operands: [Operand?]) -> [Dimension]? {
    guard hasShapeSizedResult(operands), let data = operands.optional(0),
      let shape = data.type?.shape,
      let contents = data.knownContents,
      (try? ResultLimit.check(shape, .int64)) == contents.count,
      let others = tensors(operands.dropFirst())
    else { return nil }
    let positions = Tensor(contents.indices.map { Int64($0) }, shape: shape)
    guard let result = try? evaluate([positions] + others, outputCount: 1).first,
      result.count <= Operand.contentsLimit
    else { return nil }
    return result.integers().map { contents[Int($0)] }
  }

  /// Whether the result is small enough to be the description of a shape; to be asked before it is
  /// computed, since small operands can have a large one.
  private func hasShapeSizedResult(_ operands: [Operand?]) -> Bool {
    guard let type = (try? inferTypes(operands, outputCount: 1))?.first ?? nil,
      let dimensions = type.dimensions, let count = Dimension.product(dimensions).value
    else { return false }
    return count <= Operand.contentsLimit
  }

  /// The operands as tensors; `nil` if the numbers of one are not known.
  private func tensors(_ operands: ArraySlice<Operand?>) -> [Tensor?]? {
    var result: [Tensor?] = []
    for operand in operands {
      guard let tensor = operand?.knownTensor else {
        if operand != nil { return nil }
        result.append(nil)
        continue
      }
      result.append(tensor)
    }
    return result
  }
}
