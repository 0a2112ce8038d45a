// SPDX-License-Identifier: Apache-2.0
package import CompressionCore
package import GraphIR
import TensorCore

extension QuantizationPlan {
  /// Chooses a code for every quantized activation from statistics of the groups' sources.
  ///
  /// - Parameter widened: Products whose data and results get codes of 16 bits, with all values
  ///   that share a code with them.
  /// - Throws: `QuantizationError` if the estimator is unknown or samples gave NaN or infinities.
  package func codes(
    from statistics: [ValueID: ValueStatistics], in graph: Graph, options: QuantizationOptions,
    widening widened: Set<NodeID> = []
  ) throws(QuantizationError) -> ActivationCodes {
    guard let estimator = RangeEstimators.registry.method(named: options.estimator) else {
      throw .unknownEstimator(options.estimator, known: RangeEstimators.registry.names)
    }
    let ends = Set(
      sites.filter { widened.contains($0.node) }.flatMap { [$0.data, $0.result, $0.output] })
    let scores = graph.scoreValues
    var codes: [ValueID: AffineCode] = [:]
    var wide: Set<ValueID> = []
    for group in groups {
      let isWide = group.values.contains(where: ends.contains)
      let options = isWide ? options.widened : options
      let request = RangeRequest(
        codeCount: 1 << options.activationType.bitWidth, isSymmetric: options.symmetricActivations,
        percentile: options.percentile)
      if isWide { wide.formUnion(group.values) }
      var joint = ValueStatistics()
      for source in group.sources {
        guard let part = statistics[source] else { continue }
        if part.notFiniteCount > 0 {
          throw .notFinite(value: graph[source].name, count: part.notFiniteCount)
        }
        joint.add(part)
      }
      let holdsScores = group.values.contains(where: scores.contains)
      let chosen: any RangeEstimator = holdsScores ? MinimumMaximumRange() : estimator
      let range =
        joint.isEmpty ? 0...0 : chosen.range(of: joint, for: request).reachingNearEnds(of: joint)
      let code = ActivationCodes.code(
        from: range.lowerBound, to: range.upperBound, options: options)
      for value in group.values { codes[value] = code }
    }
    return ActivationCodes(
      elementType: options.activationType, codes: codes, widened: wide)
  }
}

extension ClosedRange<Double> {
  /// The range with each end that lies less than a hundredth of it inside the outermost value moved
  /// to that value.
  ///
  /// Cutting off so little makes steps finer by a hundredth at most, and values that a ReLU6 has
  /// put at its bound all pay for it.
  fileprivate func reachingNearEnds(of statistics: ValueStatistics) -> Self {
    let reach = (upperBound - lowerBound) / 100
    let (least, greatest) = (Double(statistics.minimum), Double(statistics.maximum))
    let lower = least < lowerBound && least >= lowerBound - reach ? least : lowerBound
    let upper = greatest > upperBound && greatest <= upperBound + reach ? greatest : upperBound
    return lower...upper
  }
}
