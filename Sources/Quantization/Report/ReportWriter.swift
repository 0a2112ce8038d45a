// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import TensorCore

/// Puts together what is known of a quantized network.
struct ReportWriter {
  let calibrated: CalibratedNetwork
  let network: QuantizedNetwork
  let comparison: NetworkComparison?

  /// Layers that get histograms.
  static let detailedLayers = 8

  func report() -> QuantizationReport {
    let options = calibrated.options
    var report = QuantizationReport(options: options)
    report.equalized = calibrated.equalized
    report.corrected =
      options.correctsBiases
      ? network.plan.sites.filter { $0.bias != nil }.map(\.label) : []
    report.outputDecibels = comparison?.outputs.decibels
    report.comparedSamples = comparison?.sampleCount ?? 0
    report.layers = network.plan.sites.map { layer($0) }
    let quantized = Set(network.plan.sites.map(\.node))
    report.keptFloat = calibrated.plan.kept
    for site in calibrated.plan.sites where !quantized.contains(site.node) {
      report.keptFloat.append(site.label)
    }
    addDetails(to: &report)
    addCosts(to: &report)
    return report
  }

  private func layer(_ site: QuantizationPlan.WeightedSite) -> LayerReport {
    let shown = network.activations.codes[site.result] != nil ? site.result : site.data
    let graph = calibrated.graph
    let statistics = network.statistics[shown] ?? network.statistics[site.data]
    let code = network.activations.codes[shown]
    let covered = code?.reals ?? 0...0
    var report = LayerReport(
      name: site.label, kind: graph.node(site.node)?.op.kind ?? "",
      output: graph[site.result].name,
      weightBits: network.weights[site.node]?.codes.elementType.bitWidth
        ?? calibrated.options.weights.elementType.bitWidth,
      activationBits: network.activations.elementType(of: site.data).bitWidth,
      observed: ValueRange(lower: statistics?.minimum ?? 0, upper: statistics?.maximum ?? 0),
      covered: ValueRange(lower: covered.lowerBound, upper: covered.upperBound),
      shareKept: statistics?.histogram.share(in: covered, tolerance: (code?.scale ?? 0) / 2) ?? 1)
    report.outputDecibels = finite(comparison?.layers[site.node]?.decibels)
    if let weights = graph[site.weight].constant, let quantized = network.weights[site.node] {
      var ratio = SignalToNoise()
      ratio.add(weights.floats(), quantized.reals())
      report.weightDecibels = finite(ratio.decibels)
    }
    let producer = network.plan.sites.first { $0.result == site.data }
    let magnitudes =
      calibrated.statistics.channels[shown]?.magnitudes ?? []
    return LayerDiagnosis(
      report: report, channelMagnitudes: magnitudes,
      typicalMagnitude: statistics?.histogram.magnitude(atFraction: 0.99) ?? 0,
      inputDecibels: producer.flatMap { comparison?.layers[$0.node]?.decibels },
      options: calibrated.options
    ).diagnosed
  }

  private func finite(_ decibels: Double?) -> Double? {
    decibels.flatMap { $0.isFinite ? $0 : nil }
  }

  private func addDetails(to report: inout QuantizationReport) {
    let worst = Set(report.layersByDamage.prefix(ReportWriter.detailedLayers).map(\.name))
    for (position, site) in network.plan.sites.enumerated() where worst.contains(site.label) {
      if let weights = calibrated.graph[site.weight].constant,
        let quantized = network.weights[site.node]
      {
        report.layers[position].weightHistogram = HistogramReport(
          of: weights.floats(), scales: quantized.scales)
      }
      let shown = network.activations.codes[site.result] != nil ? site.result : site.data
      if let statistics = network.statistics[shown], let code = network.activations.codes[shown] {
        report.layers[position].activationHistogram = HistogramReport(
          of: statistics, code: code)
      }
    }
  }

  private func addCosts(to report: inout QuantizationReport) {
    guard let single = try? calibrated.graph.specialized(batch: 1) else { return }
    let quantized = Set(network.plan.sites.map(\.node))
    for node in single.nodes {
      let cost = node.op.cost(
        inputs: node.inputs.map { single.type($0) }, outputs: node.outputs.map { single.type($0) })
      guard let count = cost?.multiplyAccumulates else { continue }
      report.multiplyAccumulates += count
      if quantized.contains(node.id) { report.integerMultiplyAccumulates += count }
    }
  }
}

extension HistogramReport {
  /// The distribution of weights, with the range and step of the widest scale.
  init(of weights: [Float], scales: [Float]) {
    let finite = weights.filter(\.isFinite)
    let (lower, upper) = (min(finite.min() ?? 0, 0), max(finite.max() ?? 0, 0))
    var counts = [UInt64](repeating: 0, count: HistogramReport.binCount)
    let width = (upper - lower) / Float(HistogramReport.binCount)
    for weight in finite where width > 0 {
      counts[min(Int((weight - lower) / width), HistogramReport.binCount - 1)] += 1
    }
    let step = scales.max() ?? 0
    self.init(
      range: ValueRange(lower: lower, upper: upper), counts: counts,
      covered: ValueRange(lower: lower, upper: upper), step: step)
  }

  /// The distribution of an activation on the samples.
  init(of statistics: ValueStatistics, code: AffineCode) {
    let (lower, upper) = (min(statistics.minimum, 0), max(statistics.maximum, 0))
    var counts = [UInt64](repeating: 0, count: HistogramReport.binCount)
    let width = (upper - lower) / Float(HistogramReport.binCount)
    let histogram = statistics.histogram
    func add(_ count: UInt64, at value: Float) {
      guard count > 0, width > 0 else { return }
      let bin = Int(((value - lower) / width).rounded(.down))
      counts[min(max(bin, 0), HistogramReport.binCount - 1)] += count
    }
    for bin in 0..<histogram.binCount {
      let middle = (Float(bin) + 0.5) * histogram.binWidth
      add(histogram.positive[bin], at: middle)
      add(histogram.negative[bin], at: -middle)
    }
    self.init(
      range: ValueRange(lower: lower, upper: upper), counts: counts,
      covered: ValueRange(lower: code.reals.lowerBound, upper: code.reals.upperBound),
      step: code.scale)
  }
}
