// SPDX-License-Identifier: Apache-2.0

/// MobileNet: depthwise 3×3 convolutions, each followed by a 1×1 convolution.
///
/// Source: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
/// Applications", 2017, Table 1, in which the last depthwise stride is misprinted: it is 1. The form
/// for small pictures has stride 1 in the stem and in the first depthwise convolution with stride 2.
enum MobileNetworkV1 {
  static let paper = Paper(
    authors: "Howard et al.",
    title: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    year: 2017)

  static let architectures: [Architecture] = [
    ("mobilenet_v1", 1), ("mobilenet_v1_0_75", 0.75), ("mobilenet_v1_0_5", 0.5),
    ("mobilenet_v1_0_25", 0.25),
  ].map { (name: String, width: Double) in
    Architecture(
      name, paper, "depthwise separable convolutions, width \(width)",
      inputs: [.imageNet, .cifar, .mnist], width: width, layers: layers)
  }

  @Sendable private static func layers(_ network: inout NetworkBuilder) {
    let factor = network.width
    func scaled(_ channels: Int) -> Int { max(8, Int(Double(channels) * factor)) }
    network.scoped("features.0") {
      $0.convolution("0", scaled(32), kernel: 3, stride: $0.isSmall ? 1 : 2)
      $0.batchNormalization("1")
      $0.activation(.relu)
    }
    let blocks: [(channels: Int, stride: Int)] = [
      (64, 1), (128, network.isSmall ? 1 : 2), (128, 1), (256, 2), (256, 1), (512, 2),
      (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
    ]
    for (index, block) in blocks.enumerated() {
      network.scoped("features.\(index + 1)") {
        $0.depthwise("0", kernel: 3, stride: block.stride)
        $0.batchNormalization("1")
        $0.activation(.relu)
        $0.convolution("3", scaled(block.channels), kernel: 1)
        $0.batchNormalization("4")
        $0.activation(.relu)
      }
    }
    network.globalAverage()
    network.linearWeights = .normal(deviation: 0.01)
    network.linear("classifier", network.classCount)
  }
}
