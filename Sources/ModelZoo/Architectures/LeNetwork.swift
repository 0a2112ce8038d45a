// SPDX-License-Identifier: Apache-2.0

/// LeNet, in the forms that papers on pruning use.
///
/// Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document
/// Recognition", 1998; the convolutional one with 20 and 50 filters, 500 units, maximum pooling and
/// one ReLU, as Han et al., "Learning both Weights and Connections for Efficient Neural Networks",
/// 2015, prune it (431 thousand parameters), the other with 300 and 100 units.
enum LeNetwork {
  static let paper = Paper(
    authors: "LeCun et al.",
    title: "Gradient-Based Learning Applied to Document Recognition", year: 1998)

  static let architectures: [Architecture] = [
    Architecture(
      "lenet5", paper, "two convolutions (20, 50 filters) and two linear layers",
      inputs: [.mnist, .cifar], layers: convolutional),
    Architecture(
      "lenet_300_100", paper, "three linear layers", inputs: [.mnist, .cifar], layers: linear),
  ]

  @Sendable private static func convolutional(_ network: inout NetworkBuilder) {
    network.convolutionWeights = .scaledUniform(gain: 1, .incoming)
    network.linearWeights = .scaledUniform(gain: 1, .incoming)
    network.convolution("conv1", 20, kernel: 5, padding: 0, hasBias: true)
    network.maximumPool("pool1", kernel: 2, stride: 2)
    network.convolution("conv2", 50, kernel: 5, padding: 0, hasBias: true)
    network.maximumPool("pool2", kernel: 2, stride: 2)
    network.flatten()
    network.linear("fc1", 500)
    network.activation(.relu)
    network.linear("fc2", network.classCount)
  }

  @Sendable private static func linear(_ network: inout NetworkBuilder) {
    network.linearWeights = .heNormalIncoming
    network.flatten()
    network.linear("fc1", 300)
    network.activation(.relu)
    network.linear("fc2", 100)
    network.activation(.relu)
    network.linear("fc3", network.classCount)
  }
}
