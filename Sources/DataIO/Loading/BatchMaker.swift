// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// Makes one batch: each sample straight into its place, no memory of its own besides.
struct BatchMaker {
  let loader: DatasetLoader
  let epoch: Int
  private var scratch: [UInt8] = []

  init(loader: DatasetLoader, epoch: Int) {
    self.loader = loader
    self.epoch = epoch
  }

  mutating func batch(_ indices: [Int]) throws(DataError) -> TrainingBatch {
    let size = loader.sampleShape.reduce(1, *)
    var failure: DataError?
    let bytes = [UInt8](unsafeUninitializedCapacity: 4 * size * indices.count) { raw, initialized in
      UnsafeMutableRawBufferPointer(raw).withMemoryRebound(to: Float.self) { images in
        for (position, index) in indices.enumerated() {
          let place = UnsafeMutableBufferPointer(
            rebasing: images[position * size..<(position + 1) * size])
          do throws(DataError) { try write(index, to: place) } catch {
            failure = error
            return
          }
        }
      }
      initialized = raw.count
    }
    if let failure { throw failure }
    var labels = indices.map { loader.labels[$0] }
    var images = Tensor(
      uncheckedElementType: .float32, shape: [indices.count] + loader.sampleShape, bytes: bytes)
    var targets = targets(labels)
    if loader.options.augmentation.mixup > 0, indices.count > 1 {
      let shares = shares(indices)
      images = mixed(images, rowSize: size, shares)
      targets = mixed(targets, rowSize: loader.classCount, shares)
      labels = labels.indices.map {
        shares[$0] >= 0.5 ? labels[$0] : labels[($0 + 1) % labels.count]
      }
    }
    return TrainingBatch(images: images, targets: targets, labels: labels)
  }

  private mutating func write(
    _ index: Int, to place: UnsafeMutableBufferPointer<Float>
  ) throws(DataError) {
    let size = place.count
    switch loader.store {
    case .bytes(let bytes):
      let shape = loader.dataset.sampleShape ?? loader.sampleShape
      let source = (height: shape[1], width: shape[2])
      let count = source.height * source.width * loader.writer.channels
      let changes = changes(index, source)
      bytes.withUnsafeBufferPointer { all in
        let pixels = UnsafeBufferPointer(rebasing: all[index * count..<(index + 1) * count])
        write(pixels, source, changes, place)
      }
    case .values(let values):
      let changes = changes(index, (loader.writer.height, loader.writer.width))
      values.withUnsafeBufferPointer { all in
        let own = UnsafeBufferPointer(rebasing: all[index * size..<(index + 1) * size])
        loader.writer.write(own, changes, to: place)
      }
    case .onDemand: try writeRead(index, to: place)
    }
  }

  /// Writes a sample that is not held in memory.
  private mutating func writeRead(
    _ index: Int, to place: UnsafeMutableBufferPointer<Float>
  ) throws(DataError) {
    let location = loader.dataset.location(ofSampleAt: index)
    switch try loader.dataset.sample(at: index) {
    case .image(let stored):
      var image = stored
      if loader.options.augmentation.randomResizedCrop == nil {
        image = try loader.preparation.fitted(image, path: location)
      }
      if loader.preprocessing.channelOrder == .grey { image = image.grey() }
      let expected = loader.sampleShape
      let isResized = loader.options.augmentation.randomResizedCrop != nil
      guard image.channels == expected[0],
        isResized || (image.height == expected[1] && image.width == expected[2])
      else {
        throw .sizeMismatch(
          path: location, found: [image.channels, image.height, image.width], expected: expected)
      }
      let source = (image.height, image.width)
      let changes = changes(index, source)
      image.bytes.withUnsafeBufferPointer { write($0, source, changes, place) }
    case .array(let array):
      let values = try loader.preparation.values(
        of: array, elementType: .float32, path: location
      ).floats()
      guard values.count == place.count else {
        throw .sizeMismatch(path: location, found: array.shape, expected: loader.sampleShape)
      }
      let changes = changes(index, (loader.writer.height, loader.writer.width))
      values.withUnsafeBufferPointer { loader.writer.write($0, changes, to: place) }
    }
  }

  /// Writes an image of bytes, resized and coloured first where that is wanted.
  private mutating func write(
    _ pixels: UnsafeBufferPointer<UInt8>, _ source: (height: Int, width: Int),
    _ changes: ImageChanges, _ place: UnsafeMutableBufferPointer<Float>
  ) {
    let writer = loader.writer
    guard changes.part != nil || changes.colours != nil else {
      return writer.write(pixels, source: source, changes, to: place)
    }
    var size = source
    if let part = changes.part {
      let image = ImageBytes(
        height: source.height, width: source.width, channels: writer.channels,
        bytes: Array(pixels))
      scratch = image.part(part).resized(height: writer.height, width: writer.width).bytes
      size = (writer.height, writer.width)
    } else {
      scratch.removeAll(keepingCapacity: true)
      scratch.append(contentsOf: pixels)
    }
    scratch.withUnsafeMutableBufferPointer { scratch in
      if let colours = changes.colours {
        ColourChange.apply(colours, to: scratch, channels: writer.channels)
      }
      writer.write(UnsafeBufferPointer(scratch), source: size, changes, to: place)
    }
  }

  private func changes(_ index: Int, _ source: (height: Int, width: Int)) -> ImageChanges {
    let options = loader.options
    guard !options.augmentation.isNone else { return ImageChanges() }
    var random = SampleRandom.source(
      seed: options.seed, .augmentation, epoch: epoch, index: index)
    return options.augmentation.changes(
      source: source, output: (loader.writer.height, loader.writer.width), &random)
  }

  private func targets(_ labels: [Int]) -> Tensor {
    let classes = loader.classCount
    let smoothing = loader.options.labelSmoothing
    let rest = Float(smoothing / Double(classes))
    var targets = [Float](repeating: rest, count: labels.count * classes)
    for (row, label) in labels.enumerated() {
      targets[row * classes + label] = Float(1 - smoothing + smoothing / Double(classes))
    }
    return Tensor(targets, shape: [labels.count, classes])
  }

  /// The share that each image keeps of itself.
  private func shares(_ indices: [Int]) -> [Float] {
    let options = loader.options
    return indices.map { index in
      var random = SampleRandom.source(seed: options.seed, .mixing, epoch: epoch, index: index)
      return Float(random.nextBeta(options.augmentation.mixup))
    }
  }

  /// Each row and the one behind it, the last and the first, by the row's share.
  private func mixed(_ tensor: Tensor, rowSize: Int, _ shares: [Float]) -> Tensor {
    var values = tensor.elements(as: Float.self)
    let first = Array(values.prefix(rowSize))
    for (row, share) in shares.enumerated() {
      let start = row * rowSize
      for column in 0..<rowSize {
        let next = row + 1 < shares.count ? values[start + rowSize + column] : first[column]
        values[start + column] = share * values[start + column] + (1 - share) * next
      }
    }
    return Tensor(values, shape: tensor.shape)
  }
}
