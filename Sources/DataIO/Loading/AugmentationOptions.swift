// SPDX-License-Identifier: Apache-2.0

/// Random changes of training images that keep their meaning.
///
/// They are made in the order in which they stand here. In a recipe the names have underscores,
/// parts that are absent do nothing, and unknown ones are errors:
///
/// ```yaml
/// augmentation:
///   random_resized_crop: {scale: [0.08, 1], ratio: [0.75, 1.3333]}
///   pad_crop: 4
///   horizontal_flip: true
///   color_jitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4}
///   cutout: 16
///   random_erasing: {probability: 0.25, area: [0.02, 0.3333], ratio: [0.3, 3.3]}
///   mixup: 0.2
/// ```
public struct AugmentationOptions: Codable, Equatable, Sendable {
  /// A part of the image, resized to the network's input.
  ///
  /// Source: Szegedy et al., "Going Deeper with Convolutions", 2015, section 6, as torchvision's
  /// `RandomResizedCrop` does it: ten attempts, then the largest part from the middle.
  public struct ResizedCrop: Codable, Equatable, Sendable {
    /// Least and greatest share of the image's area.
    public var scale: [Double]

    /// Least and greatest width over height, drawn evenly on a logarithmic scale.
    public var ratio: [Double]

    public init(scale: [Double] = [0.08, 1], ratio: [Double] = [3.0 / 4, 4.0 / 3]) {
      self.scale = scale
      self.ratio = ratio
    }
  }

  /// Other brightness, contrast and saturation, in this order, of images of bytes.
  ///
  /// Each part is the greatest distance of its factor from 1.
  ///
  /// Source: Howard, "Some Improvements on Deep Convolutional Neural Network Based Image
  /// Classification", 2013; factors as torchvision's `ColorJitter` has them.
  public struct ColorJitter: Codable, Equatable, Sendable {
    public var brightness: Double
    public var contrast: Double
    public var saturation: Double

    public init(brightness: Double = 0, contrast: Double = 0, saturation: Double = 0) {
      self.brightness = brightness
      self.contrast = contrast
      self.saturation = saturation
    }
  }

  /// A rectangle that is set to the mean.
  ///
  /// Source: Zhong et al., "Random Erasing Data Augmentation", 2020, algorithm 1; the rectangle
  /// is filled with 0 after normalisation instead of noise.
  public struct Erasing: Codable, Equatable, Sendable {
    /// Share of the images that it happens to.
    public var probability: Double

    /// Least and greatest share of the image's area.
    public var area: [Double]

    /// Least and greatest height over width.
    public var ratio: [Double]

    public init(
      probability: Double = 0.5, area: [Double] = [0.02, 0.4], ratio: [Double] = [0.3, 10.0 / 3]
    ) {
      self.probability = probability
      self.area = area
      self.ratio = ratio
    }
  }

  public var randomResizedCrop: ResizedCrop?

  /// Pixels of black around the image, from which a part of the image's size is cut.
  public var padCrop: Int

  /// Whether every other image, by chance, is mirrored.
  public var horizontalFlip: Bool
  public var colorJitter: ColorJitter?

  /// Side in pixels of a square around a random pixel that is set to the mean; 0 for none.
  ///
  /// Source: DeVries, Taylor, "Improved Regularization of Convolutional Neural Networks with
  /// Cutout", 2017: the square may reach beyond the image.
  public var cutout: Int
  public var randomErasing: Erasing?

  /// Both parameters of the beta distribution that images are mixed by; 0 for no mixing.
  ///
  /// Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, equation 2. Each
  /// image has a share of its own, and is mixed with the one behind it in the batch.
  public var mixup: Double

  /// No augmentation.
  public init() {
    padCrop = 0
    horizontalFlip = false
    cutout = 0
    mixup = 0
  }

  /// A part of the image padded by 4 pixels, mirrored by chance.
  ///
  /// Source: He et al., "Deep Residual Learning for Image Recognition", 2016, section 4.2.
  public static var cifar: AugmentationOptions {
    var options = AugmentationOptions()
    options.padCrop = 4
    options.horizontalFlip = true
    return options
  }

  /// Whether nothing is changed.
  public var isNone: Bool { self == AugmentationOptions() }
}

extension AugmentationOptions {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case randomResizedCrop = "random_resized_crop"
    case padCrop = "pad_crop"
    case horizontalFlip = "horizontal_flip"
    case colorJitter = "color_jitter"
    case cutout
    case randomErasing = "random_erasing"
    case mixup
  }

  public init(from decoder: any Decoder) throws {
    try KnownKeys.check(decoder, CodingKeys.allCases.map(\.rawValue))
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    randomResizedCrop = try container.decodeIfPresent(ResizedCrop.self, forKey: .randomResizedCrop)
    padCrop = try container.decodeIfPresent(Int.self, forKey: .padCrop) ?? 0
    horizontalFlip = try container.decodeIfPresent(Bool.self, forKey: .horizontalFlip) ?? false
    colorJitter = try container.decodeIfPresent(ColorJitter.self, forKey: .colorJitter)
    cutout = try container.decodeIfPresent(Int.self, forKey: .cutout) ?? 0
    randomErasing = try container.decodeIfPresent(Erasing.self, forKey: .randomErasing)
    mixup = try container.decodeIfPresent(Double.self, forKey: .mixup) ?? 0
  }

  /// Checks that every part can be used.
  ///
  /// - Throws: `DataError.invalidOption` naming the part.
  public func validate() throws(DataError) {
    func refuse(_ option: String, _ value: String, _ accepted: String) -> DataError {
      .invalidOption(option: option, value: value, accepted: accepted)
    }
    func check(
      _ option: String, _ range: [Double], within limits: ClosedRange<Double>
    ) throws(DataError) {
      guard range.count == 2, range[0] <= range[1], limits.contains(range[0]),
        limits.contains(range[1])
      else {
        let (lower, upper) = (limits.lowerBound, limits.upperBound)
        throw refuse(
          option, "[" + range.map { Preprocessing.text($0) }.joined(separator: ", ") + "]",
          "least and greatest, within \(Preprocessing.text(lower))…\(Preprocessing.text(upper))")
      }
    }
    guard (0...1024).contains(padCrop) else {
      throw refuse("pad_crop", "\(padCrop)", "0…1024 pixels")
    }
    guard (0...4096).contains(cutout) else {
      throw refuse("cutout", "\(cutout)", "0…4096 pixels")
    }
    guard mixup >= 0, mixup <= 100 else {
      throw refuse("mixup", Preprocessing.text(mixup), "0…100")
    }
    if let crop = randomResizedCrop {
      try check("random_resized_crop scale", crop.scale, within: 0.001...1)
      try check("random_resized_crop ratio", crop.ratio, within: 0.01...100)
    }
    if let jitter = colorJitter {
      for (name, value) in [
        ("brightness", jitter.brightness), ("contrast", jitter.contrast),
        ("saturation", jitter.saturation),
      ] where !(value >= 0 && value <= 1) {
        throw refuse("color_jitter \(name)", Preprocessing.text(value), "0…1")
      }
    }
    if let erasing = randomErasing {
      guard erasing.probability >= 0, erasing.probability <= 1 else {
        throw refuse(
          "random_erasing probability", Preprocessing.text(erasing.probability), "0…1")
      }
      try check("random_erasing area", erasing.area, within: 0.001...1)
      try check("random_erasing ratio", erasing.ratio, within: 0.01...100)
    }
  }
}

extension AugmentationOptions.ResizedCrop {
  private enum CodingKeys: String, CodingKey, CaseIterable { case scale, ratio }

  public init(from decoder: any Decoder) throws {
    try KnownKeys.check(decoder, CodingKeys.allCases.map(\.rawValue))
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    scale = try container.decodeIfPresent([Double].self, forKey: .scale) ?? scale
    ratio = try container.decodeIfPresent([Double].self, forKey: .ratio) ?? ratio
  }
}

extension AugmentationOptions.ColorJitter {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case brightness, contrast, saturation
  }

  public init(from decoder: any Decoder) throws {
    try KnownKeys.check(decoder, CodingKeys.allCases.map(\.rawValue))
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      brightness: try container.decodeIfPresent(Double.self, forKey: .brightness) ?? 0,
      contrast: try container.decodeIfPresent(Double.self, forKey: .contrast) ?? 0,
      saturation: try container.decodeIfPresent(Double.self, forKey: .saturation) ?? 0)
  }
}

extension AugmentationOptions.Erasing {
  private enum CodingKeys: String, CodingKey, CaseIterable { case probability, area, ratio }

  public init(from decoder: any Decoder) throws {
    try KnownKeys.check(decoder, CodingKeys.allCases.map(\.rawValue))
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    probability =
      try container.decodeIfPresent(Double.self, forKey: .probability) ?? probability
    area = try container.decodeIfPresent([Double].self, forKey: .area) ?? area
    ratio = try container.decodeIfPresent([Double].self, forKey: .ratio) ?? ratio
  }
}

/// A check that a mapping has no keys beyond those that are read.
package enum KnownKeys {
  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// - Throws: `DecodingError.dataCorrupted` naming the first unknown key and all known ones.
  package static func check(_ decoder: any Decoder, _ known: [String]) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    for key in container.allKeys where !known.contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: container.codingPath,
          debugDescription: "unknown key \"\(key.stringValue)\" (accepted: "
            + known.joined(separator: ", ") + ")"))
    }
  }
}
