// SPDX-License-Identifier: Apache-2.0
import Autodiff
public import GraphIR
import TensorCore

extension TrainedQuantization {
  /// The network with other signs of some weights, so that no batch norm behind a convolution has a
  /// negative factor: the same function.
  ///
  /// Scales of codes are positive, and factors of batch norms go into them. A channel's weights,
  /// its mean and its factor all change sign: `γ (w x − μ) = −γ (−w x + μ)`.
  public static func prepared(_ network: Graph) -> Graph {
    let index = GraphIndex(network)
    var changed: [String: Tensor] = [:]
    for node in network.nodes where node.op is BatchNormalization {
      guard node.inputs.count == 5, let input = node.inputs[0],
        let product = index.producer(of: input), product.op is Conv,
        index.soleConsumer(of: input) != nil, product.inputs.count == 2,
        let weight = product.inputs[1], let scale = node.inputs[1], let mean = node.inputs[3],
        [weight, scale, mean].allSatisfy({ index.consumerCount(of: $0) == 1 }),
        let weights = index.constant(weight), let scales = index.constant(scale)?.floats(),
        let means = index.constant(mean)?.floats(), weights.shape.first == scales.count,
        means.count == scales.count, weights.elementType == .float32,
        scales.contains(where: { $0 < 0 })
      else { continue }
      let inner = weights.count / scales.count
      let values = weights.floats().enumerated().map { scales[$0 / inner] < 0 ? -$1 : $1 }
      changed[network[weight].name] = Tensor(values, shape: weights.shape)
      changed[network[scale].name] = Tensor(scales.map { abs($0) }, shape: [scales.count])
      changed[network[mean].name] = Tensor(
        zip(means, scales).map { $1 < 0 ? -$0 : $0 }, shape: [means.count])
    }
    return (try? network.settingConstants(changed)) ?? network
  }
}
