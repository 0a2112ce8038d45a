// SPDX-License-Identifier: Apache-2.0
import DataIO
import TensorCore
import Testing

@Suite("Training batches")
struct DatasetLoaderTests {
  private let shapes = DrawnShapes.dataset(count: 40, seed: 3)

  private func all(
    _ source: DatasetLoader, epoch: Int, from start: Int = 0
  ) throws -> [TrainingBatch] {
    let stream = source.batches(epoch: epoch, startingAt: start)
    var batches: [TrainingBatch] = []
    while let batch = try stream.next() { batches.append(batch) }
    return batches
  }

  @Test("An epoch holds every sample once, in an order of its own")
  func order() throws {
    let loader = try DatasetLoader(
      shapes, preprocessing: .cifar10, options: LoaderOptions(batchSize: 8, seed: 5))
    #expect(loader.batchesPerEpoch == 5)
    #expect(loader.sampleShape == [3, 32, 32])
    #expect(loader.classCount == 10)
    #expect(loader.order(epoch: 0).sorted() == Array(0..<40))
    #expect(loader.order(epoch: 0) != loader.order(epoch: 1))
    #expect(loader.order(epoch: 1) == loader.order(epoch: 1))
    let labels = try all(loader, epoch: 1).flatMap(\.labels)
    #expect(labels == loader.order(epoch: 1).map { $0 % 10 })
  }

  @Test("Without augmentation images equal those of evaluation, bit by bit")
  func likeEvaluation() throws {
    for order in ChannelOrder.allCases {
      var preprocessing = Preprocessing.cifar10
      preprocessing.channelOrder = order
      if order == .grey { (preprocessing.mean, preprocessing.std) = ([0.5], [0.25]) }
      let loader = try DatasetLoader(
        shapes, preprocessing: preprocessing, options: .evaluation(batchSize: 16))
      let batches = try all(loader, epoch: 0)
      #expect(batches.map { $0.images.shape[0] } == [16, 16, 8])
      let expected = try BatchLoader(dataset: shapes, preprocessing: preprocessing)
        .batch(Array(16..<32)).input
      #expect(batches[1].images == expected)
    }
  }

  @Test("An epoch taken up in its middle goes on exactly as it would have")
  func resumed() throws {
    var augmentation = AugmentationOptions.cifar
    augmentation.cutout = 8
    augmentation.mixup = 0.4
    augmentation.colorJitter = .init(brightness: 0.4, contrast: 0.4, saturation: 0.4)
    augmentation.randomErasing = .init(probability: 0.5)
    var options = LoaderOptions(batchSize: 8, seed: 9, augmentation: augmentation)
    let whole = try all(
      try DatasetLoader(shapes, preprocessing: .cifar10, options: options), epoch: 2)
    options.prefetchCount = 0
    options.memoryLimit = 0
    let loader = try DatasetLoader(shapes, preprocessing: .cifar10, options: options)
    #expect(try all(loader, epoch: 2, from: 3) == Array(whole[3...]))
    #expect(try all(loader, epoch: 2, from: 5).isEmpty)
    #expect(try all(loader, epoch: 3) != whole)
  }

  @Test("A padded crop is the image moved by up to the padding, black outside, by chance mirrored")
  func padCrop() throws {
    // One image of 2 × 2 pixels, 1 2 / 3 4, as a data set of many equal ones.
    let folder = try TemporaryFolder()
    let count = 200
    var file: [UInt8] = [0, 0, 8, 3, 0, 0, 0, UInt8(count), 0, 0, 0, 2, 0, 0, 0, 2]
    for _ in 0..<count { file += [1, 2, 3, 4] }
    try folder.write("train-images-idx3-ubyte", file)
    try folder.write(
      "train-labels-idx1-ubyte",
      [0, 0, 8, 1, 0, 0, 0, UInt8(count)] + [UInt8](repeating: 0, count: count))
    var augmentation = AugmentationOptions()
    augmentation.padCrop = 1
    augmentation.horizontalFlip = true
    let loader = try DatasetLoader(
      try Dataset.open(folder.path, split: .train), preprocessing: .raw,
      options: LoaderOptions(batchSize: count, augmentation: augmentation))
    let values = try #require(try all(loader, epoch: 0).first).images.floats()
    let padded: [[Float]] = [[0, 0, 0, 0], [0, 1, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0]]
    var expected: Set<[Float]> = []
    for top in 0...2 {
      for left in 0...2 {
        let rows = [padded[top][left...left + 1], padded[top + 1][left...left + 1]]
        expected.insert(rows.flatMap { $0 })
        expected.insert(rows.flatMap { $0.reversed() })
      }
    }
    let found = Set((0..<count).map { Array(values[4 * $0..<4 * $0 + 4]) })
    #expect(found == expected)
  }

  @Test("What lies outside the image is black, which is not 0 after normalisation")
  func blackOutside() throws {
    var augmentation = AugmentationOptions()
    augmentation.padCrop = 40
    let loader = try DatasetLoader(
      shapes, preprocessing: Preprocessing(scale: 255, mean: [0.5], std: [0.25]),
      options: LoaderOptions(batchSize: 40, augmentation: augmentation))
    let values = try #require(try all(loader, epoch: 0).first).images.floats()
    // With as much padding as this most images are moved out of sight.
    #expect(values.filter { $0 == -2 }.count > values.count / 2)
    #expect(values.allSatisfy { (-2...2).contains($0) })
  }

  @Test("Cutout sets one square to 0 in all channels, the rest is as it was")
  func cutout() throws {
    var options = LoaderOptions.evaluation(batchSize: 40)
    let plain = try DatasetLoader(shapes, preprocessing: .cifar10, options: options)
    options.augmentation.cutout = 10
    let cut = try DatasetLoader(shapes, preprocessing: .cifar10, options: options)
    let before = try #require(try all(plain, epoch: 0).first).images.floats()
    let after = try #require(try all(cut, epoch: 0).first).images.floats()
    for image in 0..<40 {
      var places: Set<Int> = []
      for place in 0..<3072 where before[image * 3072 + place] != after[image * 3072 + place] {
        #expect(after[image * 3072 + place] == 0)
        places.insert(place % 1024)
      }
      let rows = places.map { $0 / 32 }
      let columns = places.map { $0 % 32 }
      let height = (rows.max() ?? 0) - (rows.min() ?? 0) + 1
      let width = (columns.max() ?? 0) - (columns.min() ?? 0) + 1
      #expect(places.count == height * width)
      #expect((5...10).contains(height) && (5...10).contains(width))
    }
  }

  @Test("Label smoothing spreads its share evenly over all classes")
  func smoothing() throws {
    let loader = try DatasetLoader(
      shapes, preprocessing: .cifar10,
      options: LoaderOptions(batchSize: 10, labelSmoothing: 0.2))
    let batch = try #require(try all(loader, epoch: 0).first)
    let targets = batch.targets.floats()
    #expect(batch.targets.shape == [10, 10])
    for row in 0..<10 {
      for column in 0..<10 {
        // 0.2 / 10 for each class, and 0.8 more for the label.
        #expect(targets[row * 10 + column] == (column == batch.labels[row] ? 0.82 : 0.02))
      }
    }
  }

  @Test("Mixed images are mixed as their targets say, each with the next")
  func mixup() throws {
    var options = LoaderOptions(batchSize: 8, seed: 1)
    let plain = try DatasetLoader(shapes, preprocessing: .cifar10, options: options)
    options.augmentation.mixup = 1
    let mixing = try DatasetLoader(shapes, preprocessing: .cifar10, options: options)
    let before = try #require(try all(plain, epoch: 0).first)
    let after = try #require(try all(mixing, epoch: 0).first)
    let (pixels, mixed) = (before.images.floats(), after.images.floats())
    let targets = after.targets.floats()
    var shares: [Float] = []
    for row in 0..<8 {
      let next = (row + 1) % 8
      let sum = targets[row * 10..<row * 10 + 10].reduce(0, +)
      #expect(abs(sum - 1) < 1e-6)
      guard before.labels[row] != before.labels[next] else { continue }
      let share = targets[row * 10 + before.labels[row]]
      shares.append(share)
      #expect(after.labels[row] == before.labels[share >= 0.5 ? row : next])
      let errors = (0..<3072).map { place in
        let expected =
          share * pixels[row * 3072 + place] + (1 - share) * pixels[next * 3072 + place]
        return abs(mixed[row * 3072 + place] - expected)
      }
      #expect(errors.max() ?? 1 < 1e-5)
    }
    #expect(Set(shares).count == shares.count)
  }

  @Test("Parts of image files are resized to the network's input; flat colours stay as they are")
  func resizedCrop() throws {
    let folder = try TemporaryFolder()
    for index in 0..<4 { try folder.write("\(index).jpg", ImageFixtures.bytes("baseline")) }
    var augmentation = AugmentationOptions()
    augmentation.randomResizedCrop = .init(scale: [0.02, 0.05])
    let loader = try DatasetLoader(
      try Dataset.open(folder.path), preprocessing: .raw, inputShape: [3, 12, 20],
      options: LoaderOptions(batchSize: 4, augmentation: augmentation))
    let batch = try #require(try all(loader, epoch: 0).first)
    #expect(batch.images.shape == [4, 3, 12, 20])
    let values = batch.images.floats()
    #expect(values.allSatisfy { $0 >= 0 && $0 <= 255 })
    #expect(try all(loader, epoch: 1).first?.images != batch.images)
  }

  @Test("Arrays are moved and mirrored as images are")
  func arrays() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let x = Tensor((0..<2 * 2 * 3 * 3).map { Float($0) }, shape: [2, 2, 3, 3])
    try NpzFile.write([("x", x), ("y", Tensor([Int64(0), 1], shape: [2]))], to: path)
    var options = LoaderOptions.evaluation(batchSize: 2)
    let set = try Dataset.open(path)
    let plain = try DatasetLoader(set, preprocessing: .raw, options: options)
    #expect(try all(plain, epoch: 0).first?.images == x)
    options.augmentation.horizontalFlip = true
    let values = x.floats()
    let flipping = try DatasetLoader(set, preprocessing: .raw, options: options)
    var seen: Set<Bool> = []
    for epoch in 0..<16 {
      let found = try #require(try all(flipping, epoch: epoch).first).images.floats()
      let isMirrored = found[0] == 2
      seen.insert(isMirrored)
      for place in 0..<18 {
        let source = isMirrored ? place / 3 * 3 + 2 - place % 3 : place
        #expect(found[place] == values[source])
      }
    }
    #expect(seen == [true, false])
  }

  @Test("What cannot be used is refused by name")
  func refused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let rows = Tensor([Float](repeating: 0, count: 8), shape: [4, 2])
    try NpzFile.write([("x", rows)], to: path)
    #expect(throws: DataError.labelsMissing(path: path)) {
      try DatasetLoader(try Dataset.open(path), preprocessing: .raw)
    }
    let y = Tensor([Int64(0), 1, 0, 1], shape: [4])
    try NpzFile.write([("x", rows), ("y", y)], to: path)
    let set = try Dataset.open(path)
    #expect(throws: DataError.tooFewSamples(path: path, count: 4, needed: 5)) {
      try DatasetLoader(set, preprocessing: .raw, options: LoaderOptions(batchSize: 5))
    }
    #expect(throws: DataError.augmentationUnsupported(path: path, name: "pad_crop", shape: [2])) {
      try DatasetLoader(
        set, preprocessing: .raw, options: LoaderOptions(batchSize: 2, augmentation: .cifar))
    }
    #expect(throws: DataError.self) {
      try DatasetLoader(
        set, preprocessing: .raw, inputShape: [3], options: LoaderOptions(batchSize: 2))
    }
    #expect(throws: DataError.self) {
      try DatasetLoader(
        set, preprocessing: .raw, classCount: 1, options: LoaderOptions(batchSize: 2))
    }
    #expect(throws: DataError.self) {
      try DatasetLoader(set, preprocessing: .raw, options: LoaderOptions(batchSize: 0))
    }
  }

  @Test("A validation part takes the same share of every class, and follows from the seed")
  func division() throws {
    let parts = try shapes.divided(validationShare: 0.25, seed: 4)
    #expect((parts.training + parts.validation).sorted() == Array(0..<40))
    for label in 0..<10 {
      #expect(parts.validation.filter { $0 % 10 == label }.count == 1)
    }
    #expect(try shapes.divided(validationShare: 0.25, seed: 4) == parts)
    #expect(try shapes.divided(validationShare: 0.25, seed: 5) != parts)
    #expect(try shapes.divided(validationShare: 0, seed: 4).validation.isEmpty)
    #expect(throws: DataError.self) { try shapes.divided(validationShare: 1, seed: 4) }
  }
}
