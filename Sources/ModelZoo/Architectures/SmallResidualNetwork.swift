// SPDX-License-Identifier: Apache-2.0

/// ResNet for CIFAR, of 6n + 2 layers.
///
/// Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, Section 4.2.
struct SmallResidualNetwork: Sendable {
  /// How a shortcut changes the shape: without parameters, or by a convolution with batch norm.
  enum Shortcut: Sendable { case padding, convolution }

  let depth: Int
  let shortcut: Shortcut

  static let architectures: [Architecture] = [Shortcut.padding, .convolution].flatMap { shortcut in
    [8, 20, 32, 44, 56, 110].map { depth in
      let network = SmallResidualNetwork(depth: depth, shortcut: shortcut)
      let isPadding = shortcut == .padding
      return Architecture(
        isPadding ? "resnet\(depth)" : "resnet\(depth)_b", ResidualNetwork.paper,
        "the paper's form for CIFAR, shortcuts \(isPadding ? "A (padding)" : "B (convolution)")",
        inputs: [.cifar, .mnist]
      ) { network.layers(&$0) }
    }
  }

  func layers(_ network: inout NetworkBuilder) {
    network.linearWeights = .heNormalIncoming
    network.convolution("conv1", 16, kernel: 3)
    network.batchNormalization("bn1")
    network.activation(.relu)
    for (stage, width) in [16, 32, 64].enumerated() {
      for index in 0..<(depth - 2) / 6 {
        network.scoped("layer\(stage + 1).\(index)") {
          unit(&$0, width: width, stride: stage > 0 && index == 0 ? 2 : 1)
        }
      }
    }
    network.globalAverage()
    network.linear("fc", network.classCount)
  }

  private func unit(_ network: inout NetworkBuilder, width: Int, stride: Int) {
    let input = network.value
    let changes = stride > 1 || network.channels != width
    network.convolution("conv1", width, kernel: 3, stride: stride)
    network.batchNormalization("bn1")
    network.activation(.relu)
    network.convolution("conv2", width, kernel: 3)
    network.batchNormalization("bn2")
    let residual = network.value
    network.value = input
    if changes {
      switch shortcut {
      case .padding: network.paddedShortcut(width, stride: stride)
      case .convolution:
        network.convolution("downsample.0", width, kernel: 1, stride: stride)
        network.batchNormalization("downsample.1")
      }
    }
    let other = network.value
    network.value = residual
    network.add(other)
    network.activation(.relu)
  }
}
