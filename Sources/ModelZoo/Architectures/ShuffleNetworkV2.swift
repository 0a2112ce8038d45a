// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// ShuffleNetV2: half of the channels pass a unit unchanged, then both halves are shuffled.
///
/// Source: Ma, Zhang, Zheng, Sun, "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture
/// Design", 2018, Table 5. The form for small pictures has a stem of stride 1 and no pooling behind
/// it.
struct ShuffleNetworkV2: Sendable {
  /// Channels of the three stages.
  let widths: [Int]
  let headWidth: Int

  static let paper = Paper(
    authors: "Ma et al.",
    title: "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", year: 2018)

  static let architectures: [Architecture] = [
    ("0_5", ShuffleNetworkV2(widths: [48, 96, 192], headWidth: 1024)),
    ("1_0", ShuffleNetworkV2(widths: [116, 232, 464], headWidth: 1024)),
    ("1_5", ShuffleNetworkV2(widths: [176, 352, 704], headWidth: 1024)),
    ("2_0", ShuffleNetworkV2(widths: [244, 488, 976], headWidth: 2048)),
  ].map { (size: String, form: ShuffleNetworkV2) in
    Architecture(
      "shufflenet_v2_x\(size)", paper,
      "channel split and shuffle, stages of \(form.widths.map(String.init).joined(separator: ", "))",
      inputs: [.imageNet, .cifar, .mnist]
    ) { form.layers(&$0) }
  }

  func layers(_ network: inout NetworkBuilder) {
    network.scoped("conv1") {
      $0.convolution("0", 24, kernel: 3, stride: $0.isSmall ? 1 : 2)
      $0.batchNormalization("1")
      $0.activation(.relu)
    }
    if !network.isSmall { network.maximumPool("maxpool", kernel: 3, stride: 2, padding: 1) }
    for (stage, (width, count)) in zip(widths, [4, 8, 4]).enumerated() {
      for index in 0..<count {
        network.scoped("stage\(stage + 2).\(index)") {
          Self.unit(&$0, half: width / 2, reduces: index == 0)
        }
      }
    }
    network.scoped("conv5") {
      $0.convolution("0", headWidth, kernel: 1)
      $0.batchNormalization("1")
      $0.activation(.relu)
    }
    network.globalAverage()
    network.linearBiases = .inverseRootUniform
    network.linear("fc", network.classCount)
  }

  private static func unit(_ network: inout NetworkBuilder, half: Int, reduces: Bool) {
    let input = network.value
    let left: ValueID
    if reduces {
      network.scoped("branch1") {
        $0.depthwise("0", kernel: 3, stride: 2)
        $0.batchNormalization("1")
        $0.convolution("2", half, kernel: 1)
        $0.batchNormalization("3")
        $0.activation(.relu)
      }
      left = network.value
      network.value = input
    } else {
      left = network.splitChannels()
    }
    network.scoped("branch2") {
      $0.convolution("0", half, kernel: 1)
      $0.batchNormalization("1")
      $0.activation(.relu)
      $0.depthwise("3", kernel: 3, stride: reduces ? 2 : 1)
      $0.batchNormalization("4")
      $0.convolution("5", half, kernel: 1)
      $0.batchNormalization("6")
      $0.activation(.relu)
    }
    let right = network.value
    network.value = left
    network.concatenate([right])
    network.shuffleChannels(groups: 2)
  }
}
