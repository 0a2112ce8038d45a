// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// An op of which not every constant input is something that training changes.
///
/// Ops that say nothing take every real tensor with dimensions as a parameter.
protocol ParameterTaking: Op {
  /// Positions of the inputs that are parameters where they are constants.
  var parameterInputs: Swift.Range<Int> { get }
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
