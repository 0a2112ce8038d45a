// SPDX-License-Identifier: Apache-2.0
import Autodiff
public import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// Quantization as a part of training: what products read is rounded, gradients pass the rounding,
/// and the trained network is handed over with integer codes.
///
/// ```swift
/// let network = TrainedQuantization.prepared(network)
/// var trainer = try Trainer(network, recipe: recipe)
/// trainer.add(
///   try TrainedQuantization(
///     for: trainer.network, options: options, calibration: samples, makeExecutor: executors))
/// let result = try trainer.train(on: source)   // result.deployed has the codes
/// ```
public struct TrainedQuantization: TrainingMethod {
  public let options: TrainedQuantizationOptions
  let plan: TrainedQuantizationPlan
  let weightQuantizer: any TrainedQuantizer
  let activationQuantizer: any TrainedQuantizer

  public var name: String { options.quantizer.name }

  /// - Parameters:
  ///   - network: In the form of `Trainer.network`.
  ///   - options: What to do; checked before anything is read.
  ///   - calibration: Samples of which the first few are run to begin with fitting grids.
  ///   - makeExecutor: Runs the network on them.
  /// - Throws: `QuantizationError` or `CompressionError` for what cannot be done, and what reading
  ///   and running throw.
  public init(
    for network: Graph, options: TrainedQuantizationOptions,
    calibration: some CalibrationSource, makeExecutor: ExecutorFactory
  ) throws {
    weightQuantizer = try TrainedQuantizers.family.method(for: options.quantizer)
    activationQuantizer = try TrainedQuantizers.family.method(
      for: options.activationQuantizer ?? options.quantizer)
    var network = network
    network.inferTypes()
    plan = try TrainedQuantizationPlan(
      for: network, options: options, calibration: calibration, makeExecutor: makeExecutor)
    self.options = options
  }

  public var transforms: [any GraphTransform] { [Rounding(method: self)] }

  public var policies: [any ParameterPolicy] {
    [
      QuantizerPolicy(prefixes: prefixes(.weight), quantizer: weightQuantizer),
      QuantizerPolicy(prefixes: prefixes(.activation), quantizer: activationQuantizer),
    ]
  }

  private func prefixes(_ role: QuantizedOperand.Role) -> Set<String> {
    Set(
      plan.sites.flatMap { [$0.weight, $0.data] }.compactMap { $0 }.filter { $0.role == role }
        .map { $0.name + "/" })
  }

  /// Layers with their bits, as reports show them; 32 for float.
  public var layers: [(name: String, weightBits: Int, activationBits: Int)] {
    plan.sites.map { ($0.label, $0.weight?.bits ?? 32, $0.data?.bits ?? 32) }
  }

  public func deployed(_ network: Graph, values: [String: Tensor]) throws -> Graph {
    try DeployedNetworkWriter(method: self, values: values).deployed(network)
  }
}

/// Puts rounding before products.
private struct Rounding: GraphTransform {
  let method: TrainedQuantization

  var name: String { method.name }

  func transform(_ context: inout LossContext) throws {
    var rounded: [String: ValueID] = [:]
    func operand(
      _ operand: QuantizedOperand?, of node: Node, at position: Int,
      by quantizer: any TrainedQuantizer, in context: inout LossContext
    ) throws -> ValueID? {
      guard let operand, let value = node.inputs[position] else { return node.inputs[position] }
      if let known = rounded[operand.name] { return known }
      let result = quantizer.addRounding(of: value, operand, to: &context)
      rounded[operand.name] = result
      return result
    }
    for site in method.plan.sites {
      let graph = context.network.graph
      guard let output = graph.value(named: site.output),
        let place = graph.nodes.firstIndex(where: { $0.outputs.first == output })
      else {
        throw QuantizationError.nothingToQuantize(
          reason: "\"\(site.output)\" is not in the network that is trained")
      }
      var node = graph.nodes[place]
      let weight = try operand(
        site.weight, of: node, at: site.weightPosition, by: method.weightQuantizer, in: &context)
      let data = try operand(
        site.data, of: node, at: site.dataPosition, by: method.activationQuantizer, in: &context)
      node.inputs[site.weightPosition] = weight
      node.inputs[site.dataPosition] = data
      var nodes = context.network.graph.nodes
      nodes[place] = node
      context.network.graph.setNodes(nodes)
    }
    try context.network.graph.sortTopologically()
    context.network.graph.inferTypes()
  }
}

/// What updates do with the parameters of quantizers.
private struct QuantizerPolicy: ParameterPolicy {
  let prefixes: Set<String>
  let quantizer: any TrainedQuantizer

  func options(
    for parameter: TrainableParameter, standard: ParameterOptions
  ) -> ParameterOptions? {
    guard parameter.role == .auxiliary, let end = parameter.name.lastIndex(of: "/"),
      prefixes.contains(String(parameter.name[...end]))
    else { return nil }
    return quantizer.options(forParameter: parameter.name, standard: standard)
  }
}
