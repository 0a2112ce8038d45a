// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

extension QuantizationPlan {
  /// The codes of the weights of every product.
  ///
  /// Scales grow where a bias would not fit its 32 bits otherwise, and by 0.4 % at most so that all
  /// runtimes round sums to the same codes (`RequantizationRatio`). A channel of zeros gets the
  /// greatest scale of the others, which suits its bias better than 1.
  ///
  /// - Parameter widened: Products whose weights get codes of 16 bits.
  package func weights(
    in graph: Graph, activations: ActivationCodes, quantizer: WeightQuantizer,
    widening widened: Set<NodeID> = []
  ) -> [NodeID: QuantizedWeights] {
    var weights: [NodeID: QuantizedWeights] = [:]
    for site in sites {
      let quantizer = widened.contains(site.node) ? quantizer.widened : quantizer
      guard let tensor = graph[site.weight].constant, let input = activations.codes[site.data]
      else { continue }
      let axis = quantizer.granularity == .perChannel ? site.operands.channelAxis : nil
      let ranges = ChannelSlices(shape: tensor.shape, axis: axis).ranges(of: tensor.floats())
      var least = [Float](repeating: 0, count: ranges.count)
      if let bias = site.bias.flatMap({ graph[$0].constant }) {
        least = BiasQuantization.leastWeightScales(
          bias: bias.floats(), inputScale: input.scale, isPerChannel: axis != nil)
      }
      let isZero = ranges.map { $0.least == 0 && $0.greatest == 0 }
      let scales = zip(ranges, isZero).filter { !$0.1 }.map { quantizer.code(for: $0.0).scale }
      if let output = activations.codes[site.result] ?? activations.codes[site.output],
        output.codes.count <= 256,
        quantizer.elementType.bitWidth == 8
      {
        for channel in least.indices where !isZero[channel] {
          let scale = max(quantizer.code(for: ranges[channel]).scale, least[channel])
          least[channel] = RequantizationRatio.weightScale(
            atLeast: scale, input: input.scale, output: output.scale)
        }
      }
      weights[site.node] = quantizer.quantized(
        tensor, axis: axis, leastScales: least, zeroScale: scales.max() ?? 1)
    }
    return weights
  }
}
