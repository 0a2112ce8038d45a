// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// What is known of one input of a node when its output types are inferred.
public struct Operand: Sendable {
  public var type: TensorType?

  /// The value itself, where it is a constant.
  public var constant: Tensor?

  /// The elements of a small integer tensor that describes a shape, some perhaps symbolic.
  public var contents: [Dimension]?

  public init(type: TensorType?, constant: Tensor? = nil, contents: [Dimension]? = nil) {
    self.type = type
    self.constant = constant
    self.contents = contents
  }
}

/// Work that one execution of a node does.
public struct OpCost: Sendable, Equatable {
  /// Multiply-accumulate operations; 0 for ops that have no products to sum.
  public var multiplyAccumulates: Int

  public init(multiplyAccumulates: Int = 0) { self.multiplyAccumulates = multiplyAccumulates }
}

/// An operator: typed attributes, its shape rule, its meaning and its cost.
///
/// Implementers are structs without identity. `evaluate` is the reference meaning in plain
/// loops: the oracle of every faster implementation, and the constant folder. It must accept
/// exactly what `inferTypes` accepts, check every extent it indexes with, and never trap.
/// What else can be done with an op (convert it, lower it, differentiate it) is a protocol
/// of the module that does it.
public protocol Op: Sendable, Equatable {
  /// The operator's name, as ONNX spells it where ONNX has it.
  var kind: String { get }

  /// The ONNX operator set domain; empty for the standard one.
  var domain: String { get }

  /// Types of the outputs, as far as they follow from the operands; `nil` where nothing does.
  ///
  /// - Parameters:
  ///   - operands: One per input, `nil` for an input that is left out.
  ///   - outputCount: How many outputs the node has.
  /// - Throws: `OpError` if the operands break the operator's rules.
  func inferTypes(_ operands: [Operand?], outputCount: Int) throws(OpError) -> [TensorType?]

  /// The elements of the first output where it describes a shape; see `Operand.contents`.
  func inferContents(_ operands: [Operand?]) -> [Dimension]?

  /// The outputs, by the operator's definition.
  ///
  /// - Throws: `OpError` if the inputs break the operator's rules or the op has no meaning here.
  func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor]

  /// The work of one execution; `nil` where the types leave it open.
  func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost?

  /// Whether equal inputs give equal outputs in bounded time, so that a node may be computed
  /// beforehand or shared. Operators that draw random numbers or repeat a graph are not pure.
  var isPure: Bool { get }
}

extension Op {
  public var domain: String { "" }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] { Array(repeating: nil, count: outputCount) }

  public var isPure: Bool { true }

  public func inferContents(_ operands: [Operand?]) -> [Dimension]? { nil }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    throw .notEvaluable(kind: kind)
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? { OpCost() }

  /// Whether the other op is of the same type and has equal attributes.
  public func isEqual(to other: any Op) -> Bool { (other as? Self) == self }
}
