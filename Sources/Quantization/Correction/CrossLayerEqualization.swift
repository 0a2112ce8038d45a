// SPDX-License-Identifier: Apache-2.0
package import CompressionCore
package import GraphIR
import TensorCore

/// Scales channels between products so that they fill the ranges of their tensors more evenly.
///
/// Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
/// Correction", 2019, section 4.1: `s = √(r₁ r₂) / r₂`, the first product divided and the second
/// multiplied by `s`. Differs in two ways. Where weights have a scale per channel, `r₁` is the
/// range of the channel's activation on samples, which then is what shares a scale, and a
/// depthwise consumer leaves `r₂` without weight. And a clip such as ReLU6 stays: channels that
/// it cuts on the samples keep their scale, the others may grow until just below it, so that the
/// function of the network stays the same, where the source replaces the clip by ReLU.
package struct CrossLayerEqualization: Sendable {
  /// How far below a clip the greatest activation seen must stay, as a fraction of it.
  package static let headroom: Float = 0.9

  /// The greatest factor by which a channel is scaled, either way.
  package static let greatestFactor: Float = 1024

  /// Samples that ranges of channels are taken from, at most.
  package static let sampleLimit = 64

  package let pairs: [EqualizationPair]
  package let granularity: Granularity

  package init(pairs: [EqualizationPair], granularity: Granularity) {
    self.pairs = pairs
    self.granularity = granularity
  }

  /// The values whose channels must be observed: the activations in between.
  package var observed: [ValueID] { pairs.map(\.between) }

  /// The graph with scaled constants.
  ///
  /// - Parameters:
  ///   - graph: The graph that the pairs are of.
  ///   - channels: Statistics of `observed`.
  package func applied(
    to graph: Graph, channels: [ValueID: ChannelStatistics]
  ) -> Graph {
    var graph = graph
    for pair in pairs {
      guard let observed = channels[pair.between], observed.channelCount == pair.channelCount,
        let factors = factors(for: pair, in: graph, activations: observed.magnitudes)
      else { continue }
      scale(pair, by: factors, in: &graph)
    }
    return graph
  }

  /// What each channel is divided by; `nil` where nothing is gained.
  private func factors(
    for pair: EqualizationPair, in graph: Graph, activations: [Float]
  ) -> [Float]? {
    guard let first = graph[pair.first.weight].constant,
      let second = graph[pair.second.weight].constant,
      let consumer = graph.node(pair.second.node)
    else { return nil }
    let firstRanges = ChannelSlices(shape: first.shape, axis: pair.first.operands.channelAxis)
      .ranges(of: first.floats()).map { max(abs($0.least), abs($0.greatest)) }
    let secondRanges = ChannelMapping(consumer: consumer, weight: second, pair: pair)
      .ranges(of: second.floats())
    let ranges = granularity == .perTensor ? firstRanges : activations
    var factors = (0..<pair.channelCount).map { channel -> Float in
      let (one, other) = (ranges[channel], secondRanges[channel])
      guard one > 0, other > 0, activations[channel] > 0, one.isFinite else { return .nan }
      return granularity == .perChannel && pair.isDepthwise ? one : (one / other).squareRoot()
    }
    // The whole tensor keeps its range: only the proportions between channels matter.
    let used = factors.indices.filter { !factors[$0].isNaN }
    let before = used.map { activations[$0] }.max() ?? 0
    let after = used.map { activations[$0] / factors[$0] }.max() ?? 0
    guard before > 0, after > 0 else { return nil }
    for channel in factors.indices {
      var factor = factors[channel].isNaN ? 1 : factors[channel] * (after / before)
      if let clip = pair.clip {
        let limit = clip * CrossLayerEqualization.headroom
        factor = activations[channel] >= limit ? 1 : max(factor, activations[channel] / limit)
      }
      let bound = CrossLayerEqualization.greatestFactor
      factors[channel] = min(max(factor, 1 / bound), bound)
    }
    return factors
  }

  private func scale(_ pair: EqualizationPair, by factors: [Float], in graph: inout Graph) {
    guard let first = graph[pair.first.weight].constant,
      let second = graph[pair.second.weight].constant,
      let consumer = graph.node(pair.second.node)
    else { return }
    let slices = ChannelSlices(shape: first.shape, axis: pair.first.operands.channelAxis)
    var weights = first.floats()
    for index in weights.indices { weights[index] /= factors[slices.channel(of: index)] }
    graph.setConstant(Tensor(weights, shape: first.shape), of: pair.first.weight)
    if let bias = pair.first.bias, let tensor = graph[bias].constant {
      let values = tensor.floats().enumerated().map { $1 / factors[$0] }
      graph.setConstant(Tensor(values, shape: tensor.shape), of: bias)
    }
    let mapping = ChannelMapping(consumer: consumer, weight: second, pair: pair)
    var scaled = second.floats()
    for index in scaled.indices { scaled[index] *= factors[mapping.channel(of: index)] }
    graph.setConstant(Tensor(scaled, shape: second.shape), of: pair.second.weight)
  }
}

/// Which input channel each weight of a consumer belongs to.
struct ChannelMapping {
  private let inner: Int
  private let extent: Int
  private let rowsPerGroup: Int
  private let channelCount: Int

  init(consumer: Node, weight: Tensor, pair: EqualizationPair) {
    self.init(
      op: consumer.op, shape: weight.shape, channelCount: pair.channelCount)
  }

  /// Weights `[out, in / group, …]` of a convolution, or `[in, out]` or `[out, in]` of a product.
  init(op: any Op, shape: [Int], channelCount: Int) {
    self.channelCount = channelCount
    if let conv = op as? Conv {
      inner = shape[2...].reduce(1, *)
      extent = shape[1]
      rowsPerGroup = max(shape[0] / max(conv.group, 1), 1)
    } else {
      let isRowPerOutput = (op as? Gemm)?.transposesB ?? false
      inner = isRowPerOutput ? 1 : shape[1]
      extent = isRowPerOutput ? shape[1] : shape[0]
      rowsPerGroup = Int.max
    }
  }

  func channel(of index: Int) -> Int {
    let row = index / (inner * extent)
    let group = rowsPerGroup == Int.max ? 0 : row / rowsPerGroup
    return min(group * extent + index / inner % extent, channelCount - 1)
  }

  /// The greatest magnitude of the weights of each input channel.
  func ranges(of weights: [Float]) -> [Float] {
    var ranges = [Float](repeating: 0, count: channelCount)
    for index in weights.indices {
      let channel = channel(of: index)
      ranges[channel] = max(ranges[channel], abs(weights[index]))
    }
    return ranges
  }
}
