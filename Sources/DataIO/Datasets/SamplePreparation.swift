// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// One sample as the network takes it.
struct PreparedSample {
  var shape: [Int]
  /// Row-major elements, little-endian.
  var bytes: [UInt8]
}

/// Preprocessing with all that can be computed beforehand.
struct SamplePreparation: Sendable {
  private let preprocessing: Preprocessing
  private let isImageFile: Bool
  /// `[tables, 256]`: the value of each byte, one table for all channels or one for each.
  private let tables: [Float]

  /// Number of values given for the channels; 1 if one stands for all.
  private var valueCount: Int { max(preprocessing.mean.count, preprocessing.std.count) }

  init(_ preprocessing: Preprocessing, isImageFile: Bool) {
    self.preprocessing = preprocessing
    self.isImageFile = isImageFile
    let count = max(preprocessing.mean.count, preprocessing.std.count)
    tables = (0..<count * 256).map {
      Self.value(Double($0 % 256), channel: $0 / 256, preprocessing)
    }
  }

  /// (x / scale − mean) / std in `Double`, rounded once.
  private static func value(
    _ x: Double, channel: Int, _ preprocessing: Preprocessing
  ) -> Float {
    let mean = preprocessing.mean[preprocessing.mean.count == 1 ? 0 : channel]
    let std = preprocessing.std[preprocessing.std.count == 1 ? 0 : channel]
    return Float((x / preprocessing.scale - mean) / std)
  }

  /// The image as `[channels, height, width]` of float32.
  func planes(of image: ImageBytes, path: String) throws(DataError) -> PreparedSample {
    var image = try fitted(image, path: path)
    if preprocessing.channelOrder == .grey { image = image.grey() }
    try checkCounts(channels: image.channels)
    let channels = image.channels
    let isReversed = preprocessing.channelOrder == .bgr
    let pixels = image.height * image.width
    let hasOneTable = valueCount == 1
    let bytes = [UInt8](unsafeUninitializedCapacity: 4 * channels * pixels) { raw, initialized in
      UnsafeMutableRawBufferPointer(raw).withMemoryRebound(to: Float.self) { target in
        image.bytes.withUnsafeBufferPointer { source in
          tables.withUnsafeBufferPointer { tables in
            for channel in 0..<channels {
              let table = hasOneTable ? 0 : channel * 256
              var position = isReversed ? channels - 1 - channel : channel
              let start = channel * pixels
              for pixel in 0..<pixels {
                target[start + pixel] = tables[table + Int(source[position])]
                position += channels
              }
            }
          }
        }
      }
      initialized = 4 * channels * pixels
    }
    return PreparedSample(shape: [channels, image.height, image.width], bytes: bytes)
  }

  /// The image resized and cropped, if it is one of a file of its own.
  func fitted(_ image: ImageBytes, path: String) throws(DataError) -> ImageBytes {
    guard isImageFile else { return image }
    var image = image
    if let size = preprocessing.resize {
      let short = max(1, min(image.height, image.width))
      let long = max(image.height, image.width) * size / short
      guard long * size <= ImageBytes.greatestPixelCount else {
        throw .unsupported(
          path: path, format: .image,
          feature: "\(image.width) × \(image.height) pixels resized to a short side of \(size)")
      }
      image = image.resized(shortSide: size)
    }
    if let crop = preprocessing.crop {
      guard crop <= image.width, crop <= image.height else {
        throw .cropTooLarge(path: path, crop: crop, width: image.width, height: image.height)
      }
      image = image.centerCropped(to: crop)
    }
    return image
  }

  /// `[channels, 256]`: the value of each byte in each of the network's channels.
  ///
  /// - Throws: `DataError.channelCountMismatch` if mean or deviation do not fit.
  func channelTables(channels: Int) throws(DataError) -> [Float] {
    try checkCounts(channels: channels)
    return (0..<channels).flatMap { channel in
      tables[(valueCount == 1 ? 0 : channel) * 256..<((valueCount == 1 ? 0 : channel) + 1) * 256]
    }
  }

  /// The array, unchanged but for its element type if nothing is to be done to its values.
  func values(
    of array: Tensor, elementType: ElementType, path: String
  ) throws(DataError) -> Tensor {
    guard !preprocessing.keepsValues || preprocessing.channelOrder == .bgr else {
      return array.converted(to: elementType)
    }
    let channels = array.rank > 1 ? array.shape[0] : 1
    try checkCounts(channels: channels)
    let plane = array.count / max(channels, 1)
    let reals = array.reals()
    var values: [Float] = []
    values.reserveCapacity(reals.count)
    for channel in 0..<channels {
      let origin = preprocessing.channelOrder == .bgr ? channels - 1 - channel : channel
      for x in reals[origin * plane..<(origin + 1) * plane] {
        values.append(Self.value(x, channel: channel, preprocessing))
      }
    }
    return Tensor(values, shape: array.shape).converted(to: elementType)
  }

  private func checkCounts(channels: Int) throws(DataError) {
    for (option, count) in [
      ("--mean", preprocessing.mean.count), ("--std", preprocessing.std.count),
    ] where count != 1 && count != channels {
      throw .channelCountMismatch(option: option, given: count, channels: channels)
    }
  }
}
