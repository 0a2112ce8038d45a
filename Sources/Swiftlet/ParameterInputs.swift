// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// An op of which not every constant input is something that training changes.
///
/// Ops that say nothing take every real tensor with dimensions as a parameter.
protocol ParameterTaking: Op {
  /// Positions of the inputs that are parameters where they are constants.
  var parameterInputs: Swift.Range<Int> { get }

  /// How many parameters a constant holds.
  func parameterCount(of constant: Tensor) -> Int
}

extension ParameterTaking {
  func parameterCount(of constant: Tensor) -> Int { constant.count }
}

extension BatchNormalization: ParameterTaking {
  /// Scale and bias; mean and variance are statistics.
  var parameterInputs: Swift.Range<Int> { 1..<3 }
}

extension QuantizeLinear: ParameterTaking {
  var parameterInputs: Swift.Range<Int> { 0..<1 }
}

extension DequantizeLinear: ParameterTaking {
  var parameterInputs: Swift.Range<Int> { 0..<1 }
}

extension Resize: ParameterTaking {
  var parameterInputs: Swift.Range<Int> { 0..<1 }
}

extension UnpackCodes: ParameterTaking {
  var parameterInputs: Swift.Range<Int> { 0..<1 }

  func parameterCount(of constant: Tensor) -> Int { shape.reduce(1, *) }
}

extension RoundToLevels: ParameterTaking {
  var parameterInputs: Swift.Range<Int> { 0..<0 }
}
