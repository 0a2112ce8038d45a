// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import DataIO

/// What is done to samples before they enter the network.
package struct PreprocessingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "imagenet, cifar10, mnist, raw, or a YAML file; by default what the model stores.",
      valueName: "preset|file"))
  package var preprocess: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("(x / scale − mean) / std.", valueName: "x"))
  package var scale: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("One number, or one per channel of the network.", valueName: "a,b,c"))
  package var mean: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("One number, or one per channel of the network.", valueName: "a,b,c"))
  package var std: String?

  @Option(help: ArgumentHelp("Short side of image files, in pixels.", valueName: "n"))
  package var resize: Int?

  @Option(help: ArgumentHelp("Side of the square cut from their middle.", valueName: "n"))
  package var crop: Int?

  @Option(help: ArgumentHelp("rgb, bgr or grey.", valueName: "order"))
  package var channelOrder: ChannelOrder?

  package init() {}

  /// The options for `Preprocessing.resolve`.
  package func options() throws(DataError) -> PreprocessingOptions {
    PreprocessingOptions(
      preprocess: preprocess, scale: scale,
      mean: try mean.map { (text) throws(DataError) in
        try PreprocessingOptions.numbers(text, option: "--mean")
      },
      std: try std.map { (text) throws(DataError) in
        try PreprocessingOptions.numbers(text, option: "--std")
      },
      resize: resize, crop: crop, channelOrder: channelOrder)
  }
}
