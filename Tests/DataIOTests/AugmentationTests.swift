// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Testing

@Suite("Augmentation in recipes")
struct AugmentationTests {
  private func decoded(_ text: String) throws -> AugmentationOptions {
    try JSONDecoder().decode(AugmentationOptions.self, from: Data(text.utf8))
  }

  @Test("Absent parts do nothing, and what is written reads back")
  func roundTrip() throws {
    #expect(try decoded("{}").isNone)
    let options = try decoded(
      """
      {"pad_crop": 4, "horizontal_flip": true, "cutout": 16, "mixup": 0.2,
       "random_resized_crop": {"scale": [0.2, 1]}, "color_jitter": {"contrast": 0.4},
       "random_erasing": {}}
      """)
    #expect(options.padCrop == 4 && options.horizontalFlip && options.cutout == 16)
    #expect(options.randomResizedCrop == .init(scale: [0.2, 1]))
    #expect(options.colorJitter == .init(contrast: 0.4))
    #expect(options.randomErasing == .init())
    let again = try JSONDecoder().decode(
      AugmentationOptions.self, from: JSONEncoder().encode(options))
    #expect(again == options)
  }

  @Test(
    "Unknown names are refused",
    arguments: [
      #"{"padcrop": 4}"#, #"{"color_jitter": {"hue": 1}}"#, #"{"random_erasing": {"size": 2}}"#,
      #"{"random_resized_crop": {"area": [0, 1]}}"#,
    ])
  func unknown(text: String) {
    #expect(throws: DecodingError.self) { try decoded(text) }
  }

  @Test(
    "Values out of range are refused",
    arguments: [
      #"{"pad_crop": -1}"#, #"{"cutout": -2}"#, #"{"mixup": -0.5}"#,
      #"{"color_jitter": {"brightness": 1.5}}"#, #"{"random_erasing": {"probability": 2}}"#,
      #"{"random_erasing": {"area": [0.5, 0.1]}}"#, #"{"random_resized_crop": {"scale": [1]}}"#,
      #"{"random_resized_crop": {"scale": [0, 1]}}"#,
    ])
  func outOfRange(text: String) throws {
    let options = try decoded(text)
    #expect(throws: DataError.self) { try options.validate() }
  }
}
