// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Resize resamples as its modes say")
struct ResizeTests {
  private func resized(
    _ op: Resize, _ x: Tensor, scales: [Float]? = nil, sizes: Tensor? = nil, region: [Float]? = nil
  ) throws -> Tensor {
    try op.result(x, region.map { floats($0) }, scales.map { floats($0) }, sizes)
  }

  @Test("Nearest neighbours repeat elements of every type", arguments: ElementType.allCases)
  func nearest(type: ElementType) throws {
    let x = Tensor(integers: [1, 0, 0, 1], shape: [2, 2], elementType: type)
    let result = try resized(Resize(), x, scales: [1, 2])
    #expect(
      result == Tensor(integers: [1, 1, 0, 0, 0, 0, 1, 1], shape: [2, 4], elementType: type))
  }

  @Test(
    "Positions between two neighbours round as they are told",
    arguments: [(.preferFloor, 0), (.preferCeil, 1), (.floor, 0), (.ceil, 1)]
      as [(Resize.Rounding, Float)])
  func rounding(rounding: Resize.Rounding, expected: Float) throws {
    // Position 0 of one element made of two lies at 0.5.
    let result = try resized(Resize(rounding: rounding), counting([2]), scales: [0.5])
    #expect(result == floats([expected]))
  }

  @Test(
    "Two elements made into four, linearly",
    arguments: [
      (.halfPixel, [0, 0.25, 0.75, 1]), (.pytorchHalfPixel, [0, 0.25, 0.75, 1]),
      (.asymmetric, [0, 0.5, 1, 1]), (.alignCorners, [0, 1 / 3, 2 / 3, 1]),
      (.halfPixelSymmetric, [0, 0.25, 0.75, 1]),
    ] as [(Resize.Coordinates, [Float])])
  func linear(coordinates: Resize.Coordinates, expected: [Float]) throws {
    let op = Resize(mode: .linear, coordinates: coordinates)
    let result = try resized(op, counting([2]), sizes: list(4)).elements(as: Float.self)
    for (found, wanted) in zip(result, expected) { #expect(abs(found - wanted) <= 1e-6) }
  }

  @Test("The cubic kernel weighs four neighbours")
  func cubic() throws {
    // At 0.25 beyond element 1 of 0, 1, 2, 3, a kernel with a = −0.5 reproduces a straight line.
    var op = Resize(mode: .cubic)
    op.cubicCoefficient = -0.5
    let result = try resized(op, counting([4]), scales: [2]).elements(as: Float.self)
    #expect(abs(result[3] - 1.25) <= 1e-6 && abs(result[4] - 1.75) <= 1e-6)
    op.excludesOutside = true
    let inside = try resized(op, floats([1, 1, 1, 1]), scales: [2]).elements(as: Float.self)
    #expect(inside.allSatisfy { abs($0 - 1) <= 1e-6 })
  }

  @Test("Antialiasing widens the kernel when it shrinks")
  func antialias() throws {
    var op = Resize(mode: .linear)
    op.antialiases = true
    let x = Tensor((1...16).map { Float($0) }, shape: [4, 4])
    let result = try resized(op, x, sizes: list(3, 3)).elements(as: Float.self)
    // 26⁄11: weights 8⁄11 and 3⁄11 along both axes.
    #expect(abs(result[0] - 26 / 11) <= 1e-5 && abs(result[4] - 8.5) <= 1e-5)
  }

  @Test("Crops take the extrapolation value outside")
  func crop() throws {
    var op = Resize(mode: .linear, coordinates: .cropAndResize)
    op.extrapolationValue = 10
    let result = try resized(op, counting([3]), sizes: list(3), region: [0.5, 1.5])
    #expect(result == floats([1, 2, 10]))
  }

  @Test("Aspect policies fit inside or around, and only listed axes change")
  func policies() throws {
    let x = counting([2, 4])
    let inside = Resize(axes: [1, 0], aspectPolicy: .notLarger)
    #expect(try resized(inside, x, sizes: list(8, 3)).shape == [3, 6])
    let around = Resize(aspectPolicy: .notSmaller)
    #expect(try resized(around, x, sizes: list(3, 8)).shape == [4, 8])
    #expect(try resized(Resize(axes: [-1]), x, scales: [0.7]).shape == [2, 2])
  }

  @Test("The batch symbol stays with a scale of one and with the sizes that shapes give")
  func symbols() throws {
    let x = operand(.float32, .symbol("N"), 3, 8, 8)
    let scaled = try Resize().type(x, nil, Operand(floats([1, 1, 2, 2])))
    #expect(scaled?.description == "float32 N×3×16×16")
    let sizes = Operand(
      type: TensorType(.int64, [4]), contents: [.symbol("N"), 3, .unknown, 5])
    let sized = try Resize().type(x, nil, nil, sizes)
    #expect(sized?.description == "float32 N×3×?×5")
  }

  @Test("Scales and sizes are checked")
  func errors() {
    let x = counting([2])
    #expect(throws: OpError.self) { try resized(Resize(), x) }
    #expect(throws: OpError.self) { try resized(Resize(), x, scales: [0]) }
    #expect(throws: OpError.self) { try resized(Resize(), x, scales: [.infinity]) }
    #expect(throws: OpError.self) { try resized(Resize(), x, scales: [1, 1]) }
    #expect(throws: OpError.self) { try resized(Resize(), x, scales: [1e38]) }
    #expect(throws: OpError.self) { try resized(Resize(), x, sizes: list(-1)) }
    #expect(throws: OpError.self) { try resized(Resize(), x, sizes: list(1 << 40)) }
    #expect(throws: OpError.self) { try resized(Resize(), counting([0]), sizes: list(2)) }
  }
}
