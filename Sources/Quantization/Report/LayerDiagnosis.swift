// SPDX-License-Identifier: Apache-2.0
import CompressionCore

/// Finds a reason for the damage of a layer in what was measured.
struct LayerDiagnosis {
  var report: LayerReport
  /// Magnitudes of the channels of the result on samples; empty if unknown.
  var channelMagnitudes: [Float]
  /// The magnitude that 99 % of the values of the result do not exceed.
  var typicalMagnitude: Float
  /// Signal to noise of the result of the layer before, in decibel.
  var inputDecibels: Double?
  let options: QuantizationOptions

  /// The report with a cause and a remedy, where there is one.
  var diagnosed: LayerReport {
    var report = report
    guard let decibels = report.outputDecibels, decibels < LayerDiagnosis.harmless else {
      return report
    }
    (report.cause, report.remedy) = finding ?? ("", "")
    if report.cause?.isEmpty ?? true {
      report.cause = nil
      report.remedy = nil
    }
    return report
  }

  /// Above this, in decibel, a layer needs no explanation.
  static let harmless = 30.0

  private var finding: (cause: String, remedy: String)? {
    let keep = "--keep-float '^\(LayerDiagnosis.escaped(report.name))$'"
    if let weights = report.weightDecibels, weights < 25 {
      return options.weights.granularity == .perTensor
        ? ("one scale covers the weights of all channels", "leave out --per-tensor")
        : ("single weights are far larger than the others of their channel", keep)
    }
    let clipped = 1 - report.shareKept
    if clipped > 0.005 {
      return ("\(LayerDiagnosis.percent(clipped)) of the values are clipped", "--estimator minmax")
    }
    let used = channelMagnitudes.filter { $0 > 0 }.sorted()
    if let widest = used.last, used.count > 2, widest > 8 * used[used.count / 2] {
      let factor = Int((widest / used[used.count / 2]).rounded())
      return (
        "one channel is \(factor)× wider than the median",
        options.equalizes ? keep : "--equalize"
      )
    }
    let width = max(abs(report.covered.lower), abs(report.covered.upper))
    if typicalMagnitude > 0, width > 8 * typicalMagnitude {
      let lower = LayerDiagnosis.short(report.covered.lower)
      let upper = LayerDiagnosis.short(report.covered.upper)
      let cause =
        "one scale must cover \(lower)…\(upper), but 99 % of the values lie within "
        + "±\(LayerDiagnosis.short(typicalMagnitude))"
      return (
        cause, options.estimator == "minmax" ? "--estimator percentile" : "--activations 16"
      )
    }
    if let before = inputDecibels, let decibels = report.outputDecibels, before < decibels + 3 {
      return ("the error comes in from the layers before it", "--activations 16")
    }
    return nil
  }

  /// Three significant digits.
  static func short(_ value: Float) -> String {
    let magnitude = abs(value)
    guard magnitude > 0, magnitude.isFinite else { return magnitude == 0 ? "0" : "\(value)" }
    let decimals = max(0, 2 - Int(Double(magnitude).logarithm10.rounded(.down)))
    return fixed(Double(value), decimals: min(decimals, 8))
  }

  private static func percent(_ fraction: Double) -> String {
    fixed(fraction * 100, decimals: 1) + " %"
  }

  private static func fixed(_ value: Double, decimals: Int) -> String {
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    let scaled = (abs(value) * factor).rounded()
    let sign = value < 0 && scaled > 0 ? "−" : ""
    guard scaled < 1e15 else { return "\(value)" }
    let digits = String(Int(scaled))
    guard decimals > 0 else { return sign + digits }
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// The name as a regular expression that matches it alone.
  private static func escaped(_ name: String) -> String {
    String(name.flatMap { "\\^$.|?*+()[]{}".contains($0) ? ["\\", $0] : [$0] })
  }
}
