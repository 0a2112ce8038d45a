// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// The samples of a data set as training reads them over and over.
enum PixelStore: Sendable {
  /// Images of one size, `[samples, height, width, channels]`.
  case bytes([UInt8])

  /// Arrays of one shape, preprocessed, `[samples, …]`.
  case values([Float])

  /// Samples that are read when they are needed.
  case onDemand

  /// Reads the whole set if it has samples of one shape that fit into `limit` bytes.
  init(
    _ dataset: Dataset, _ preparation: SamplePreparation, isGrey: Bool, limit: Int
  ) throws(DataError) {
    guard dataset.kind != .images, let shape = dataset.sampleShape, dataset.count > 0 else {
      self = .onDemand
      return
    }
    let size = shape.reduce(1, *)
    let isArray = dataset.kind == .npz
    guard dataset.count <= limit / max(size * (isArray ? 4 : 1), 1) else {
      self = .onDemand
      return
    }
    var bytes: [UInt8] = []
    var values: [Float] = []
    if isArray {
      values.reserveCapacity(dataset.count * size)
    } else {
      bytes.reserveCapacity(dataset.count * size)
    }
    for index in 0..<dataset.count {
      switch try dataset.sample(at: index) {
      case .image(let image):
        bytes += isGrey ? image.grey().bytes : image.bytes
      case .array(let array):
        let location = dataset.location(ofSampleAt: index)
        values += try preparation.values(
          of: array, elementType: .float32, path: location
        ).floats()
      }
    }
    self = isArray ? .values(values) : .bytes(bytes)
  }
}
