// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Swiftlet

/// How a network is to be quantized, as options of the command.
package struct QuantizeArguments: ParsableArguments {
  @Option(help: "static, dynamic, weights, fp16 or bf16.")
  package var mode = "static"

  @Option(
    help: ArgumentHelp(
      "How ranges of activations are chosen: "
        + RangeEstimators.registry.names.joined(separator: ", ") + ".", valueName: "name"))
  package var estimator: String?

  @Option(
    help: ArgumentHelp(
      "Fraction of the values that --estimator percentile keeps.", valueName: "fraction"))
  package var percentile: Double?

  @Option(help: ArgumentHelp("Bits of a weight: 8 or 16.", valueName: "bits"))
  package var weights = 8

  @Option(help: ArgumentHelp("Bits of an activation: 8 or 16.", valueName: "bits"))
  package var activations = 8

  @Flag(help: "One scale for each weight tensor instead of one per channel.")
  package var perTensor = false

  @Flag(help: "Activations without zero point.")
  package var symmetric = false

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Nodes whose names match stay in float; may be repeated.", valueName: "regex")
  )
  package var keepFloat: [String] = []

  @Flag(inversion: .prefixedNo, help: "Even out the ranges of channels that two layers share.")
  package var equalize: Bool?

  @Flag(inversion: .prefixedNo, help: "Take back the mean error that rounded weights cause.")
  package var biasCorrection: Bool?

  package init() {}

  /// The choices as the quantizer takes them.
  ///
  /// - Throws: `CommandError` naming the option, or `QuantizationError`.
  package func options() throws -> QuantizationOptions {
    let modes: [(name: String, mode: QuantizationOptions.Mode)] = [
      ("static", .fixed), ("dynamic", .dynamic), ("weights", .weightOnly),
      ("weight-only", .weightOnly), ("fp16", .float16), ("bf16", .bfloat16),
    ]
    guard let chosen = modes.first(where: { $0.name == mode }) else {
      throw CommandError(
        "--mode \(mode): accepted: static, dynamic, weights, fp16, bf16", status: .wrongUsage)
    }
    var options = QuantizationOptions(mode: chosen.mode)
    guard let weightType = [8: ElementType.int8, 16: .int16][weights] else {
      throw CommandError(
        "--weights \(weights): supported bit widths are 8 and 16", status: .wrongUsage)
    }
    let unsigned = [8: ElementType.uint8, 16: .uint16]
    let signed = [8: ElementType.int8, 16: .int16]
    guard let activationType = (symmetric ? signed : unsigned)[activations] else {
      throw CommandError(
        "--activations \(activations): supported bit widths are 8 and 16", status: .wrongUsage)
    }
    options.weights.elementType = weightType
    if perTensor { options.weights.granularity = .perTensor }
    options.activationType = activationType
    options.symmetricActivations = symmetric
    if let estimator {
      guard RangeEstimators.registry.method(named: estimator) != nil else {
        let known = RangeEstimators.registry.names.joined(separator: ", ")
        throw CommandError("--estimator \(estimator): accepted: \(known)", status: .wrongUsage)
      }
      options.estimator = estimator
    }
    if let percentile {
      guard percentile > 0.5, percentile <= 1 else {
        throw CommandError(
          "--percentile \(percentile): accepted: above 0.5, up to 1", status: .wrongUsage)
      }
      options.percentile = percentile
    }
    options.keepFloat = keepFloat
    if let equalize { options.equalizes = equalize }
    if let biasCorrection { options.correctsBiases = biasCorrection }
    try options.validate()
    return options
  }
}

extension QuantizationOptions {
  /// Whether sample inputs are needed.
  package var needsSamples: Bool { mode == .fixed }

  /// The recipe in words, every default included.
  package var words: [String] {
    switch mode {
    case .float16: return ["fp16 · weights and activations in IEEE half precision"]
    case .bfloat16: return ["bf16 · weights in bfloat16"]
    case .fixed, .dynamic, .weightOnly: break
    }
    let bits = weights.elementType.bitWidth
    let granularity = weights.granularity == .perChannel ? "per channel" : "per tensor"
    var first = [
      "\(mode.rawValue) int\(bits)",
      "weights \(weights.isSymmetric ? "symmetric" : "affine") \(granularity) (minmax)",
    ]
    switch mode {
    case .fixed: first.append("activations \(activationType.rawValue) (\(estimator))")
    case .dynamic: first.append("activations \(activationType.rawValue), ranges at run time")
    default: first.append("activations in float")
    }
    var second = ["batch-norm folded", "first and last layer included"]
    if mode == .fixed {
      second.append(equalizes ? "equalization" : "no equalization")
      second.append(correctsBiases ? "bias correction" : "no bias correction")
    }
    if !keepFloat.isEmpty { second.append("in float: " + keepFloat.joined(separator: ", ")) }
    return [first.joined(separator: " · "), second.joined(separator: " · ")]
  }
}
