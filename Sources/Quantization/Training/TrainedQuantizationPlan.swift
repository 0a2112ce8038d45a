// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import GraphPasses
import TensorCore

/// Which operands of a network are rounded while it is trained, by names that its training form
/// shares.
struct TrainedQuantizationPlan: Sendable {
  /// A product with constant weights.
  struct Site: Sendable {
    /// The node's name as reports show it.
    var label: String
    /// What the node computes.
    var output: String
    var weightPosition: Int
    var dataPosition: Int
    /// `nil` where it stays in float.
    var weight: QuantizedOperand?
    var data: QuantizedOperand?
  }

  let sites: [Site]

  /// Samples of which activations are observed.
  static let observedSamples = 128

  /// Elements of an activation that are kept of them.
  static let keptElements = 1 << 18

  /// - Parameters:
  ///   - network: In the form of `PassPipeline.trainable`.
  ///   - calibration: Samples of which the first few are run.
  /// - Throws: `QuantizationError` if there is nothing to quantize or it is quantized already,
  ///   `CompressionError` if a rule selects nothing, and what reading and running throw.
  init(
    for network: Graph, options: TrainedQuantizationOptions,
    calibration: some CalibrationSource, makeExecutor: ExecutorFactory
  ) throws {
    try options.validate()
    for node in network.nodes where node.op is QuantizeLinear || node.op is DequantizeLinear {
      throw QuantizationError.alreadyQuantized(node: network.label(of: node))
    }
    let index = GraphIndex(network)
    let layers = Self.layers(of: index)
    guard !layers.isEmpty else {
      throw QuantizationError.nothingToQuantize(
        reason: "no Conv, ConvTranspose, Gemm or MatMul has constant float32 weights")
    }
    let positions = layers.map(\.position)
    for rule in options.layers { try rule.select.check(against: positions) }
    let data = Set(
      layers.filter { options.bits(of: $0.position).activations < 32 }.map(\.data)
    ).sorted()
    let observed = try Self.observed(data, in: network, calibration, makeExecutor)
    var widths: [ValueID: Set<Int>] = [:]
    for layer in layers {
      widths[layer.data, default: []].insert(options.bits(of: layer.position).activations)
    }
    sites = layers.map { layer in
      let bits = options.bits(of: layer.position)
      var site = Site(
        label: layer.position.name, output: network[layer.output].name,
        weightPosition: layer.operands.weight, dataPosition: layer.operands.data)
      if bits.weights < 32, let tensor = network[layer.weight].constant {
        site.weight = QuantizedOperand(
          role: .weight, name: network[layer.weight].name, bits: bits.weights, isSigned: true,
          shape: tensor.shape, channelAxis: layer.operands.channelAxis, observed: tensor.floats())
      }
      if bits.activations < 32, let (shape, values) = observed[layer.data] {
        let name = network[layer.data].name
        let isShared = (widths[layer.data]?.count ?? 0) > 1
        site.data = QuantizedOperand(
          role: .activation, name: isShared ? "\(name)/\(bits.activations)" : name,
          bits: bits.activations, isSigned: values.contains { $0 < 0 }, shape: shape,
          observed: values)
      }
      return site
    }
  }

  private struct Layer {
    var position: LayerPosition
    var operands: WeightedOperands
    var data: ValueID
    var weight: ValueID
    var output: ValueID
  }

  private static func layers(of index: GraphIndex) -> [Layer] {
    var found: [(Node, WeightedOperands, ValueID, ValueID, ValueID)] = []
    for node in index.graph.nodes {
      guard case .weighted(let operands) = node.quantizationRole(in: index),
        let data = node.inputs[operands.data], let weight = node.inputs[operands.weight],
        let output = node.outputs.first ?? nil
      else { continue }
      found.append((node, operands, data, weight, output))
    }
    return found.enumerated().map { place, layer in
      Layer(
        position: LayerPosition(
          name: index.graph.label(of: layer.0), kind: layer.0.op.kind, index: place,
          count: found.count),
        operands: layer.1, data: layer.2, weight: layer.3, output: layer.4)
    }
  }

  /// A sample's extents of each value, and elements that the network gives on some samples.
  private static func observed(
    _ values: [ValueID], in network: Graph, _ calibration: some CalibrationSource,
    _ makeExecutor: ExecutorFactory
  ) throws -> [ValueID: (shape: [Int], elements: [Float])] {
    guard !values.isEmpty else { return [:] }
    guard calibration.batchCount > 0 else { throw QuantizationError.emptyCalibration }
    var probed = network
    probed.setOutputs(values)
    probed = try PassPipeline.portable.run(probed).graph
    let executor = try makeExecutor(probed)
    var result: [ValueID: (shape: [Int], elements: [Float])] = [:]
    let wanted = min(observedSamples, calibration.sampleCount)
    var (done, position) = (0, 0)
    while done < wanted, position < calibration.batchCount {
      let batch = try calibration.batch(position)
      let samples = max(batch.values.first?.shape.first ?? 1, 1)
      let share = keptElements * samples / max(wanted, 1)
      for (value, tensor) in zip(values, try executor.run(batch)) {
        let elements = tensor.floats()
        if let wrong = elements.first(where: { !$0.isFinite }) {
          throw QuantizationError.notFinite(
            value: network[value].name, count: elements.count { $0.isFinite == wrong.isFinite })
        }
        // An odd stride, so that no channel is left out.
        let stride = max(elements.count / max(share, 1), 1) | 1
        let kept = Swift.stride(from: 0, to: elements.count, by: stride).map { elements[$0] }
        result[value, default: (Array(tensor.shape.dropFirst()), [])].elements += kept
      }
      done += samples
      position += 1
    }
    return result
  }
}
