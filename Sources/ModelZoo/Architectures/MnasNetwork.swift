// SPDX-License-Identifier: Apache-2.0

/// MnasNet: inverted residuals found by a search that measures latency.
///
/// Source: Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", 2019,
/// Figure 7 (A1), and torchvision for B1. The form for small pictures has stride 1 in the stem and
/// in the stage with 24 channels.
struct MnasNetwork: Sendable {
  struct Stage: Sendable {
    let kernel: Int
    let expansion: Int
    let outputs: Int
    let count: Int
    let stride: Int
    let isGated: Bool

    init(
      _ kernel: Int, _ expansion: Int, _ outputs: Int, _ count: Int, _ stride: Int,
      isGated: Bool = false
    ) {
      self.kernel = kernel
      self.expansion = expansion
      self.outputs = outputs
      self.count = count
      self.stride = stride
      self.isGated = isGated
    }
  }

  let stages: [Stage]

  static let paper = Paper(
    authors: "Tan et al.",
    title: "MnasNet: Platform-Aware Neural Architecture Search for Mobile", year: 2019)

  static let architectures: [Architecture] =
    [("mnasnet0_5", 0.5), ("mnasnet0_75", 0.75), ("mnasnet1_0", 1), ("mnasnet1_3", 1.3)].map {
      (name: String, width: Double) in
      let summary = "searched inverted residuals (B1), width \(width)"
      return architecture(name, summary, width, MnasNetwork(stages: b1))
    } + [
      architecture(
        "mnasnet_a1", "searched inverted residuals with squeeze-and-excitation", 1,
        MnasNetwork(stages: a1))
    ]

  private static func architecture(
    _ name: String, _ summary: String, _ width: Double, _ form: MnasNetwork
  ) -> Architecture {
    Architecture(name, paper, summary, inputs: [.imageNet, .cifar, .mnist], width: width) {
      form.layers(&$0)
    }
  }

  private static let b1: [Stage] = [
    Stage(3, 3, 24, 3, 2), Stage(5, 3, 40, 3, 2), Stage(5, 6, 80, 3, 2), Stage(3, 6, 96, 2, 1),
    Stage(5, 6, 192, 4, 2), Stage(3, 6, 320, 1, 1),
  ]

  private static let a1: [Stage] = [
    Stage(3, 6, 24, 2, 2), Stage(5, 3, 40, 3, 2, isGated: true), Stage(3, 6, 80, 4, 2),
    Stage(3, 6, 112, 2, 1, isGated: true), Stage(5, 6, 160, 3, 2, isGated: true),
    Stage(3, 6, 320, 1, 1),
  ]

  func layers(_ network: inout NetworkBuilder) {
    let factor = network.width
    func scaled(_ channels: Int) -> Int {
      ChannelRounding.multipleOfEight(Double(channels) * factor)
    }
    // With the paper's 0.9997 it takes ten thousand steps to forget the initial statistics.
    network.momentum = 0.99
    network.scoped("layers") { network in
      network.convolution("0", scaled(32), kernel: 3, stride: network.isSmall ? 1 : 2)
      network.batchNormalization("1")
      network.activation(.relu)
      network.depthwise("3", kernel: 3)
      network.batchNormalization("4")
      network.activation(.relu)
      network.convolution("6", scaled(16), kernel: 1)
      network.batchNormalization("7")
      for (index, stage) in stages.enumerated() {
        let stride = index == 0 && network.isSmall ? 1 : stage.stride
        for repetition in 0..<stage.count {
          network.scoped("\(index + 8).\(repetition)") {
            Self.unit(
              &$0, stage, outputs: scaled(stage.outputs), stride: repetition == 0 ? stride : 1)
          }
        }
      }
      network.convolution("14", 1280, kernel: 1)
      network.batchNormalization("15")
      network.activation(.relu)
    }
    network.globalAverage()
    network.dropout("classifier.0", ratio: 0.2)
    network.linearWeights = .scaledUniform(gain: 1, .outgoing)
    network.linear("classifier.1", network.classCount)
  }

  private static func unit(
    _ network: inout NetworkBuilder, _ stage: Stage, outputs: Int, stride: Int
  ) {
    let input = network.value
    let inputs = network.channels
    network.scoped("layers") {
      $0.convolution("0", stage.expansion * inputs, kernel: 1)
      $0.batchNormalization("1")
      $0.activation(.relu)
      $0.depthwise("3", kernel: stage.kernel, stride: stride)
      $0.batchNormalization("4")
      $0.activation(.relu)
    }
    if stage.isGated {
      network.scoped("se") { $0.squeezeExcitation(max(1, inputs / 4), gate: .sigmoid) }
    }
    network.scoped("layers") {
      $0.convolution("6", outputs, kernel: 1)
      $0.batchNormalization("7")
    }
    if stride == 1 && inputs == outputs { network.add(input) }
  }
}
