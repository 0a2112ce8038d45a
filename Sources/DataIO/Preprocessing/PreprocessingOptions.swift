// SPDX-License-Identifier: Apache-2.0

/// What a user asked for: a preset or file, and parts that override it.
public struct PreprocessingOptions: Sendable, Codable, Equatable {
  /// The value of `--preprocess`: a preset's name or the path of a YAML file.
  public var preprocess: String?
  public var scale: Double?
  public var mean: [Double]?
  public var std: [Double]?
  public var resize: Int?
  public var crop: Int?
  public var channelOrder: ChannelOrder?

  public init(
    preprocess: String? = nil, scale: Double? = nil, mean: [Double]? = nil, std: [Double]? = nil,
    resize: Int? = nil, crop: Int? = nil, channelOrder: ChannelOrder? = nil
  ) {
    self.preprocess = preprocess
    self.scale = scale
    self.mean = mean
    self.std = std
    self.resize = resize
    self.crop = crop
    self.channelOrder = channelOrder
  }

  /// Whether nothing was asked for.
  public var isEmpty: Bool { self == PreprocessingOptions() }

  /// The options given, as on the command line: "--mean --std".
  public var names: String {
    let parts: [(String, Bool)] = [
      ("--preprocess \(preprocess ?? "")", preprocess != nil), ("--scale", scale != nil),
      ("--mean", mean != nil), ("--std", std != nil), ("--resize", resize != nil),
      ("--crop", crop != nil), ("--channel-order", channelOrder != nil),
    ]
    return parts.filter(\.1).map(\.0).joined(separator: " ")
  }

  /// `base` with the parts that are given in place of its own.
  ///
  /// A crop without a resize keeps the base's resize.
  public func applied(to base: Preprocessing) -> Preprocessing {
    Preprocessing(
      scale: scale ?? base.scale, mean: mean ?? base.mean, std: std ?? base.std,
      resize: resize ?? base.resize, crop: crop ?? base.crop,
      channelOrder: channelOrder ?? base.channelOrder)
  }

  /// The numbers of a list such as "0.485,0.456,0.406".
  ///
  /// - Throws: `DataError.invalidOption` naming `option`.
  public static func numbers(_ text: String, option: String) throws(DataError) -> [Double] {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.compactMap { word in
      Double(String(word.filter { $0 != " " })).flatMap { $0.isFinite ? $0 : nil }
    }
    guard numbers.count == words.count, !numbers.isEmpty else {
      throw .invalidOption(
        option: option, value: text, accepted: "numbers with commas between, such as 0.5,0.5,0.5")
    }
    return numbers
  }
}
