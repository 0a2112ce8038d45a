// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// MobileNetV3: searched inverted residuals with squeeze-and-excitation and hard swish.
///
/// Source: Howard et al., "Searching for MobileNetV3", 2019, Tables 1 and 2; squeeze-and-excitation
/// behind the activation, as in torchvision. The form for small pictures has stride 1 in the stem
/// and in the first block with stride 2.
struct MobileNetworkV3: Sendable {
  struct Block: Sendable {
    let kernel: Int
    let expanded: Int
    let outputs: Int
    let isGated: Bool
    let activation: Activation
    let stride: Int

    init(
      _ kernel: Int, _ expanded: Int, _ outputs: Int, _ isGated: Bool, _ activation: Activation,
      _ stride: Int
    ) {
      self.kernel = kernel
      self.expanded = expanded
      self.outputs = outputs
      self.isGated = isGated
      self.activation = activation
      self.stride = stride
    }
  }

  let blocks: [Block]
  let headWidth: Int

  static let paper = Paper(
    authors: "Howard et al.", title: "Searching for MobileNetV3", year: 2019)

  static let architectures: [Architecture] = [
    ("mobilenet_v3_small", MobileNetworkV3(blocks: small, headWidth: 1024)),
    ("mobilenet_v3_large", MobileNetworkV3(blocks: large, headWidth: 1280)),
  ].map { (name: String, form: MobileNetworkV3) in
    Architecture(
      name, paper, "searched inverted residuals, squeeze-and-excitation, hard swish",
      inputs: [.imageNet, .cifar, .mnist], width: 1
    ) { form.layers(&$0) }
  }

  private static let large: [Block] = [
    Block(3, 16, 16, false, .relu, 1),
    Block(3, 64, 24, false, .relu, 2),
    Block(3, 72, 24, false, .relu, 1),
    Block(5, 72, 40, true, .relu, 2),
    Block(5, 120, 40, true, .relu, 1),
    Block(5, 120, 40, true, .relu, 1),
    Block(3, 240, 80, false, .hardSwish, 2),
    Block(3, 200, 80, false, .hardSwish, 1),
    Block(3, 184, 80, false, .hardSwish, 1),
    Block(3, 184, 80, false, .hardSwish, 1),
    Block(3, 480, 112, true, .hardSwish, 1),
    Block(3, 672, 112, true, .hardSwish, 1),
    Block(5, 672, 160, true, .hardSwish, 2),
    Block(5, 960, 160, true, .hardSwish, 1),
    Block(5, 960, 160, true, .hardSwish, 1),
  ]

  private static let small: [Block] = [
    Block(3, 16, 16, true, .relu, 2),
    Block(3, 72, 24, false, .relu, 2),
    Block(3, 88, 24, false, .relu, 1),
    Block(5, 96, 40, true, .hardSwish, 2),
    Block(5, 240, 40, true, .hardSwish, 1),
    Block(5, 240, 40, true, .hardSwish, 1),
    Block(5, 120, 48, true, .hardSwish, 1),
    Block(5, 144, 48, true, .hardSwish, 1),
    Block(5, 288, 96, true, .hardSwish, 2),
    Block(5, 576, 96, true, .hardSwish, 1),
    Block(5, 576, 96, true, .hardSwish, 1),
  ]

  func layers(_ network: inout NetworkBuilder) {
    let factor = network.width
    func scaled(_ channels: Int) -> Int {
      ChannelRounding.multipleOfEight(Double(channels) * factor)
    }
    network.epsilon = 1e-3
    network.momentum = 0.99
    network.scoped("features.0") {
      $0.convolution("0", scaled(16), kernel: 3, stride: $0.isSmall ? 1 : 2)
      $0.batchNormalization("1")
      $0.activation(.hardSwish)
    }
    var keepsNextStride = network.isSmall
    for (index, block) in blocks.enumerated() {
      let isKept = keepsNextStride && block.stride > 1
      if isKept { keepsNextStride = false }
      network.scoped("features.\(index + 1)") {
        Self.unit(
          &$0, block, expanded: scaled(block.expanded), outputs: scaled(block.outputs),
          stride: isKept ? 1 : block.stride)
      }
    }
    network.scoped("features.\(blocks.count + 1)") {
      $0.convolution("0", 6 * $0.channels, kernel: 1)
      $0.batchNormalization("1")
      $0.activation(.hardSwish)
    }
    network.globalAverage()
    network.linearWeights = .normal(deviation: 0.01)
    network.scoped("classifier") {
      $0.linear("0", scaled(headWidth))
      $0.activation(.hardSwish)
      $0.dropout("2", ratio: 0.2)
      $0.linear("3", $0.classCount)
    }
  }

  private static func unit(
    _ network: inout NetworkBuilder, _ block: Block, expanded: Int, outputs: Int, stride: Int
  ) {
    let input = network.value
    let isResidual = stride == 1 && network.channels == outputs
    network.scoped("block") { network in
      var index = 0
      if expanded != network.channels {
        network.convolution("0.0", expanded, kernel: 1)
        network.batchNormalization("0.1")
        network.activation(block.activation)
        index += 1
      }
      network.depthwise("\(index).0", kernel: block.kernel, stride: stride)
      network.batchNormalization("\(index).1")
      network.activation(block.activation)
      index += 1
      if block.isGated {
        network.scoped("\(index)") {
          $0.squeezeExcitation(
            ChannelRounding.multipleOfEight(Double(expanded) / 4), gate: .hardSigmoid)
        }
        index += 1
      }
      network.convolution("\(index).0", outputs, kernel: 1)
      network.batchNormalization("\(index).1")
    }
    if isResidual { network.add(input) }
  }
}
