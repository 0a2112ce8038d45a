// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Einsum {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    let terms = try EinsumEquation(equation)
    try operands.checkCount(terms.inputs.count...terms.inputs.count)
    var elementType: ElementType?
    var dimensions: [[Dimension]]? = []
    for index in operands.indices {
      let type = try operands.required(index, "inputs_\(index)").type
      if let found = type?.elementType {
        guard found != .bool, elementType ?? found == found else {
          throw .invalidElementType(
            input: "inputs_\(index)", found: found,
            expected: elementType?.rawValue ?? "a numeric type")
        }
        elementType = found
      }
      if let known = type?.dimensions { dimensions?.append(known) } else { dimensions = nil }
    }
    guard let elementType else { return [nil] }
    guard let dimensions else { return [TensorType(elementType, nil)] }
    let axes = try terms.resolved(dimensions)
    return [TensorType(elementType, axes.output.map { axes.extents[$0] ?? .unknown })]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let result = try resultTypes(inputs, outputCount: outputCount)[0]
    let tensors = inputs.compactMap { $0 }
    let axes = try EinsumEquation(equation).resolved(
      tensors.map { $0.shape.map { .fixed($0) } })
    let summed = axes.extents.keys.filter { !axes.output.contains($0) }.sorted()
    let summedShape = summed.map { axes.extents[$0]?.value ?? 1 }
    try ResultLimit.check(summedShape, .int64)
    let factors = tensors.indices.map { index in
      let strides = axes.strides(ofInput: index, shape: tensors[index].shape)
      return FactorPositions(
        outer: linearPositions(of: result.shape, strides: axes.output.map { strides[$0] ?? 0 }),
        inner: linearPositions(of: summedShape, strides: summed.map { strides[$0] ?? 0 }))
    }
    let count = result.shape.reduce(1, *)
    if result.elementType.isFloatingPoint {
      let sums = Einsum.sums(tensors.map { $0.reals() }, factors, count, (0, 1), +, *)
      return [Tensor(reals: sums, shape: result.shape, elementType: result.elementType)]
    }
    let sums = Einsum.sums(tensors.map { $0.integers() }, factors, count, (0, 1), &+, &*)
    return [Tensor(integers: sums, shape: result.shape, elementType: result.elementType)]
  }

  /// The product of all extents, for each product of two factors.
  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    let dimensions = inputs.compactMap { $0?.dimensions }
    guard dimensions.count == inputs.count,
      let axes = try? EinsumEquation(equation).resolved(dimensions),
      let points = Dimension.product(axes.extents.values).value,
      let products = (.fixed(points) * .fixed(max(0, inputs.count - 1))).value
    else { return nil }
    return OpCost(multiplyAccumulates: products)
  }

  private static func sums<Number>(
    _ values: [[Number]], _ factors: [FactorPositions], _ count: Int,
    _ neutral: (sum: Number, product: Number), _ add: (Number, Number) -> Number,
    _ multiply: (Number, Number) -> Number
  ) -> [Number] {
    (0..<count).map { place in
      var sum = neutral.sum
      for step in 0..<(factors.first?.inner.count ?? 0) {
        var product = neutral.product
        for (numbers, factor) in zip(values, factors) {
          product = multiply(product, numbers[factor.outer[place] + factor.inner[step]])
        }
        sum = add(sum, product)
      }
      return sum
    }
  }
}

/// Where one factor is read: the position is the sum of one outer and one inner part.
private struct FactorPositions {
  let outer: [Int]
  let inner: [Int]
}

/// The labels of an equation's terms; `nil` stands for the ellipsis.
private struct EinsumEquation {
  let inputs: [[Int?]]
  let output: [Int?]?
  private let text: String

  init(_ text: String) throws(OpError) {
    self.text = text
    let sides = text.replacing(" ", with: "").split(
      separator: "->", omittingEmptySubsequences: false)
    guard sides.count <= 2, let left = sides.first else { throw EinsumEquation.invalid(text) }
    var inputs: [[Int?]] = []
    for term in left.split(separator: ",", omittingEmptySubsequences: false) {
      inputs.append(try EinsumEquation.labels(term, in: text))
    }
    self.inputs = inputs
    output = sides.count == 2 ? try EinsumEquation.labels(sides[1], in: text) : nil
    if let output, Set(output).count != output.count { throw EinsumEquation.invalid(text) }
  }

  private static func labels(
    _ term: Substring, in text: String
  ) throws(OpError) -> [Int?] {
    var result: [Int?] = []
    for character in term.replacing("...", with: "…").unicodeScalars {
      if character == "…", !result.contains(nil) {
        result.append(nil)
      } else if character.isASCII, character.properties.isAlphabetic {
        result.append(Int(character.value))
      } else {
        throw invalid(text)
      }
    }
    return result
  }

  private static func invalid(_ text: String) -> OpError {
    .invalidAttribute(name: "equation", found: text, expected: "such as bij,bjk->bik")
  }

  /// The axes of all terms for inputs of the given dimensions.
  func resolved(_ dimensions: [[Dimension]]) throws(OpError) -> EinsumAxes {
    var axes = EinsumAxes()
    var ellipsisRank = 0
    for (term, extents) in zip(inputs, dimensions) {
      let hidden = extents.count - term.count + 1
      guard term.contains(nil) ? hidden >= 0 : hidden == 1 else {
        throw .invalidRank(input: "inputs", found: extents.count, expected: "that of \(text)")
      }
      // The axes of the ellipsis count from its last one: −1, −2, …
      let labels = EinsumEquation.expanded(term, hidden)
      if term.contains(nil) { ellipsisRank = max(ellipsisRank, hidden) }
      for (label, extent) in zip(labels, extents) {
        let known = axes.extents[label] ?? .fixed(1)
        guard let common = Broadcasting.dimensions([[known], [extent]])?.first else {
          throw .invalidShape(
            input: "inputs", found: extents.map { $0.value ?? -1 },
            expected: "equal extents for equal letters of \(text)")
        }
        axes.extents[label] = common
      }
      axes.inputs.append(labels)
    }
    axes.output = EinsumEquation.expanded(output ?? implicitOutput, ellipsisRank)
    guard axes.output.allSatisfy({ axes.extents[$0] != nil }) else {
      throw EinsumEquation.invalid(text)
    }
    return axes
  }

  /// Without an arrow: the ellipsis, then the letters that occur once, in order.
  private var implicitOutput: [Int?] {
    let all = inputs.flatMap { $0 }
    let letters = all.compactMap { $0 }
    let single = letters.filter { letter in letters.filter { $0 == letter }.count == 1 }
    return (all.contains(nil) ? [nil] : []) + single.sorted().map { $0 }
  }

  private static func expanded(_ term: [Int?], _ hidden: Int) -> [Int] {
    term.flatMap { label in label.map { [$0] } ?? Array(stride(from: -hidden, to: 0, by: 1)) }
  }
}

/// The axes of an equation's terms, and how long each is.
private struct EinsumAxes {
  var extents: [Int: Dimension] = [:]
  var inputs: [[Int]] = []
  var output: [Int] = []

  /// Element distances per axis; 0 where the input is stretched.
  func strides(ofInput index: Int, shape: [Int]) -> [Int: Int] {
    var result: [Int: Int] = [:]
    for (label, (extent, stride)) in zip(inputs[index], zip(shape, Tensor.strides(of: shape))) {
      if extent != 1 { result[label, default: 0] += stride }
    }
    return result
  }
}
