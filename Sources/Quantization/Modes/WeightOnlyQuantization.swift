// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import TensorCore

/// Integer weights behind `DequantizeLinear`; all else stays in real numbers.
struct WeightOnlyQuantization {
  let options: QuantizationOptions

  /// The network with integer weights and a report without measurements.
  ///
  /// - Throws: `QuantizationError` if there is nothing to quantize or a pattern is wrong.
  func applied(
    to graph: Graph
  ) throws(QuantizationError) -> (graph: Graph, report: QuantizationReport) {
    let plan = try QuantizationPlan(for: graph, options: options)
    let sites = Dictionary(uniqueKeysWithValues: plan.sites.map { ($0.node, $0) })
    var result = graph
    result.setNodes([])
    var report = QuantizationReport(options: options)
    report.keptFloat = plan.kept
    var readable: [ValueID: ValueID] = [:]
    for node in graph.nodes {
      var node = node
      if let site = sites[node.id], let weights = graph[site.weight].constant {
        let quantized = options.weights.quantized(weights, axis: site.operands.channelAxis)
        node.inputs[site.operands.weight] =
          readable[site.weight] ?? result.addDequantized(quantized, name: graph[site.weight].name)
        readable[site.weight] = node.inputs[site.operands.weight]
        report.layers.append(
          LayerReport(
            weightsOf: site, kind: node.op.kind, in: graph, weights: weights,
            quantized: quantized, activationBits: 32))
      }
      result.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
    }
    result.metadata.opset = max(
      graph.metadata.opset, options.weights.elementType.bitWidth == 16 ? 21 : 13)
    result.inferTypes()
    return (result, report)
  }
}

extension LayerReport {
  /// A layer of which only the weights are known.
  init(
    weightsOf site: QuantizationPlan.WeightedSite, kind: String, in graph: Graph,
    weights: Tensor, quantized: QuantizedWeights, activationBits: Int
  ) {
    self.init(
      name: site.label, kind: kind, output: graph[site.result].name,
      weightBits: quantized.codes.elementType.bitWidth, activationBits: activationBits,
      observed: ValueRange(lower: 0, upper: 0), covered: ValueRange(lower: 0, upper: 0),
      shareKept: 1)
    var ratio = SignalToNoise()
    ratio.add(weights.floats(), quantized.reals())
    weightDecibels = ratio.decibels.flatMap { $0.isFinite ? $0 : nil }
    weightHistogram = HistogramReport(of: weights.floats(), scales: quantized.scales)
  }
}

extension Graph {
  /// Adds integer weights and the node that makes them real; returns the real ones.
  mutating func addDequantized(_ weights: QuantizedWeights, name: String) -> ValueID {
    addDequantized(
      weights.codes, scales: weights.scales, zeroPoints: weights.zeroPoints, axis: weights.axis,
      name: name)
  }

  /// Adds codes and the node that makes them real; returns the real values.
  mutating func addDequantized(
    _ codes: Tensor, scales: [Float], zeroPoints: [Int32]?, axis: Int?, name: String
  ) -> ValueID {
    let shape = axis == nil ? [] : [scales.count]
    var inputs = [
      addConstant(codes, name: name + "_quantized"),
      addConstant(Tensor(scales, shape: shape), name: name + "_scale"),
    ]
    if let zeroPoints {
      inputs.append(
        addConstant(
          Tensor(
            integers: zeroPoints.map { Int64($0) }, shape: shape, elementType: codes.elementType),
          name: name + "_zero_point"))
    }
    return addNode(
      DequantizeLinear(axis: axis ?? 1), name: name + "_DequantizeLinear", inputs: inputs,
      outputNames: [name + "_dequantized"])[0]
  }
}
