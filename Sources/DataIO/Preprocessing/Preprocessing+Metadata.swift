// SPDX-License-Identifier: Apache-2.0

extension Preprocessing {
  /// What the keys in a model's metadata start with.
  public static let metadataPrefix = "swiftlet.preprocess."

  /// The parts as entries of a model's metadata.
  ///
  /// Numbers are written so that they read back exactly.
  public var metadata: [String: String] {
    func list(_ values: [Double]) -> String { values.map { Self.text($0) }.joined(separator: ",") }
    var entries = [
      "scale": Self.text(scale), "mean": list(mean), "std": list(std),
      "channel_order": channelOrder.rawValue,
    ]
    entries["resize"] = resize.map(String.init)
    entries["crop"] = crop.map(String.init)
    return Dictionary(
      uniqueKeysWithValues: entries.map { (Self.metadataPrefix + $0.key, $0.value) })
  }

  /// The preprocessing that a model's metadata holds, or `nil` if it holds none.
  ///
  /// Other entries are ignored; parts that are absent are those of `raw`.
  ///
  /// - Throws: `DataError.invalidOption` naming the key whose value cannot be used.
  public init?(metadata: [String: String]) throws(DataError) {
    var parts: [String: String] = [:]
    for (key, value) in metadata where key.hasPrefix(Self.metadataPrefix) {
      parts[String(key.dropFirst(Self.metadataPrefix.count))] = value
    }
    guard !parts.isEmpty else { return nil }
    let options = try PreprocessingOptions(parts, prefix: Self.metadataPrefix)
    self = options.applied(to: .raw)
    try validate(prefix: Self.metadataPrefix)
  }
}

extension PreprocessingOptions {
  /// The names of the parts in metadata and YAML files.
  static let partNames = ["scale", "mean", "std", "resize", "crop", "channel_order"]

  /// The parts by their names in `partNames`; unknown names are ignored.
  init(_ parts: [String: String], prefix: String) throws(DataError) {
    func size(_ name: String) throws(DataError) -> Int? {
      guard let text = parts[name] else { return nil }
      guard let value = Int(text) else {
        throw .invalidOption(option: prefix + name, value: text, accepted: "1…16384 pixels")
      }
      return value
    }
    func numbers(_ name: String) throws(DataError) -> [Double]? {
      guard let text = parts[name] else { return nil }
      return try Self.numbers(text, option: prefix + name)
    }
    var order: ChannelOrder?
    if let text = parts["channel_order"] {
      guard let value = ChannelOrder(rawValue: text.lowercased()) else {
        throw .invalidOption(
          option: prefix + "channel_order", value: text, accepted: "rgb, bgr, grey")
      }
      order = value
    }
    self.init(
      scale: try numbers("scale")?.first, mean: try numbers("mean"), std: try numbers("std"),
      resize: try size("resize"), crop: try size("crop"), channelOrder: order)
  }
}
