// SPDX-License-Identifier: Apache-2.0

/// ResNet for ImageNet.
///
/// Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, Table 1, with
/// shortcuts of option B. Bottlenecks reduce the resolution in their 3×3 convolution, as torchvision
/// does; the `_original` ones in the first 1×1, as in the paper.
struct ResidualNetwork: Sendable {
  enum Block: Sendable { case basic, bottleneck }

  let block: Block
  /// Blocks of each stage.
  let counts: [Int]
  var stridesFirst = false

  static let paper = Paper(
    authors: "He et al.", title: "Deep Residual Learning for Image Recognition", year: 2015)

  static let architectures: [Architecture] = [
    ResidualNetwork(block: .basic, counts: [2, 2, 2, 2]).architecture("resnet18"),
    ResidualNetwork(block: .basic, counts: [3, 4, 6, 3]).architecture("resnet34"),
    ResidualNetwork(block: .bottleneck, counts: [3, 4, 6, 3]).architecture("resnet50"),
    ResidualNetwork(block: .bottleneck, counts: [3, 4, 23, 3]).architecture("resnet101"),
    ResidualNetwork(block: .bottleneck, counts: [3, 8, 36, 3]).architecture("resnet152"),
    ResidualNetwork(block: .bottleneck, counts: [3, 4, 6, 3], stridesFirst: true)
      .architecture("resnet50_original"),
    ResidualNetwork(block: .bottleneck, counts: [3, 4, 23, 3], stridesFirst: true)
      .architecture("resnet101_original"),
    ResidualNetwork(block: .bottleneck, counts: [3, 8, 36, 3], stridesFirst: true)
      .architecture("resnet152_original"),
  ]

  private func architecture(_ name: String) -> Architecture {
    let words =
      block == .basic
      ? "residual blocks of two 3×3 convolutions"
      : "bottleneck blocks, stride in the \(stridesFirst ? "first 1×1" : "3×3") convolution"
    return Architecture(name, Self.paper, words) { layers(&$0) }
  }

  func layers(_ network: inout NetworkBuilder) {
    network.convolution(
      "conv1", 64, kernel: network.isSmall ? 3 : 7, stride: network.isSmall ? 1 : 2)
    network.batchNormalization("bn1")
    network.activation(.relu)
    if !network.isSmall { network.maximumPool("maxpool", kernel: 3, stride: 2, padding: 1) }
    for (stage, count) in counts.enumerated() {
      for index in 0..<count {
        network.scoped("layer\(stage + 1).\(index)") {
          unit(&$0, width: 64 << stage, stride: stage > 0 && index == 0 ? 2 : 1)
        }
      }
    }
    network.globalAverage()
    network.linearBiases = .inverseRootUniform
    network.linear("fc", network.classCount)
  }

  private func unit(_ network: inout NetworkBuilder, width: Int, stride: Int) {
    let input = network.value
    let outputs = block == .basic ? width : 4 * width
    let changes = stride > 1 || network.channels != outputs
    switch block {
    case .basic:
      network.convolution("conv1", width, kernel: 3, stride: stride)
      network.batchNormalization("bn1")
      network.activation(.relu)
      network.convolution("conv2", width, kernel: 3)
      network.batchNormalization("bn2")
    case .bottleneck:
      network.convolution("conv1", width, kernel: 1, stride: stridesFirst ? stride : 1)
      network.batchNormalization("bn1")
      network.activation(.relu)
      network.convolution("conv2", width, kernel: 3, stride: stridesFirst ? 1 : stride)
      network.batchNormalization("bn2")
      network.activation(.relu)
      network.convolution("conv3", outputs, kernel: 1)
      network.batchNormalization("bn3")
    }
    if changes {
      let residual = network.value
      network.value = input
      network.convolution("downsample.0", outputs, kernel: 1, stride: stride)
      network.batchNormalization("downsample.1")
      network.add(residual)
    } else {
      network.add(input)
    }
    network.activation(.relu)
  }
}
