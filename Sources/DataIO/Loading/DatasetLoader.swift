// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// Training batches of a labelled data set: shuffled, augmented, normalised, prepared ahead.
///
/// Every random choice follows from the seed, the epoch and the index of the sample in the data
/// set alone, so that an epoch may be taken up in its middle. Images of one size and arrays are
/// held in memory up to `LoaderOptions.memoryLimit`; image files are decoded as they are needed.
public struct DatasetLoader: BatchSource {
  public let dataset: Dataset
  public let preprocessing: Preprocessing
  public private(set) var options: LoaderOptions
  public let classCount: Int
  public let sampleShape: [Int]

  /// The samples of an epoch.
  public private(set) var indices: [Int]
  let labels: [Int]
  let store: PixelStore
  let preparation: SamplePreparation
  let writer: SampleWriter

  /// - Parameters:
  ///   - dataset: Labelled samples.
  ///   - preprocessing: What is done to each sample besides augmentation. Its resize does not act
  ///     where a random part of the image is resized.
  ///   - inputShape: The network's input without the batch dimension; sizes that are negative or 0
  ///     are taken from the data, as is everything if it is `nil`.
  ///   - classCount: Classes of the network; by default those of the data set.
  ///   - indices: The samples to use; all of them by default.
  /// - Throws: `DataError` if an option cannot be used, labels are missing or beyond the classes,
  ///   the samples do not fit the network, or there are too few for one batch.
  public init(
    _ dataset: Dataset, preprocessing: Preprocessing, inputShape: [Int]? = nil,
    classCount: Int? = nil, indices: [Int]? = nil, options: LoaderOptions = LoaderOptions()
  ) throws(DataError) {
    try options.validate()
    try preprocessing.validate()
    guard let labels = dataset.labels, let hint = dataset.classCountHint else {
      throw .labelsMissing(path: dataset.path)
    }
    let classes = classCount ?? hint
    try dataset.checkLabels(classCount: classes)
    let chosen = indices ?? Array(0..<dataset.count)
    guard let first = chosen.first, chosen.count >= options.batchSize || options.keepsPartialBatch
    else {
      throw .tooFewSamples(path: dataset.path, count: chosen.count, needed: options.batchSize)
    }
    let preparation = SamplePreparation(preprocessing, isImageFile: dataset.kind == .images)
    let isArray = dataset.kind == .npz
    let shape = try Self.shape(
      of: dataset, first: first, preparation, inputShape, options.augmentation)
    try Self.check(options.augmentation, shape: shape, isArray: isArray, dataset)
    let (channels, height, width) =
      shape.count == 3 ? (shape[0], shape[1], shape[2]) : (1, 1, shape.reduce(1, *))
    let order = (0..<channels).map { preprocessing.channelOrder == .bgr ? channels - 1 - $0 : $0 }
    let tables = try preparation.channelTables(channels: channels)
    writer = SampleWriter(
      channels: channels, height: height, width: width, tables: tables,
      blanks: (0..<channels).map { tables[$0 * 256] }, origins: order)
    store = try PixelStore(
      dataset, preparation, isGrey: preprocessing.channelOrder == .grey,
      limit: options.memoryLimit)
    self.dataset = dataset
    self.preprocessing = preprocessing
    self.options = options
    self.classCount = classes
    self.sampleShape = shape
    self.indices = chosen
    self.labels = labels
    self.preparation = preparation
  }

  /// A loader of other samples of the set, in order and as they are, for evaluation.
  ///
  /// Samples in memory are shared.
  public func evaluating(_ indices: [Int]) -> DatasetLoader {
    var loader = self
    loader.indices = indices
    loader.options = .evaluation(batchSize: batchSize)
    loader.options.prefetchCount = options.prefetchCount
    return loader
  }

  public var batchSize: Int { options.batchSize }

  public var batchesPerEpoch: Int {
    let size = options.batchSize
    return options.keepsPartialBatch ? (indices.count + size - 1) / size : indices.count / size
  }

  /// The samples of an epoch in the order in which they are used.
  public func order(epoch: Int) -> [Int] {
    guard options.isShuffled else { return indices }
    var random = SampleRandom.source(seed: options.seed, .order, epoch: epoch)
    var order = indices
    for position in stride(from: order.count - 1, to: 0, by: -1) {
      order.swapAt(position, random.nextIndex(below: position + 1))
    }
    return order
  }

  public func batches(epoch: Int, startingAt: Int = 0) -> BatchStream {
    let order = order(epoch: epoch)
    let size = batchSize
    return BatchStream(
      min(max(startingAt, 0), batchesPerEpoch)..<batchesPerEpoch,
      prefetchCount: options.prefetchCount
    ) { number in
      let end = min((number + 1) * size, order.count)
      return try batch(Array(order[number * size..<end]), epoch: epoch)
    }
  }

  /// The samples at `indices` as one batch, augmented as in `epoch`.
  ///
  /// - Throws: `DataError` naming the file of the first sample that cannot be used.
  public func batch(_ indices: [Int], epoch: Int) throws(DataError) -> TrainingBatch {
    var maker = BatchMaker(loader: self, epoch: epoch)
    return try maker.batch(indices)
  }
}

extension DatasetLoader {
  /// The shape of a prepared sample.
  private static func shape(
    of dataset: Dataset, first: Int, _ preparation: SamplePreparation, _ inputShape: [Int]?,
    _ augmentation: AugmentationOptions
  ) throws(DataError) -> [Int] {
    let location = dataset.location(ofSampleAt: first)
    var found: [Int]
    switch try dataset.sample(at: first) {
    case .image(let image): found = try preparation.planes(of: image, path: location).shape
    case .array(let array):
      found = array.shape
      if let inputShape, !inputShape.contains(where: { $0 <= 0 }),
        found.filter({ $0 != 1 }) == inputShape.filter({ $0 != 1 })
      {
        found = inputShape
      }
    }
    guard let inputShape else { return found }
    if augmentation.randomResizedCrop != nil, found.count == 3, inputShape.count == 3 {
      found = [found[0]] + zip(found, inputShape).dropFirst().map { $1 > 0 ? $1 : $0 }
    }
    guard found.count == inputShape.count,
      zip(found, inputShape).allSatisfy({ $1 <= 0 || $0 == $1 })
    else { throw .sizeMismatch(path: location, found: found, expected: inputShape) }
    return found
  }

  /// Checks that the augmentation can act on samples of this kind.
  private static func check(
    _ augmentation: AugmentationOptions, shape: [Int], isArray: Bool, _ dataset: Dataset
  ) throws(DataError) {
    let geometric: [(name: String, isAsked: Bool)] = [
      ("pad_crop", augmentation.padCrop > 0), ("horizontal_flip", augmentation.horizontalFlip),
      ("cutout", augmentation.cutout > 0), ("random_erasing", augmentation.randomErasing != nil),
    ]
    if shape.count != 3, let asked = geometric.first(where: \.isAsked) {
      throw .augmentationUnsupported(path: dataset.path, name: asked.name, shape: shape)
    }
    let onBytes: [(name: String, isAsked: Bool)] = [
      ("random_resized_crop", augmentation.randomResizedCrop != nil),
      ("color_jitter", augmentation.colorJitter != nil),
    ]
    if isArray, let asked = onBytes.first(where: \.isAsked) {
      throw .augmentationUnsupported(path: dataset.path, name: asked.name, shape: shape)
    }
  }
}
