// SPDX-License-Identifier: Apache-2.0

/// The order in which the channels of an image enter the network.
public enum ChannelOrder: String, Sendable, Codable, Equatable, CaseIterable {
  case rgb, bgr
  /// One channel of brightness, for networks that take one.
  case grey
}

/// What is done to a sample before it enters the network.
///
/// In this order: resize of the short side and centre crop (image files only), channel order,
/// then (x / `scale` − `mean`) / `std`. `mean` and `std` stand in the order of the network's own
/// channels; one value stands for all of them.
public struct Preprocessing: Sendable, Codable, Equatable {
  public var scale: Double
  public var mean: [Double]
  public var std: [Double]

  /// Length of the short side after resizing, in pixels; `nil` keeps the size.
  public var resize: Int?

  /// Side of the square cut from the middle, in pixels; `nil` keeps the image whole.
  public var crop: Int?
  public var channelOrder: ChannelOrder

  public init(
    scale: Double = 1, mean: [Double] = [0], std: [Double] = [1], resize: Int? = nil,
    crop: Int? = nil, channelOrder: ChannelOrder = .rgb
  ) {
    self.scale = scale
    self.mean = mean
    self.std = std
    self.resize = resize
    self.crop = crop
    self.channelOrder = channelOrder
  }

  /// Scale 255, the ImageNet mean and deviation, short side 256, crop 224.
  public static let imagenet = Preprocessing(
    scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], resize: 256, crop: 224)

  /// Scale 255 and the mean and deviation of CIFAR-10.
  public static let cifar10 = Preprocessing(
    scale: 255, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.2010])

  /// Scale 255 and the mean and deviation of MNIST.
  public static let mnist = Preprocessing(scale: 255, mean: [0.1307], std: [0.3081])

  /// The values as they are stored.
  public static let raw = Preprocessing()

  /// The presets by the names that `--preprocess` takes.
  public static let presets: [(name: String, value: Preprocessing)] = [
    ("imagenet", imagenet), ("cifar10", cifar10), ("mnist", mnist), ("raw", raw),
  ]

  /// The preset of that name, or `nil`.
  public static func preset(_ name: String) -> Preprocessing? {
    presets.first { $0.name == name }?.value
  }

  /// Whether the values enter the network as they are.
  public var keepsValues: Bool {
    scale == 1 && mean.allSatisfy { $0 == 0 } && std.allSatisfy { $0 == 1 }
  }

  /// Checks that every part can be used.
  ///
  /// - Throws: `DataError.invalidOption` naming the part, with `prefix` before its name.
  public func validate(prefix: String = "--") throws(DataError) {
    func list(_ values: [Double]) -> String { values.map { Self.text($0) }.joined(separator: ",") }
    guard scale.isFinite, scale != 0 else {
      throw .invalidOption(
        option: prefix + "scale", value: Self.text(scale), accepted: "a number other than 0")
    }
    guard !mean.isEmpty, mean.allSatisfy(\.isFinite) else {
      throw .invalidOption(
        option: prefix + "mean", value: list(mean), accepted: "one number, or one per channel")
    }
    guard !std.isEmpty, std.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw .invalidOption(
        option: prefix + "std", value: list(std),
        accepted: "one number above 0, or one per channel")
    }
    for (name, size) in [("resize", resize), ("crop", crop)] {
      if let size, !(1...16384).contains(size) {
        throw .invalidOption(option: prefix + name, value: "\(size)", accepted: "1…16384 pixels")
      }
    }
  }

  /// The number in the fewest digits that read back as the same, without a needless ".0".
  static func text(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

extension Preprocessing: CustomStringConvertible {
  /// The arithmetic and the steps before it, as they are printed:
  /// "(x/255 − 0.485 0.456 0.406) / 0.229 0.224 0.225".
  ///
  /// Steps on image files come first: "resize 256, crop 224, (x/255 …".
  public var description: String { description(of: nil) }

  /// As `description`, without the resize and crop that do not act on data of `kind`.
  public func description(of kind: DatasetKind?) -> String {
    var steps: [String] = []
    if kind == nil || kind == .images {
      if let resize { steps.append("resize \(resize)") }
      if let crop { steps.append("crop \(crop)") }
    }
    if channelOrder != .rgb { steps.append(channelOrder == .bgr ? "BGR" : "grey") }
    steps.append(arithmetic)
    return steps.joined(separator: ", ")
  }

  private var arithmetic: String {
    func words(_ values: [Double]) -> String {
      let isUniform = values.allSatisfy { $0 == values[0] }
      return (isUniform ? Array(values.prefix(1)) : values).map { Self.text($0) }
        .joined(separator: " ")
    }
    let x = scale == 1 ? "x" : "x/\(Self.text(scale))"
    let hasMean = mean.contains { $0 != 0 }
    let hasDeviation = std.contains { $0 != 1 }
    switch (hasMean, hasDeviation) {
    case (false, false): return scale == 1 ? "x as it is" : x
    case (true, false): return "\(x) − \(words(mean))"
    case (false, true): return "(\(x)) / \(words(std))"
    case (true, true): return "(\(x) − \(words(mean))) / \(words(std))"
    }
  }
}
