// SPDX-License-Identifier: Apache-2.0

/// Wide ResNet: pre-activation blocks, the widths of a CIFAR ResNet times a factor.
///
/// Source: Zagoruyko, Komodakis, "Wide Residual Networks", 2016, Table 1. The width multiplier is
/// the paper's `k`.
struct WideResidualNetwork: Sendable {
  let depth: Int

  static let paper = Paper(
    authors: "Zagoruyko, Komodakis", title: "Wide Residual Networks", year: 2016)

  static let architectures: [Architecture] = [(16, 1), (16, 2), (40, 1), (40, 2), (28, 2)].map {
    (depth: Int, widening: Int) in
    Architecture(
      "wrn_\(depth)_\(widening)", paper,
      "pre-activation residual blocks, \(depth) layers, \(widening) times as wide as ResNet",
      inputs: [.cifar, .mnist], width: Double(widening)
    ) { WideResidualNetwork(depth: depth).layers(&$0) }
  }

  func layers(_ network: inout NetworkBuilder) {
    network.convolution("conv1", 16, kernel: 3)
    for (stage, width) in [16, 32, 64].enumerated() {
      for index in 0..<(depth - 4) / 6 {
        let outputs = max(1, Int((Double(width) * network.width).rounded()))
        network.scoped("block\(stage + 1).layer.\(index)") {
          Self.unit(&$0, outputs: outputs, stride: stage > 0 && index == 0 ? 2 : 1)
        }
      }
    }
    network.batchNormalization("bn1")
    network.activation(.relu)
    network.globalAverage()
    network.linear("fc", network.classCount)
  }

  private static func unit(_ network: inout NetworkBuilder, outputs: Int, stride: Int) {
    var shortcut = network.value
    let changes = stride > 1 || network.channels != outputs
    network.batchNormalization("bn1")
    network.activation(.relu)
    let activated = network.value
    network.convolution("conv1", outputs, kernel: 3, stride: stride)
    network.batchNormalization("bn2")
    network.activation(.relu)
    network.convolution("conv2", outputs, kernel: 3)
    let residual = network.value
    if changes {
      network.value = activated
      network.convolution("convShortcut", outputs, kernel: 1, stride: stride)
      shortcut = network.value
    }
    network.value = residual
    network.add(shortcut)
  }
}
