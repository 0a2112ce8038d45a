// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Two products in a row whose channels in between can be scaled without changing the result.
package struct EqualizationPair: Sendable, Equatable {
  package let first: QuantizationPlan.WeightedSite
  package let second: QuantizationPlan.WeightedSite

  /// What lies between: its channels are the outputs of `first` and the inputs of `second`.
  package let between: ValueID

  /// The upper limit of a clip in between, such as the 6 of ReLU6; `nil` if there is none.
  package let clip: Float?

  package let channelCount: Int

  /// Whether each output of `second` depends on one of the channels only.
  package let isDepthwise: Bool
}

extension EqualizationPair {
  /// The pairs of a network, in its order.
  ///
  /// Between the two there is nothing but functions that commute with positive scales (ReLU, a
  /// clip from zero, pooling over space), and nothing else uses what lies between.
  package static func pairs(
    of sites: [QuantizationPlan.WeightedSite], in index: GraphIndex
  ) -> [EqualizationPair] {
    let byNode = Dictionary(uniqueKeysWithValues: sites.map { ($0.node, $0) })
    var uses: [ValueID: Int] = [:]
    for node in index.graph.nodes {
      for case .some(let input) in node.inputs { uses[input, default: 0] += 1 }
    }
    return sites.compactMap { first in
      guard uses[first.weight] == 1, first.bias.map({ uses[$0] == 1 }) ?? true,
        let end = path(from: first.output, in: index),
        let consumer = index.soleConsumer(of: end.value),
        let second = byNode[consumer.id], second.data == end.value, uses[second.weight] == 1,
        let channels = outputChannels(of: first, in: index),
        let firstNode = index.producer(of: first.output),
        let isDepthwise = matches(second, consumer, channels: channels, in: index),
        isRowMajor(firstNode, first)
      else { return nil }
      return EqualizationPair(
        first: first, second: second, between: end.value, clip: end.clip, channelCount: channels,
        isDepthwise: isDepthwise)
    }
  }

  /// Follows a value to the last one of the same channels.
  private static func path(
    from value: ValueID, in index: GraphIndex
  ) -> (value: ValueID, clip: Float?)? {
    var value = value
    var clip: Float?
    while let node = index.soleConsumer(of: value), node.outputs.count == 1,
      let output = node.outputs[0]
    {
      switch node.op {
      case let unary as Unary:
        switch unary.function {
        case .relu, .leakyRelu: break
        default: return nil
        }
      case is Clip:
        let lower = index.constant(node.inputs.optional(1))?.floats().first
        guard lower == 0 else { return nil }
        let upper = index.constant(node.inputs.optional(2))?.floats().first ?? .infinity
        if upper < .greatestFiniteMagnitude { clip = min(clip ?? upper, upper) }
      case is MaxPool, is Identity, is Dropout: break
      // Behind an average nothing tells how near the clip its terms were.
      case is AveragePool where clip == nil, is GlobalPool where clip == nil: break
      default: return (value, clip)
      }
      value = output
    }
    return (value, clip)
  }

  private static func outputChannels(
    of site: QuantizationPlan.WeightedSite, in index: GraphIndex
  ) -> Int? {
    guard let axis = site.operands.channelAxis else { return nil }
    return index.constant(site.weight)?.shape[axis]
  }

  /// Whether the first product's channels are the second axis of its result.
  private static func isRowMajor(
    _ node: Node, _ site: QuantizationPlan.WeightedSite
  ) -> Bool {
    node.op is Conv || node.op is Gemm || (node.op as? ConvTranspose)?.group == 1
  }

  /// `nil` if the second product does not take the channels one to one.
  private static func matches(
    _ site: QuantizationPlan.WeightedSite, _ node: Node, channels: Int, in index: GraphIndex
  ) -> Bool? {
    guard let shape = index.constant(site.weight)?.shape, shape.count >= 2 else { return nil }
    switch node.op {
    case let conv as Conv:
      guard shape[1] * conv.group == channels else { return nil }
      return conv.group == channels
    case let gemm as Gemm:
      return shape[gemm.transposesB ? 1 : 0] == channels ? false : nil
    default: return nil
    }
  }
}
