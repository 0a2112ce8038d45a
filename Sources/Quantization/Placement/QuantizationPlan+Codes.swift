// SPDX-License-Identifier: Apache-2.0
package import CompressionCore
package import GraphIR
import TensorCore

extension QuantizationPlan {
  /// Chooses a code for every quantized activation from statistics of the groups' sources.
  ///
  /// - Throws: `QuantizationError` if the estimator is unknown or samples gave NaN or infinities.
  package func codes(
    from statistics: [ValueID: ValueStatistics], in graph: Graph, options: QuantizationOptions
  ) throws(QuantizationError) -> ActivationCodes {
    guard let estimator = RangeEstimators.registry.method(named: options.estimator) else {
      throw .unknownEstimator(options.estimator, known: RangeEstimators.registry.names)
    }
    let request = RangeRequest(
      codeCount: 1 << options.activationType.bitWidth, isSymmetric: options.symmetricActivations,
      percentile: options.percentile)
    var codes: [ValueID: AffineCode] = [:]
    for group in groups {
      var joint = ValueStatistics()
      for source in group.sources {
        guard let part = statistics[source] else { continue }
        if part.notFiniteCount > 0 {
          throw .notFinite(value: graph[source].name, count: part.notFiniteCount)
        }
        joint.add(part)
      }
      let range = joint.isEmpty ? 0...0 : estimator.range(of: joint, for: request)
      let code = ActivationCodes.code(
        from: range.lowerBound, to: range.upperBound, options: options)
      for value in group.values { codes[value] = code }
    }
    return ActivationCodes(elementType: options.activationType, codes: codes)
  }
}
