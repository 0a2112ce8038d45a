// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Fake quantization")
struct FakeQuantizeTests {
  private static func ones(_ count: Int) -> Tensor {
    Tensor([Float](repeating: 1, count: count), shape: [count])
  }

  private static func gradients(
    _ op: FakeQuantize, _ x: [Float], step: Float, offset: Float? = nil
  ) throws -> [[Float]] {
    let inputs = [
      ones(x.count), Tensor(x, shape: [x.count]), Tensor(scalar: step),
      offset.map { Tensor(scalar: $0) },
    ]
    return try FakeQuantizeGradient(of: op).evaluate(inputs, outputCount: 3).map { $0.floats() }
  }

  /// Each element's own gradients, an element at a time.
  private static func slopes(
    _ op: FakeQuantize, _ x: [Float], step: Float, offset: Float? = nil
  ) throws -> (x: [Float], step: [Float], offset: [Float]) {
    let parts = try x.map { try gradients(op, [$0], step: step, offset: offset) }
    return (parts.map { $0[0][0] }, parts.map { $0[1][0] }, parts.map { $0[2][0] })
  }

  private static func near(_ a: [Float], _ b: [Float]) -> Bool {
    // The worked numbers have six digits; u itself is rounded to 2⁻²⁴ of at most 28.
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 4e-6 }
  }

  /// Codes (−2, −1, 0, 1, 1, 1).
  @Test("A learned step gets the gradients worked by hand")
  func learned() throws {
    let x: [Float] = [-1.6, -0.6, 0.2, 0.26, 0.74, 0.9]
    let op = FakeQuantize(codes: -2...1, stepGradient: .learned)
    let y = try op.evaluate([Tensor(x, shape: [6]), Tensor(scalar: Float(0.5))], outputCount: 1)
    #expect(y[0].floats() == [-1, -0.5, 0, 0.5, 0.5, 0.5])
    let slopes = try Self.slopes(op, x, step: 0.5)
    #expect(Self.near(slopes.step, [-2, 0.2, -0.4, 0.48, 1, 1]))
    #expect(slopes.x == [0, 1, 1, 1, 0, 0])
    var scaled = op
    scaled.gradientScale = 1 / Float(6).squareRoot()
    let sums = try Self.gradients(scaled, x, step: 0.5)
    #expect(Self.near(sums[1], [0.114310]))
  }

  @Test("A learned offset gets the gradients worked by hand")
  func offset() throws {
    let x: [Float] = [-0.6, -0.3, -0.1, 0.12, 0.4, 0.9]
    let op = FakeQuantize(codes: 0...3, stepGradient: .learned)
    let y = try op.evaluate(
      [Tensor(x, shape: [6]), Tensor(scalar: Float(0.25)), Tensor(scalar: Float(-0.3))],
      outputCount: 1)
    #expect(Self.near(y[0].floats(), [-0.3, -0.3, -0.05, 0.2, 0.45, 0.45]))
    let slopes = try Self.slopes(op, x, step: 0.25, offset: -0.3)
    #expect(Self.near(slopes.step, [0, 0, 0.2, 0.32, 0.2, 3]))
    // −0.3 lies on the end of the range, which is beyond it.
    #expect(slopes.offset == [1, 1, 0, 0, 0, 1])
  }

  /// α = 6 and 2 bits: a step of 2, whose gradient is three times that of α.
  @Test("A clipping level gets the gradients worked by hand")
  func clipping() throws {
    let x: [Float] = [-1, 0.5, 0.99, 1.01, 2.9, 3.1, 5.5, 7]
    let op = FakeQuantize(codes: 0...3, stepGradient: .clipping)
    let y = try op.evaluate([Tensor(x, shape: [8]), Tensor(scalar: Float(2))], outputCount: 1)
    #expect(y[0].floats() == [0, 0, 0, 2, 2, 4, 6, 6])
    let slopes = try Self.slopes(op, x, step: 2)
    #expect(slopes.x == [0, 1, 1, 1, 1, 1, 1, 0])
    #expect(slopes.step.map { $0 / 3 } == [0, 0, 0, 0, 0, 0, 0, 1])
  }

  @Test("Ends of the range count as within if that is asked for")
  func ends() throws {
    let x: [Float] = [-1, -0.5, 0.25, 0.5]
    var op = FakeQuantize(codes: -2...1, stepGradient: .none)
    #expect(try Self.slopes(op, x, step: 0.5).x == [0, 1, 1, 0])
    op.includesEnds = true
    #expect(try Self.slopes(op, x, step: 0.5).x == [1, 1, 1, 1])
  }

  @Test("Channels have steps of their own")
  func channels() throws {
    let x = Tensor([0.3, 0.3, 0.3, 0.3] as [Float], shape: [2, 2])
    let steps = Tensor([0.5, 0.2] as [Float], shape: [2, 1])
    let rows = try FakeQuantize(codes: -2...1, axis: 0).evaluate([x, steps], outputCount: 1)
    #expect(rows[0].floats() == [0.5, 0.5, 0.2, 0.2])
    let columns = try FakeQuantize(codes: -2...1, axis: 1).evaluate([x, steps], outputCount: 1)
    #expect(columns[0].floats() == [0.5, 0.2, 0.5, 0.2])
  }

  @Test("A step that is zero, negative or no number does no harm", arguments: [0, -1, Float.nan])
  func degenerate(step: Float) throws {
    let y = try FakeQuantize(codes: -2...1).evaluate(
      [Tensor([1, -1] as [Float], shape: [2]), Tensor(scalar: step)], outputCount: 1)
    #expect(y[0].floats().allSatisfy { abs($0) <= 2e-6 })
  }

  @Test("Wrong operands are refused")
  func errors() {
    let x = Operand(type: TensorType(.float32, shape: [4, 2]))
    let pair = Operand(type: TensorType(.float32, shape: [2]))
    #expect(throws: OpError.self) {
      try FakeQuantize(codes: 0...3).inferTypes([x, pair], outputCount: 1)
    }
    #expect(throws: OpError.self) {
      try FakeQuantize(codes: 0...3, axis: 0).inferTypes([x, pair], outputCount: 1)
    }
    #expect(throws: OpError.self) {
      try FakeQuantize(codes: 0...3, axis: 2).inferTypes([x, pair], outputCount: 1)
    }
    #expect(throws: OpError.self) {
      try FakeQuantize(codes: 3...3).inferTypes([x, nil], outputCount: 1)
    }
    #expect(throws: OpError.self) { try FakeQuantize(codes: 0...3).inferTypes([x], outputCount: 1) }
  }
}
