// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Training

/// Nodes that losses are made of, all with fast ways in training steps.
extension LossContext {
  mutating func scaled(_ value: ValueID, by factor: Double, name: String) -> ValueID {
    let factor = constant(Float(factor), name: "\(name)/factor")
    return add(Binary(.multiply), [value, factor], name: name)
  }

  /// The sum of scalars.
  mutating func sum(_ values: [ValueID], name: String) -> ValueID {
    values.dropFirst().reduce(values[0]) { add(Binary(.add), [$0, $1], name: name) }
  }

  /// The mean over all elements of the squared differences of two values of a shape.
  mutating func meanSquare(of first: Feature, less second: Feature, name: String) -> ValueID {
    let difference = add(
      Binary(.subtract), [first.value, second.value], name: "\(name)/difference")
    let sum = add(
      Reduce(.sumOfSquares, keepsDimensions: false), [difference], name: "\(name)/squares")
    return scaled(sum, by: 1 / Double(first.shape.reduce(1, *)), name: "\(name)/mean")
  }

  /// The mean over all elements of the magnitudes of the differences of two values of a shape.
  mutating func meanMagnitude(of first: Feature, less second: Feature, name: String) -> ValueID {
    let difference = add(
      Binary(.subtract), [first.value, second.value], name: "\(name)/difference")
    let magnitude = magnitude(of: difference, name: name)
    let sum = add(Reduce(.sum, keepsDimensions: false), [magnitude], name: "\(name)/sum")
    return scaled(sum, by: 1 / Double(first.shape.reduce(1, *)), name: "\(name)/mean")
  }

  /// `max(x, 0) + max(−x, 0)`: its gradient at 0 is 0.
  mutating func magnitude(of value: ValueID, name: String) -> ValueID {
    let positive = add(Unary(.relu), [value], name: "\(name)/positive")
    let negated = add(Unary(.negate), [value], name: "\(name)/negated")
    let negative = add(Unary(.relu), [negated], name: "\(name)/negative")
    return add(Binary(.add), [positive, negative], name: "\(name)/magnitude")
  }

  /// A map as one row per sample; the order of a row's elements is that of memory, channels last.
  mutating func rows(_ map: Feature, name: String) -> Feature {
    guard map.shape.count == 4 else { return map }
    let moved = add(
      Transpose(permutation: [0, 2, 3, 1]), [map.value], name: "\(name)/channels_last")
    let shape = [map.shape[0], map.width]
    let target = network.graph.addConstant(
      Tensor(shape.map { Int64($0) }, shape: [2]), name: "\(name)/shape")
    return Feature(
      value: add(Reshape(), [moved, target], name: "\(name)/rows"), shape: shape)
  }

  /// Both maps at the height and width of the smaller one, by adaptive average pooling.
  mutating func aligned(_ pair: FeaturePair, name: String) -> FeaturePair {
    let (student, teacher) = (pair.student.shape.dropFirst(2), pair.teacher.shape.dropFirst(2))
    guard student != teacher, student.count == 2, teacher.count == 2 else { return pair }
    let places = zip(student, teacher).map { min($0, $1) }
    return FeaturePair(
      student: pooled(pair.student, to: places, name: "\(name)/student"),
      teacher: pooled(pair.teacher, to: places, name: "\(name)/teacher"))
  }

  /// A map whose place `(i, j)` is the mean over rows `⌊i h / h′⌋ ..< ⌈(i + 1) h / h′⌉` and the like
  /// columns.
  mutating func pooled(_ map: Feature, to places: [Int], name: String) -> Feature {
    let given = Array(map.shape.dropFirst(2))
    guard given != places else { return map }
    let shape = Array(map.shape.prefix(2)) + places
    if zip(given, places).allSatisfy({ $0 % $1 == 0 }) {
      let sides = zip(given, places).map { $0 / $1 }
      let window = PoolingWindow(kernel: sides, strides: sides)
      return Feature(
        value: add(AveragePool(window: window), [map.value], name: "\(name)/pooled"), shape: shape)
    }
    func list(_ numbers: [Int], _ what: String) -> ValueID {
      network.graph.addConstant(
        Tensor(numbers.map { Int64($0) }, shape: [numbers.count]), name: "\(name)/\(what)")
    }
    let flat = add(
      Reshape(),
      [map.value, list([map.shape[0] * map.shape[1], given.reduce(1, *)], "flat_shape")],
      name: "\(name)/flat")
    let shares = network.graph.addConstant(
      Self.poolingShares(from: given, to: places), name: "\(name)/shares")
    let pooled = add(MatMul(), [flat, shares], name: "\(name)/mean")
    return Feature(
      value: add(Reshape(), [pooled, list(shape, "shape")], name: "\(name)/pooled"), shape: shape)
  }

  /// `[places given, places wanted]`: the share that each place has in each mean.
  private static func poolingShares(from given: [Int], to wanted: [Int]) -> Tensor {
    func parts(_ axis: Int) -> [Swift.Range<Int>] {
      (0..<wanted[axis]).map { place in
        let end = ((place + 1) * given[axis] + wanted[axis] - 1) / wanted[axis]
        return place * given[axis] / wanted[axis]..<end
      }
    }
    let (rows, columns) = (parts(0), parts(1))
    var shares = [Float](repeating: 0, count: (given + wanted).reduce(1, *))
    for (i, row) in rows.enumerated() {
      for (j, column) in columns.enumerated() {
        let share = 1 / Float(row.count * column.count)
        for y in row {
          for x in column {
            shares[(y * given[1] + x) * wanted[0] * wanted[1] + i * wanted[1] + j] = share
          }
        }
      }
    }
    return Tensor(shares, shape: [given.reduce(1, *), wanted.reduce(1, *)])
  }

  /// A convolution of stride 1 that keeps height and width, with a bias.
  ///
  /// - Parameters:
  ///   - weight: `[out, in, k, k]`.
  ///   - name: The node's.
  mutating func convolved(
    _ map: Feature, by weight: ValueID, _ bias: ValueID, channels: Int, side: Int, name: String
  ) -> Feature {
    let pad = side / 2
    let convolution = Conv(padding: .explicit([pad, pad, pad, pad]))
    return Feature(
      value: add(convolution, [map.value, weight, bias], name: name),
      shape: [map.shape[0], channels] + map.shape.dropFirst(2))
  }

  /// Parameters of a convolution, uniform over `±1 / √(in · k²)`.
  mutating func addConvolutionParameters(
    _ shape: [Int], name: String
  ) throws -> (weight: ValueID, bias: ValueID) {
    var random = RandomSource(seed: name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
    let bound = 1 / Double(shape.dropFirst().reduce(1, *)).squareRoot()
    func drawn(_ shape: [Int]) -> Tensor {
      let values = (0..<shape.reduce(1, *)).map { _ in
        Float((2 * random.nextUniform() - 1) * bound)
      }
      return Tensor(values, shape: shape)
    }
    return (
      addParameter("\(name)/weight", initial: drawn(shape), role: .weight),
      addParameter("\(name)/bias", initial: drawn([shape[0]]), role: .bias)
    )
  }
}
