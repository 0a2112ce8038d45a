// SPDX-License-Identifier: Apache-2.0

/// SqueezeNet: fire modules, which squeeze the channels by a 1×1 convolution and expand them again.
///
/// Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB
/// model size", 2016, Table 1; version 1.1 is the authors' own. The form for small pictures has a
/// 3×3 stem of stride 1 and no pooling behind it.
struct SqueezeNetwork: Sendable {
  private enum Layer: Sendable {
    case pool
    case fire(Int, Int)
  }

  private let stemWidth: Int
  private let stemKernel: Int
  /// From `features.3` on, as torchvision counts them.
  private let body: [Layer]

  static let paper = Paper(
    authors: "Iandola et al.",
    title: "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    year: 2016)

  static let architectures: [Architecture] = [
    SqueezeNetwork(
      stemWidth: 96, stemKernel: 7,
      body: [
        .fire(16, 64), .fire(16, 64), .fire(32, 128), .pool,
        .fire(32, 128), .fire(48, 192), .fire(48, 192), .fire(64, 256), .pool, .fire(64, 256),
      ]
    ).architecture("squeezenet1_0", "fire modules without batch norm"),
    SqueezeNetwork(
      stemWidth: 64, stemKernel: 3,
      body: [
        .fire(16, 64), .fire(16, 64), .pool, .fire(32, 128), .fire(32, 128), .pool,
        .fire(48, 192), .fire(48, 192), .fire(64, 256), .fire(64, 256),
      ]
    ).architecture("squeezenet1_1", "fire modules, pooling earlier than in 1.0"),
  ]

  private func architecture(_ name: String, _ summary: String) -> Architecture {
    Architecture(name, Self.paper, summary) { layers(&$0) }
  }

  private func layers(_ network: inout NetworkBuilder) {
    network.convolutionWeights = .heUniformIncoming
    network.scoped("features") { network in
      if network.isSmall {
        network.convolution("0", stemWidth, kernel: 3, hasBias: true)
        network.activation(.relu)
      } else {
        network.convolution(
          "0", stemWidth, kernel: stemKernel, stride: 2, padding: 0, hasBias: true)
        network.activation(.relu)
        Self.pool(&network, "2")
      }
      for (index, layer) in body.enumerated() {
        switch layer {
        case .pool: Self.pool(&network, "\(index + 3)")
        case .fire(let squeezed, let expanded):
          network.scoped("\(index + 3)") { Self.fire(&$0, squeezed, expanded) }
        }
      }
    }
    network.dropout("classifier.0", ratio: 0.5)
    network.convolutionWeights = .normal(deviation: 0.01)
    network.convolution("classifier.1", network.classCount, kernel: 1, hasBias: true)
    network.activation(.relu)
    network.globalAverage()
  }

  private static func pool(_ network: inout NetworkBuilder, _ name: String) {
    network.maximumPool(name, kernel: 3, stride: 2, ceilMode: true)
  }

  private static func fire(_ network: inout NetworkBuilder, _ squeezed: Int, _ expanded: Int) {
    network.convolution("squeeze", squeezed, kernel: 1, hasBias: true)
    network.activation(.relu)
    let input = network.value
    network.convolution("expand3x3", expanded, kernel: 3, hasBias: true)
    network.activation(.relu)
    let wide = network.value
    network.value = input
    network.convolution("expand1x1", expanded, kernel: 1, hasBias: true)
    network.activation(.relu)
    network.concatenate([wide])
  }
}
