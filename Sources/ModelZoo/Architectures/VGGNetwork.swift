// SPDX-License-Identifier: Apache-2.0

/// VGG: stacks of 3×3 convolutions with pooling between them.
///
/// Source: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
/// Recognition", 2014, Table 1, column D. The form for small pictures has one linear layer behind the
/// last pooling, as usual on CIFAR.
struct VGGNetwork: Sendable {
  let hasBatchNormalization: Bool

  static let paper = Paper(
    authors: "Simonyan, Zisserman",
    title: "Very Deep Convolutional Networks for Large-Scale Image Recognition", year: 2014)

  static let architectures: [Architecture] = [
    ("vgg16", "16 layers with weights, without batch norm", false),
    ("vgg16_bn", "16 layers with weights, batch norm behind each convolution", true),
  ].map { (name: String, summary: String, hasBatchNormalization: Bool) in
    Architecture(name, paper, summary, inputs: [.imageNet, .cifar, .mnist]) {
      VGGNetwork(hasBatchNormalization: hasBatchNormalization).layers(&$0)
    }
  }

  func layers(_ network: inout NetworkBuilder) {
    let blocks = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
    network.scoped("features") { network in
      var index = 0
      for block in blocks {
        for width in block {
          network.convolution("\(index)", width, kernel: 3, hasBias: true)
          if hasBatchNormalization { network.batchNormalization("\(index + 1)") }
          network.activation(.relu)
          index += hasBatchNormalization ? 3 : 2
        }
        network.maximumPool("\(index)", kernel: 2, stride: 2, ceilMode: network.isSmall)
        index += 1
      }
    }
    network.linearWeights = .normal(deviation: 0.01)
    if network.isSmall {
      network.globalAverage()
      network.linear("classifier", network.classCount)
      return
    }
    network.flatten()
    network.scoped("classifier") {
      $0.linear("0", 4096)
      $0.activation(.relu)
      $0.dropout("2", ratio: 0.5)
      $0.linear("3", 4096)
      $0.activation(.relu)
      $0.dropout("5", ratio: 0.5)
      $0.linear("6", $0.classCount)
    }
  }
}

/// The small VGG of the papers on binary and ternary weights.
///
/// Source: Zhang, Yang, Ye, Hua, "LQ-Nets: Learned Quantization for Highly Accurate and Compact Deep
/// Neural Networks", 2018, Section 4.1, after the network of Courbariaux et al., "BinaryConnect",
/// 2015, with one linear layer.
enum SmallVGGNetwork {
  static let paper = Paper(
    authors: "Zhang et al.",
    title: "LQ-Nets: Learned Quantization for Highly Accurate and Compact Deep Neural Networks",
    year: 2018)

  static let architectures: [Architecture] = [
    Architecture(
      "vgg_small", paper, "six convolutions of 128 to 512 channels and a linear layer",
      inputs: [.cifar, .mnist], layers: layers)
  ]

  @Sendable private static func layers(_ network: inout NetworkBuilder) {
    for (index, width) in [128, 128, 256, 256, 512, 512].enumerated() {
      network.convolution("conv\(index)", width, kernel: 3)
      network.batchNormalization("bn\(index)")
      network.activation(.relu)
      if index % 2 == 1 { network.maximumPool("pool\(index)", kernel: 2, stride: 2) }
    }
    network.flatten()
    network.linear("fc", network.classCount)
  }
}
