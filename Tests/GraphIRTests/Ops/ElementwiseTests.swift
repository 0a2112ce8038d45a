// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Elementwise operators follow their definitions")
struct ElementwiseTests {
  @Test(
    "A function of one element gives the value worked by hand",
    arguments: [
      (.abs, -2, 2), (.ceil, 1.2, 2), (.floor, -1.2, -2), (.round, 2.5, 2), (.round, 3.5, 4),
      (.round, -0.5, 0), (.exp, 0, 1), (.log, 1, 0), (.sqrt, 9, 3), (.reciprocal, 4, 0.25),
      (.sign, -3, -1), (.negate, 3, -3), (.relu, -1, 0), (.leakyRelu(alpha: 0.5), -4, -2),
      (.elu(alpha: 2), -1, -1.2642411), (.celu(alpha: 2), -2, -1.2642411),
      (.selu(alpha: 1.5, gamma: 2), 3, 6), (.sigmoid, 0, 0.5), (.sigmoid, -1000, 0),
      (.softplus, 1000, 1000), (.softplus, 0, 0.6931472), (.softsign, -3, -0.75),
      (.hardSigmoid(alpha: 0.2, beta: 0.5), 1, 0.7), (.hardSwish, 1, 0.6666667),
      (.hardSwish, -4, 0), (.gelu(tanhApproximation: false), 1, 0.8413447),
      (.gelu(tanhApproximation: true), 1, 0.841192), (.mish, 1, 0.865098388),
      (.swish(alpha: 1), 2, 1.7615942), (.erf, 1, 0.8427008), (.tanh, 0.5, 0.46211717),
      (.shrink(bias: 1, lambda: 2), -3, -2), (.shrink(bias: 1, lambda: 2), 2, 0),
      (.thresholdedRelu(alpha: 2), 2, 0), (.acosh, 1, 0), (.asinh, 0, 0), (.atan, 0, 0),
    ] as [(Unary.Function, Float, Float)])
  func functionOfOne(function: Unary.Function, input: Float, expected: Float) throws {
    let result = try Unary(function).result(floats([input])).elements(as: Float.self)
    // One unit in the last place of the printed seven digits.
    #expect(abs(result[0] - expected) <= 1e-6 * max(1, abs(expected)))
  }

  @Test("NaN stays NaN in Relu and is found by IsNaN; IsInf tells the signs apart")
  func specialValues() throws {
    let x = floats([.nan, .infinity, -.infinity, 1])
    #expect(try Unary(.relu).result(x).elements(as: Float.self)[0].isNaN)
    #expect(try Unary(.isNaN).result(x).bytes == [1, 0, 0, 0])
    let negative = Unary(.isInfinity(detectsNegative: true, detectsPositive: false))
    #expect(try negative.result(x).bytes == [0, 0, 1, 0])
  }

  @Test("Integers keep their type, and the least one is its own absolute value")
  func integers() throws {
    let x = Tensor([Int8(-128), -1, 5], shape: [3])
    #expect(try Unary(.abs).result(x) == Tensor([Int8(-128), 1, 5], shape: [3]))
    #expect(try Unary(.bitwiseNot).result(x) == Tensor([Int8(127), 0, -6], shape: [3]))
    #expect(throws: OpError.self) { try Unary(.exp).result(x) }
  }

  @Test("Binary functions broadcast")
  func broadcast() throws {
    let sum = try Binary(.add).result(counting([2, 1]), counting([3]))
    #expect(sum == floats([0, 1, 2, 1, 2, 3], [2, 3]))
    #expect(throws: OpError.self) { try Binary(.add).result(counting([2]), counting([3])) }
    let type = try Binary(.multiply).type(
      operand(.float32, .symbol("N"), 1, 4), operand(.float32, 3, 1))
    #expect(type?.description == "float32 N×3×4")
  }

  @Test("Integers divide toward zero, and by zero is an error")
  func integerDivision() throws {
    let quotient = try Binary(.divide).result(list(-7, 7, .min), list(2, -2, -1))
    #expect(quotient == list(-3, -3, .min))
    #expect(throws: OpError.self) { try Binary(.divide).result(list(1), list(0)) }
  }

  @Test("The remainder has the divisor's sign, or the dividend's with fmod")
  func modulo() throws {
    let (a, b) = (list(-4, 7, 5, 4, -7, 8), list(2, -3, 8, -2, 3, 5))
    #expect(try Binary(.modulo(isFmod: false)).result(a, b) == list(0, -2, 5, 0, 2, 3))
    #expect(try Binary(.modulo(isFmod: true)).result(a, b) == list(0, 1, 5, 0, -1, 3))
    let real = try Binary(.modulo(isFmod: true)).result(floats([-4.5]), floats([2]))
    #expect(real == floats([-0.5]))
    let floored = try Binary(.modulo(isFmod: false)).result(
      floats([-4.5, 4.5, -3, 0]), floats([2, -2, .infinity, -2]))
    #expect(floored == floats([1.5, -1.5, .infinity, -0.0]))
  }

  @Test("Powers take their type from the base")
  func power() throws {
    let base = Tensor([Int32(2), -3], shape: [2])
    #expect(try Binary(.power).result(base, list(3, 2)) == Tensor([Int32(8), 9], shape: [2]))
    #expect(
      try Binary(.power).result(base, floats([2, 3])) == Tensor([Int32(4), -27], shape: [2]))
    #expect(try Binary(.power).result(list(2), list(-1)) == list(0))
  }

  @Test("Unsigned 64-bit integers compare and divide as unsigned")
  func unsigned64() throws {
    let large = Tensor([UInt64.max], shape: [1])
    let two = Tensor([UInt64(2)], shape: [1])
    #expect(try Binary(.greater).result(large, two).bytes == [1])
    #expect(try Binary(.divide).result(large, two) == Tensor([UInt64.max / 2], shape: [1]))
    #expect(try Variadic(.maximum).result(large, two) == large)
    #expect(try Clip().result(large, nil, two.viewedAsScalar()) == two)
  }

  @Test("Shifts beyond the width give zero")
  func shifts() throws {
    let x = Tensor([UInt8(16), 3], shape: [2])
    let left = try Binary(.shiftLeft).result(x, Tensor([UInt8(4), 70], shape: [2]))
    #expect(left == Tensor([UInt8(0), 0], shape: [2]))
    let right = try Binary(.shiftRight).result(x, Tensor([UInt8(3), 1], shape: [2]))
    #expect(right == Tensor([UInt8(2), 1], shape: [2]))
    let signed = Tensor([Int8(-8), 4], shape: [2])
    let far = Tensor([Int8(9), -1], shape: [2])
    #expect(try Binary(.shiftRight).result(signed, far) == Tensor([Int8(-1), 0], shape: [2]))
  }

  @Test("PReLU broadcasts the slope to the data, not the data to the slope")
  func prelu() throws {
    let result = try Binary(.prelu).result(floats([-2, 4], [2, 1]), floats([0.5]))
    #expect(result == floats([-1, 4], [2, 1]))
    #expect(throws: OpError.self) {
      try Binary(.prelu).result(floats([1]), counting([2, 1]))
    }
  }

  @Test("Clip takes bounds that are left out as none, and the greatest wins over the least")
  func clip() throws {
    let x = floats([-1, 0.5, 9, .nan])
    let upper = Tensor(scalar: Float(6))
    let result = try Clip().result(x, nil, upper).elements(as: Float.self)
    #expect(result[0...2] == [-1, 0.5, 6] && result[3].isNaN)
    let crossed = try Clip().result(floats([1]), Tensor(scalar: Float(3)), Tensor(scalar: Float(2)))
    #expect(crossed == floats([2]))
    #expect(throws: OpError.self) { try Clip().result(x, floats([0, 1])) }
  }

  @Test("Sum, mean, least and greatest take any number of inputs")
  func variadic() throws {
    let inputs = [floats([1, 5]), floats([3]), floats([5, 1])]
    #expect(try Variadic(.sum).results(inputs) == [floats([9, 9])])
    #expect(try Variadic(.mean).results(inputs) == [floats([3, 3])])
    #expect(try Variadic(.minimum).results(inputs) == [floats([1, 1])])
    #expect(try Variadic(.maximum).results(inputs) == [floats([5, 5])])
    #expect(throws: OpError.self) { try Variadic(.sum).results([]) }
  }

  @Test("Where picks elements of any type", arguments: ElementType.allCases)
  func whereSelects(type: ElementType) throws {
    let condition = Tensor(integers: [1, 0], shape: [2, 1], elementType: .bool)
    let x = Tensor(integers: [1, 0, 1], shape: [3], elementType: type)
    let y = Tensor(integers: [0, 1, 1], shape: [1, 3], elementType: type)
    let result = try Where().result(condition, x, y)
    #expect(
      result == Tensor(integers: [1, 0, 1, 0, 1, 1], shape: [2, 3], elementType: type))
  }

  @Test("Cast truncates toward zero, wraps integers, and takes what is not zero as true")
  func cast() throws {
    let x = floats([-1.9, 0, 1.5, 300])
    #expect(try Cast(to: .int64).result(x) == list(-1, 0, 1, 300))
    #expect(try Cast(to: .bool).result(x).bytes == [1, 0, 1, 1])
    #expect(try Cast(to: .uint8).result(list(-1, 300)) == Tensor([UInt8(255), 44], shape: [2]))
    let large = Tensor([UInt64.max], shape: [1])
    #expect(try Cast(to: .float64).result(large) == Tensor([0x1p64], shape: [1]))
    let natural = try Cast(to: .uint64).result(Tensor([0x1.8p63], shape: [1]))
    #expect(natural == Tensor([UInt64(3) << 62], shape: [1]))
    #expect(try Cast(to: .float16).result(x).bytes[4...5] == [0x00, 0x3e])
  }

  @Test("Dropout passes its input on and masks nothing")
  func dropout() throws {
    let outputs = try Dropout().results([floats([1, 2])], count: 2)
    #expect(outputs[0] == floats([1, 2]))
    #expect(outputs[1] == Tensor(integers: [1, 1], shape: [2], elementType: .bool))
    let training = Tensor(integers: [1], shape: [], elementType: .bool)
    #expect(throws: OpError.self) {
      try Dropout().result(floats([1]), Tensor(scalar: Float(0.5)), training)
    }
  }
}

extension Tensor {
  fileprivate func viewedAsScalar() throws -> Tensor { try reshaped(to: []) }
}
