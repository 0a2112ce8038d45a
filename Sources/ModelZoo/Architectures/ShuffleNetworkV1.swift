// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// ShuffleNet: grouped 1×1 convolutions with a channel shuffle between them.
///
/// Source: Zhang, Zhou, Lin, Sun, "ShuffleNet: An Extremely Efficient Convolutional Neural Network
/// for Mobile Devices", 2017, Table 1. The classifier has a bias. The form for small pictures has a
/// stem of stride 1 and no pooling behind it.
struct ShuffleNetworkV1: Sendable {
  let groups: Int
  /// Channels of the three stages.
  let widths: [Int]

  static let paper = Paper(
    authors: "Zhang et al.",
    title: "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    year: 2017)

  static let architectures: [Architecture] = [
    (1, [144, 288, 576]), (2, [200, 400, 800]), (3, [240, 480, 960]), (4, [272, 544, 1088]),
    (8, [384, 768, 1536]),
  ].map { (groups: Int, widths: [Int]) in
    Architecture(
      "shufflenet_v1_g\(groups)", paper,
      "1×1 convolutions in \(groups == 1 ? "one group" : "\(groups) groups") and channel shuffle",
      inputs: [.imageNet, .cifar, .mnist], width: 1
    ) { ShuffleNetworkV1(groups: groups, widths: widths).layers(&$0) }
  }

  func layers(_ network: inout NetworkBuilder) {
    // Both 1×1 convolutions of a unit divide their channels among the groups.
    let step = 4 * groups
    let factor = network.width
    func scaled(_ channels: Int) -> Int {
      max(2 * step, Int((Double(channels) * factor / Double(step)).rounded()) * step)
    }
    network.scoped("first_conv") {
      let stem = max(1, Int((24 * factor / Double(groups)).rounded())) * groups
      $0.convolution("0", stem, kernel: 3, stride: $0.isSmall ? 1 : 2)
      $0.batchNormalization("1")
      $0.activation(.relu)
    }
    if !network.isSmall { network.maximumPool("maxpool", kernel: 3, stride: 2, padding: 1) }
    var index = 0
    for (width, count) in zip(widths, [4, 8, 4]) {
      for repetition in 0..<count {
        network.scoped("features.\(index)") {
          unit(&$0, scaled(width), reduces: repetition == 0, isFirst: index == 0)
        }
        index += 1
      }
    }
    network.globalAverage()
    network.linearWeights = .normal(deviation: 0.01)
    network.linear("classifier.0", network.classCount)
  }

  private func unit(
    _ network: inout NetworkBuilder, _ width: Int, reduces: Bool, isFirst: Bool
  ) {
    let input = network.value
    let outputs = reduces ? width - network.channels : width
    network.scoped("branch_main_1") {
      $0.convolution("0", width / 4, kernel: 1, groups: isFirst ? 1 : groups)
      $0.batchNormalization("1")
      $0.activation(.relu)
      if groups > 1 { $0.shuffleChannels(groups: groups) }
      $0.depthwise("3", kernel: 3, stride: reduces ? 2 : 1)
      $0.batchNormalization("4")
    }
    network.scoped("branch_main_2") {
      $0.convolution("0", outputs, kernel: 1, groups: groups)
      $0.batchNormalization("1")
      if reduces { $0.activation(.relu) }
    }
    if reduces {
      let main = network.value
      network.value = input
      network.averagePool("branch_proj", kernel: 3, stride: 2, padding: 1)
      network.concatenate([main])
    } else {
      network.add(input)
      network.activation(.relu)
    }
  }
}
