// SPDX-License-Identifier: Apache-2.0

/// ResNet-20 for CIFAR with additions in place of the products.
///
/// Source: Chen et al., "AdderNet: Do We Really Need Multiplications in Deep Learning?", 2020, Section
/// 4.2, and the authors' code: the first convolution stays, the classifier is a 1×1 convolution with
/// batch norm, shortcuts are adder layers of option B.
enum AdderNetwork {
  static let paper = Paper(
    authors: "Chen et al.",
    title: "AdderNet: Do We Really Need Multiplications in Deep Learning?", year: 2020)

  static let architectures: [Architecture] = [
    Architecture(
      "addernet20", paper, "ResNet-20 whose convolutions are negative L1 distances",
      inputs: [.cifar, .mnist], layers: layers)
  ]

  @Sendable private static func layers(_ network: inout NetworkBuilder) {
    network.convolution("conv1", 16, kernel: 3)
    network.batchNormalization("bn1")
    network.activation(.relu)
    for (stage, width) in [16, 32, 64].enumerated() {
      for index in 0..<3 {
        network.scoped("layer\(stage + 1).\(index)") {
          unit(&$0, width: width, stride: stage > 0 && index == 0 ? 2 : 1)
        }
      }
    }
    network.globalAverage(keepsAxes: true)
    network.convolution("fc", network.classCount, kernel: 1)
    network.batchNormalization("bn2")
    network.flatten()
  }

  private static func unit(_ network: inout NetworkBuilder, width: Int, stride: Int) {
    let input = network.value
    let changes = stride > 1 || network.channels != width
    network.adderConvolution("conv1", width, kernel: 3, stride: stride)
    network.batchNormalization("bn1")
    network.activation(.relu)
    network.adderConvolution("conv2", width, kernel: 3)
    network.batchNormalization("bn2")
    if changes {
      let residual = network.value
      network.value = input
      network.adderConvolution("downsample.0", width, kernel: 1, stride: stride)
      network.batchNormalization("downsample.1")
      network.add(residual)
    } else {
      network.add(input)
    }
    network.activation(.relu)
  }
}
