// SPDX-License-Identifier: Apache-2.0

/// Numbers of channels that suit the hardware.
enum ChannelRounding {
  /// The multiple of 8 nearest to a number of channels, halves up, at least 8 and never less than
  /// nine tenths of it.
  ///
  /// Source: Sandler et al., "MobileNetV2", 2018, in the authors' code.
  static func multipleOfEight(_ channels: Double) -> Int {
    let nearest = max(8, Int(channels + 4) / 8 * 8)
    return Double(nearest) < 0.9 * channels ? nearest + 8 : nearest
  }
}
