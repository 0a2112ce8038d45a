// SPDX-License-Identifier: Apache-2.0

/// The extents of one picture, as in `3x224x224`.
public struct InputShape: Sendable, Hashable, CustomStringConvertible {
  public var channels: Int
  public var height: Int
  public var width: Int

  public init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// Reads `CxHxW`; `nil` for any other text, and for extents outside 1…4096.
  public init?(_ text: String) {
    let extents = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard extents.count == 3, let channels = extents[0], let height = extents[1],
      let width = extents[2], [channels, height, width].allSatisfy((1...4096).contains)
    else { return nil }
    self.init(channels: channels, height: height, width: width)
  }

  public var description: String { "\(channels)x\(height)x\(width)" }

  /// Whether a network with two forms takes the one for small pictures: a side below 96.
  ///
  /// That form keeps the resolution where the other one, made for ImageNet, reduces it at once: its
  /// stem has stride 1 and no pooling behind it.
  public var isSmall: Bool { min(height, width) < 96 }

  /// ImageNet as classifiers take it.
  public static let imageNet = InputShape(channels: 3, height: 224, width: 224)
  /// CIFAR-10 and CIFAR-100.
  public static let cifar = InputShape(channels: 3, height: 32, width: 32)
  /// MNIST and Fashion-MNIST.
  public static let mnist = InputShape(channels: 1, height: 28, width: 28)
}
