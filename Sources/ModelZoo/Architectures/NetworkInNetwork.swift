// SPDX-License-Identifier: Apache-2.0

/// Network in Network: each wide convolution is followed by two of 1×1.
///
/// Source: Lin, Chen, Yan, "Network In Network", 2014, the network for CIFAR-10; batch norm behind
/// each convolution but the last, as the papers on quantization train it.
enum NetworkInNetwork {
  static let paper = Paper(authors: "Lin et al.", title: "Network In Network", year: 2014)

  static let architectures: [Architecture] = [
    Architecture(
      "nin", paper, "wide convolutions, each with two 1×1 convolutions behind it",
      inputs: [.cifar, .mnist], layers: layers)
  ]

  @Sendable private static func layers(_ network: inout NetworkBuilder) {
    network.scoped("features") { network in
      unit(&network, "0", 192, kernel: 5)
      unit(&network, "1", 160, kernel: 1)
      unit(&network, "2", 96, kernel: 1)
      network.maximumPool("3", kernel: 3, stride: 2, padding: 1)
      network.dropout("4", ratio: 0.5)
      unit(&network, "5", 192, kernel: 5)
      unit(&network, "6", 192, kernel: 1)
      unit(&network, "7", 192, kernel: 1)
      network.averagePool("8", kernel: 3, stride: 2, padding: 1)
      network.dropout("9", ratio: 0.5)
      unit(&network, "10", 192, kernel: 3)
      unit(&network, "11", 192, kernel: 1)
      network.convolution("12", network.classCount, kernel: 1, hasBias: true)
      network.activation(.relu)
    }
    network.globalAverage()
  }

  private static func unit(
    _ network: inout NetworkBuilder, _ name: String, _ outputs: Int, kernel: Int
  ) {
    network.scoped(name) {
      $0.convolution("0", outputs, kernel: kernel)
      $0.batchNormalization("1")
      $0.activation(.relu)
    }
  }
}
