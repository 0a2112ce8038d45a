// SPDX-License-Identifier: Apache-2.0
package import CompressionCore
package import GraphIR
import TensorCore

/// Moves the mean error that rounded weights make into the biases.
///
/// Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
/// Correction", 2019, section 4.2: `E[y] − E[ŷ] = (W − Ŵ) E[x]`. Means of inputs are those of
/// the calibration samples, where the source derives them from batch-norm statistics; borders
/// count as if they were inside.
package struct BiasCorrection: Sendable {
  package let sites: [QuantizationPlan.WeightedSite]

  package init(sites: [QuantizationPlan.WeightedSite]) { self.sites = sites }

  /// The graph with corrected biases.
  ///
  /// - Parameters:
  ///   - graph: The graph whose products have biases (see `addingBiases(to:)`).
  ///   - weights: The codes that will stand for the weights of each node.
  ///   - channels: Statistics of the products' inputs in the float network.
  package func applied(
    to graph: Graph, weights: [NodeID: QuantizedWeights],
    channels: [ValueID: ChannelStatistics]
  ) -> Graph {
    var graph = graph
    for site in sites {
      guard let bias = site.bias, let values = graph[bias].constant,
        let original = graph[site.weight].constant, let quantized = weights[site.node],
        let means = channels[site.data]?.means, let node = graph.node(site.node),
        let axis = site.operands.channelAxis
      else { continue }
      let extent = BiasCorrection.inputExtent(of: node.op, shape: original.shape)
      guard means.count == extent else { continue }
      let inputs = ChannelMapping(op: node.op, shape: original.shape, channelCount: extent)
      let outputs = ChannelSlices(shape: original.shape, axis: axis)
      var shifts = [Double](repeating: 0, count: outputs.channelCount)
      let (real, rounded) = (original.floats(), quantized.reals())
      for index in real.indices {
        shifts[outputs.channel(of: index)] +=
          Double(real[index] - rounded[index]) * means[inputs.channel(of: index)]
      }
      guard shifts.count == values.count, shifts.allSatisfy(\.isFinite) else { continue }
      let corrected = zip(values.floats(), shifts).map { $0 + Float($1) }
      graph.setConstant(Tensor(corrected, shape: values.shape), of: bias)
    }
    return graph
  }

  /// How many channels the input of a product has.
  private static func inputExtent(of op: any Op, shape: [Int]) -> Int {
    if let conv = op as? Conv { return shape[1] * max(conv.group, 1) }
    if let gemm = op as? Gemm, gemm.transposesB { return shape[1] }
    return shape[0]
  }

  /// The graph with a bias of zeros at every convolution and `Gemm` of the sites without one.
  package static func addingBiases(
    to graph: Graph, sites: [QuantizationPlan.WeightedSite]
  ) -> Graph {
    var graph = graph
    var nodes = graph.nodes
    let byNode = Dictionary(uniqueKeysWithValues: sites.map { ($0.node, $0) })
    for position in nodes.indices {
      guard let site = byNode[nodes[position].id], site.bias == nil,
        nodes[position].inputs.optional(2) == nil,
        nodes[position].op is Conv || nodes[position].op is Gemm,
        let axis = site.operands.channelAxis, let weight = graph[site.weight].constant
      else { continue }
      if let gemm = nodes[position].op as? Gemm, gemm.beta != 1 { continue }
      let zeros = [Float](repeating: 0, count: weight.shape[axis])
      let bias = graph.addConstant(
        Tensor(zeros, shape: [zeros.count]), name: graph[site.weight].name + "_bias")
      nodes[position].inputs = Array(nodes[position].inputs.prefix(2)) + [bias]
    }
    graph.setNodes(nodes)
    return graph
  }
}
