// SPDX-License-Identifier: Apache-2.0

/// MobileNetV2: inverted residuals with linear bottlenecks.
///
/// Source: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear
/// Bottlenecks", 2018, Table 2. The form for small pictures has stride 1 in the stem and in the
/// stage with 24 channels.
enum MobileNetworkV2 {
  static let paper = Paper(
    authors: "Sandler et al.",
    title: "MobileNetV2: Inverted Residuals and Linear Bottlenecks", year: 2018)

  static let architectures: [Architecture] = [
    ("mobilenet_v2", 1), ("mobilenet_v2_1_4", 1.4),
  ].map { (name: String, width: Double) in
    Architecture(
      name, paper, "inverted residuals with linear bottlenecks, width \(width)",
      inputs: [.imageNet, .cifar, .mnist], width: width, layers: layers)
  }

  @Sendable private static func layers(_ network: inout NetworkBuilder) {
    let factor = network.width
    func scaled(_ channels: Int) -> Int {
      ChannelRounding.multipleOfEight(Double(channels) * factor)
    }
    network.scoped("features.0") {
      $0.convolution("0", scaled(32), kernel: 3, stride: $0.isSmall ? 1 : 2)
      $0.batchNormalization("1")
      $0.activation(.relu6)
    }
    // Expansion t, channels c, repeats n, stride s.
    let stages: [(t: Int, c: Int, n: Int, s: Int)] = [
      (1, 16, 1, 1), (6, 24, 2, network.isSmall ? 1 : 2), (6, 32, 3, 2), (6, 64, 4, 2),
      (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]
    var index = 1
    for stage in stages {
      for repetition in 0..<stage.n {
        network.scoped("features.\(index)") {
          invertedResidual(
            &$0, expansion: stage.t, outputs: scaled(stage.c),
            stride: repetition == 0 ? stage.s : 1)
        }
        index += 1
      }
    }
    network.scoped("features.\(index)") {
      $0.convolution(
        "0", ChannelRounding.multipleOfEight(1280 * max(1, factor)), kernel: 1)
      $0.batchNormalization("1")
      $0.activation(.relu6)
    }
    network.globalAverage()
    network.dropout("classifier.0", ratio: 0.2)
    network.linearWeights = .normal(deviation: 0.01)
    network.linear("classifier.1", network.classCount)
  }

  private static func invertedResidual(
    _ network: inout NetworkBuilder, expansion: Int, outputs: Int, stride: Int
  ) {
    let input = network.value
    let isResidual = stride == 1 && network.channels == outputs
    network.scoped("conv") { network in
      var index = 0
      if expansion > 1 {
        network.convolution("0.0", expansion * network.channels, kernel: 1)
        network.batchNormalization("0.1")
        network.activation(.relu6)
        index = 1
      }
      network.depthwise("\(index).0", kernel: 3, stride: stride)
      network.batchNormalization("\(index).1")
      network.activation(.relu6)
      network.convolution("\(index + 1)", outputs, kernel: 1)
      network.batchNormalization("\(index + 2)")
    }
    if isResidual { network.add(input) }
  }
}
