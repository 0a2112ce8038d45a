// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// DenseNet: each layer takes the features of all earlier ones in its block.
///
/// Source: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", 2017,
/// Table 1 and Section 4.2.
struct DenseNetwork: Sendable {
  /// Layers of each block.
  let counts: [Int]
  /// Channels that a layer adds.
  let growth: Int
  let stemWidth: Int
  /// Whether layers have a 1×1 convolution first and transitions halve the channels (DenseNet-BC).
  let isCompressed: Bool
  /// Whether it has the stem for ImageNet.
  let isLarge: Bool

  static let paper = Paper(
    authors: "Huang et al.", title: "Densely Connected Convolutional Networks", year: 2017)

  static let architectures: [Architecture] = [
    large("densenet121", [6, 12, 24, 16]),
    large("densenet169", [6, 12, 32, 32]),
    small(
      "densenet40_12",
      DenseNetwork(
        counts: [12, 12, 12], growth: 12, stemWidth: 16, isCompressed: false, isLarge: false),
      "the form for CIFAR, 40 layers that add 12 channels each"),
    small(
      "densenet_bc100_12",
      DenseNetwork(
        counts: [16, 16, 16], growth: 12, stemWidth: 24, isCompressed: true, isLarge: false),
      "the form for CIFAR with bottlenecks and compression, 100 layers that add 12 channels"),
  ]

  private static func large(_ name: String, _ counts: [Int]) -> Architecture {
    let network = DenseNetwork(
      counts: counts, growth: 32, stemWidth: 64, isCompressed: true, isLarge: true)
    return Architecture(
      name, paper, "bottlenecks and compression, layers that add 32 channels"
    ) { network.layers(&$0) }
  }

  private static func small(
    _ name: String, _ network: DenseNetwork, _ summary: String
  ) -> Architecture {
    Architecture(name, paper, summary, inputs: [.cifar, .mnist]) { network.layers(&$0) }
  }

  func layers(_ network: inout NetworkBuilder) {
    network.convolutionWeights = .heNormalIncoming
    network.scoped("features") { features(&$0) }
    network.globalAverage()
    network.linear("classifier", network.classCount)
  }

  private func features(_ network: inout NetworkBuilder) {
    let reduces = isLarge && !network.isSmall
    network.convolution("conv0", stemWidth, kernel: reduces ? 7 : 3, stride: reduces ? 2 : 1)
    if isLarge {
      network.batchNormalization("norm0")
      network.activation(.relu)
    }
    if reduces { network.maximumPool("pool0", kernel: 3, stride: 2, padding: 1) }
    for (block, count) in counts.enumerated() {
      for layer in 1...count {
        network.scoped("denseblock\(block + 1).denselayer\(layer)") { denseLayer(&$0) }
      }
      if block + 1 < counts.count {
        network.scoped("transition\(block + 1)") { transition(&$0) }
      }
    }
    network.batchNormalization("norm5")
    network.activation(.relu)
  }

  private func denseLayer(_ network: inout NetworkBuilder) {
    let input = network.value
    network.batchNormalization("norm1")
    network.activation(.relu)
    if isCompressed {
      network.convolution("conv1", 4 * growth, kernel: 1)
      network.batchNormalization("norm2")
      network.activation(.relu)
      network.convolution("conv2", growth, kernel: 3)
    } else {
      network.convolution("conv1", growth, kernel: 3)
    }
    let features = network.value
    network.value = input
    network.concatenate([features])
  }

  private func transition(_ network: inout NetworkBuilder) {
    network.batchNormalization("norm")
    network.activation(.relu)
    network.convolution("conv", network.channels / (isCompressed ? 2 : 1), kernel: 1)
    network.averagePool("pool", kernel: 2, stride: 2)
  }
}
