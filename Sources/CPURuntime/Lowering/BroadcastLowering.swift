// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// A loop over a result in row-major order that reads up to three operands where they lie.
struct BroadcastLoop: Sendable {
  let rows: Int
  let columns: Int
  private let outer: [Int]
  private let strides: [[Int]]
  /// Distance of neighbours in a row, per operand.
  let steps: [Int]

  /// `nil` if an operand does not broadcast to the shape.
  init?(_ operands: [Placement], shape: [Int]) {
    let full = shape.isEmpty ? [1] : shape
    var strides: [[Int]] = []
    var steps: [Int] = []
    for operand in operands {
      guard let wide = operand.expanded(to: full) else { return nil }
      strides.append(Array(wide.strides.dropLast()))
      steps.append(full.last == 1 ? 0 : wide.strides[full.count - 1])
    }
    outer = Array(full.dropLast())
    columns = full[full.count - 1]
    rows = outer.reduce(1, *)
    self.strides = strides
    self.steps = steps
  }

  /// Where the operand's part of a row begins, in elements.
  @inline(__always)
  private func start(_ operand: Int, row: Int) -> Int {
    var rest = row
    var offset = 0
    for axis in stride(from: outer.count - 1, through: 0, by: -1) {
      offset += rest % outer[axis] * strides[operand][axis]
      rest /= outer[axis]
    }
    return offset
  }

  @inline(__always)
  func map<A: BitwiseCopyable, R: BitwiseCopyable>(
    _ range: Swift.Range<Int>, _ a: UnsafeRawPointer, to result: UnsafeMutableRawPointer,
    _ body: (A) -> R
  ) {
    let output = result.assumingMemoryBound(to: R.self)
    for row in range {
      let x = a.assumingMemoryBound(to: A.self) + start(0, row: row)
      for column in 0..<columns { output[row * columns + column] = body(x[column * steps[0]]) }
    }
  }

  @inline(__always)
  func map<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
    _ range: Swift.Range<Int>, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
    to result: UnsafeMutableRawPointer, _ body: (A, B) -> R
  ) {
    let output = result.assumingMemoryBound(to: R.self)
    let (one, two) = (steps[0], steps[1])
    for row in range {
      let x = a.assumingMemoryBound(to: A.self) + start(0, row: row)
      let y = b.assumingMemoryBound(to: B.self) + start(1, row: row)
      for column in 0..<columns {
        output[row * columns + column] = body(x[column * one], y[column * two])
      }
    }
  }

  @inline(__always)
  func select<Element: BitwiseCopyable>(
    _ range: Swift.Range<Int>, _ type: Element.Type, _ condition: UnsafeRawPointer,
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, to result: UnsafeMutableRawPointer
  ) {
    let output = result.assumingMemoryBound(to: Element.self)
    for row in range {
      let test = condition.assumingMemoryBound(to: UInt8.self) + start(0, row: row)
      let x = a.assumingMemoryBound(to: Element.self) + start(1, row: row)
      let y = b.assumingMemoryBound(to: Element.self) + start(2, row: row)
      for column in 0..<columns {
        output[row * columns + column] =
          test[column * steps[0]] != 0 ? x[column * steps[1]] : y[column * steps[2]]
      }
    }
  }
}

/// A loop's work on a range of rows: addresses of the operands, address of the result.
private typealias RowWork =
  @Sendable (
    BroadcastLoop, Swift.Range<Int>, [UnsafeRawPointer], UnsafeMutableRawPointer
  ) -> Void

extension ProgramBuilder {
  /// A value where it lies, in the type that the graph gives it.
  private func typedOperand(_ value: ValueID) throws(OneDNNError) -> Placement? {
    guard let type = type(of: value), type.elementType.bitWidth >= 8,
      let present = try placement(of: value)
    else { return nil }
    if present.elementType == type.elementType, !isInput(present) { return present }
    return try dense(value, .plain, as: type.elementType)
  }

  fileprivate func addLoop(
    _ node: Node, inputs: [ValueID], _ work: @escaping RowWork
  ) throws(OneDNNError) -> Bool {
    guard let output = node.outputs.first.flatMap({ $0 }), let type = type(of: output) else {
      return false
    }
    var operands: [Placement] = []
    for input in inputs {
      guard let operand = try typedOperand(input) else { return false }
      operands.append(operand)
    }
    guard let loop = BroadcastLoop(operands, shape: type.shape) else { return false }
    let target = allocate(type.elementType, type.shape, .plain)
    let sources = operands
    let threads = target.count < 16384 ? 1 : threads
    add(
      Step(
        label: label(node, implementation: "swiftlet", precision: type.elementType.shortName),
        reads: sources.map(\.buffer), writes: [target.buffer]
      ) { memory in
        let addresses = sources.map { UnsafeRawPointer(memory.address($0)) }
        let result = memory.address(target)
        return { _ in
          ThreadTeam.forEachRange(of: loop.rows, threads: threads) { range in
            work(loop, range, addresses, result)
          }
        }
      })
    setPlacement(target, of: output)
    return true
  }
}

extension Where: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    let inputs = node.inputs.compactMap { $0 }
    guard inputs.count == 3, let type = builder.type(of: inputs[1])?.elementType,
      type == builder.type(of: inputs[2])?.elementType
    else { return false }
    switch type.bitWidth {
    case 8:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.select(range, UInt8.self, from[0], from[1], from[2], to: to)
      }
    case 32:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.select(range, UInt32.self, from[0], from[1], from[2], to: to)
      }
    case 64:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.select(range, UInt64.self, from[0], from[1], from[2], to: to)
      }
    default: return false
    }
  }
}

extension Cast: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    let inputs = node.inputs.compactMap { $0 }
    guard inputs.count == 1, let source = builder.type(of: inputs[0])?.elementType else {
      return false
    }
    switch (source, target) {
    case (.bool, .float32):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: UInt8) -> Float in x != 0 ? 1 : 0 }
      }
    case (.bool, .int64):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: UInt8) -> Int64 in x != 0 ? 1 : 0 }
      }
    case (.int64, .bool):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Int64) -> UInt8 in x != 0 ? 1 : 0 }
      }
    case (.float32, .bool):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Float) -> UInt8 in x != 0 ? 1 : 0 }
      }
    case (.int64, .float32):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Int64) -> Float in Float(x) }
      }
    case (.int32, .float32):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Int32) -> Float in Float(x) }
      }
    case (.int64, .int32):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Int64) -> Int32 in Int32(truncatingIfNeeded: x) }
      }
    case (.int32, .int64):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Int32) -> Int64 in Int64(x) }
      }
    default: return false
    }
  }
}

extension Binary {
  /// Functions that oneDNN has none of, and operands that broadcast to each other.
  func lowerLoop(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    let inputs = node.inputs.compactMap { $0 }
    guard inputs.count == 2, let type = builder.type(of: inputs[0])?.elementType,
      type == builder.type(of: inputs[1])?.elementType
    else { return false }
    switch type {
    case .float32: return try lowerReals(node, inputs, into: builder)
    case .int64: return try lowerIntegers(node, inputs, Int64.self, into: builder)
    case .int32: return try lowerIntegers(node, inputs, Int32.self, into: builder)
    case .bool: return try lowerTruths(node, inputs, into: builder)
    default: return false
    }
  }

  private func lowerReals(
    _ node: Node, _ inputs: [ValueID], into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    switch function {
    case .add:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Float, y: Float) in x + y }
      }
    case .subtract:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Float, y: Float) in x - y }
      }
    case .multiply:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Float, y: Float) in x * y }
      }
    case .divide:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Float, y: Float) in x / y }
      }
    case .prelu:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Float, y: Float) in x < 0 ? x * y : x }
      }
    default: return try lowerComparison(node, inputs, Float.self, into: builder)
    }
  }

  private func lowerIntegers<Element: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ node: Node, _ inputs: [ValueID], _ type: Element.Type, into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    switch function {
    case .add:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) in x &+ y }
      }
    case .subtract:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) in x &- y }
      }
    case .multiply:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) in x &* y }
      }
    default: return try lowerComparison(node, inputs, type, into: builder)
    }
  }

  private func lowerComparison<Element: Comparable & BitwiseCopyable & Sendable>(
    _ node: Node, _ inputs: [ValueID], _ type: Element.Type, into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    switch function {
    case .equal:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) -> UInt8 in
          x == y ? 1 : 0
        }
      }
    case .less:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) -> UInt8 in
          x < y ? 1 : 0
        }
      }
    case .lessOrEqual:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) -> UInt8 in
          x <= y ? 1 : 0
        }
      }
    case .greater:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) -> UInt8 in
          x > y ? 1 : 0
        }
      }
    case .greaterOrEqual:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: Element, y: Element) -> UInt8 in
          x >= y ? 1 : 0
        }
      }
    default: return false
    }
  }

  private func lowerTruths(
    _ node: Node, _ inputs: [ValueID], into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    switch function {
    case .and:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: UInt8, y: UInt8) in x & y }
      }
    case .or:
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: UInt8, y: UInt8) in x | y }
      }
    case .xor, .equal:
      let flips: UInt8 = function == .equal ? 1 : 0
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], from[1], to: to) { (x: UInt8, y: UInt8) in x ^ y ^ flips }
      }
    default: return false
    }
  }
}

extension Unary {
  /// The truth functions of one operand.
  func lowerLoop(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    let inputs = node.inputs.compactMap { $0 }
    guard inputs.count == 1, let type = builder.type(of: inputs[0])?.elementType else {
      return false
    }
    switch (function, type) {
    case (.not, .bool):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: UInt8) -> UInt8 in x ^ 1 }
      }
    case (.isNaN, .float32):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Float) -> UInt8 in x.isNaN ? 1 : 0 }
      }
    case (.reciprocal, .float32):
      return try builder.addLoop(node, inputs: inputs) { loop, range, from, to in
        loop.map(range, from[0], to: to) { (x: Float) -> Float in 1 / x }
      }
    default: return false
    }
  }
}
