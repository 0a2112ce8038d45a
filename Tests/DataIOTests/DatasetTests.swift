// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import TensorCore
import Testing

@Suite("Data sets are recognised by what is there")
struct DatasetTests {
  @Test("CIFAR-10 batches: splits, labels, and planes turned into pixels")
  func cifar10() throws {
    let folder = try TemporaryFolder()
    for batch in 1...2 {
      try folder.write("data_batch_\(batch).bin", (0..<3).flatMap { cifar(label: batch + $0) })
    }
    try folder.write("test_batch.bin", cifar(label: 9))
    let train = try Dataset.open(folder.path, split: .train)
    #expect(train.kind == .cifar)
    #expect(train.splits == [.train, .test])
    #expect(train.labels == [1, 2, 3, 2, 3, 4])
    #expect(train.sampleShape == [3, 32, 32])
    #expect(train.location(ofSampleAt: 4) == folder.path + "/data_batch_2.bin, record 1")
    #expect("\(train)" == "CIFAR-10, 6 training images, 10 classes")
    guard case .image(let image) = try train.sample(at: 5) else {
      Issue.record("not an image")
      return
    }
    #expect(Array(image.bytes.prefix(6)) == [0, 1, 2, 1, 2, 3])
    #expect(try Dataset.open(folder.path, split: .test).labels == [9])
    #expect(try Dataset.open(folder.path).count == 7)
    #expect(throws: DataError.sampleOutOfRange(index: 6, count: 6)) { try train.sample(at: 6) }
  }

  @Test("CIFAR-100 uses the fine label; a single batch is a set")
  func cifar100() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("train.bin", [7] + cifar(label: 42))
    let set = try Dataset.open(folder.path, split: .train)
    #expect(set.labels == [42])
    #expect(set.classCountHint == 100)
    #expect(try Dataset.open(path).splits == [])
    #expect(throws: DataError.splitMissing(path: folder.path, split: .test, found: ["train.bin"])) {
      try Dataset.open(folder.path, split: .test)
    }
  }

  @Test("a CIFAR batch of the wrong size is refused")
  func cutCifar() throws {
    let folder = try TemporaryFolder()
    try folder.write("test_batch.bin", [1, 2, 3])
    let error = #expect(throws: DataError.self) { try Dataset.open(folder.path) }
    #expect(error?.description.contains("whole number of records of 3073") == true)
  }

  @Test("IDX files: images and labels of each split")
  func idx() throws {
    let folder = try TemporaryFolder()
    try folder.write("train-images-idx3-ubyte", idx([2, 2, 3], (0..<12).map { UInt8($0) }))
    try folder.write("train-labels-idx1-ubyte", idx([2], [3, 4]))
    try folder.write("t10k-images-idx3-ubyte", idx([1, 2, 3], [9, 9, 9, 9, 9, 9]))
    try folder.write("t10k-labels-idx1-ubyte", idx([1], [5]))
    let train = try Dataset.open(folder.path, split: .train)
    #expect(train.labels == [3, 4])
    #expect(train.sampleShape == [1, 2, 3])
    let expected = ImageBytes(height: 2, width: 3, channels: 1, bytes: [6, 7, 8, 9, 10, 11])
    #expect(try train.sample(at: 1) == .image(expected))
    #expect(try Dataset.open(folder.path, split: .all).labels == [3, 4, 5])
    let file = try Dataset.open(folder.path + "/t10k-images-idx3-ubyte")
    #expect(file.labels == [5])
  }

  @Test("IDX files that lie about their size or disagree are refused")
  func badIDX() throws {
    let folder = try TemporaryFolder()
    try folder.write("train-images-idx3-ubyte", idx([1000, 28, 28], [1, 2, 3]))
    #expect(throws: DataError.self) { try Dataset.open(folder.path) }
    try folder.write("train-images-idx3-ubyte", idx([1 << 31, 1 << 31, 1 << 31], []))
    #expect(throws: DataError.self) { try Dataset.open(folder.path) }
    try folder.write("train-images-idx3-ubyte", idx([2, 1, 1], [1, 2]))
    try folder.write("train-labels-idx1-ubyte", idx([1], [1]))
    let path = folder.path + "/train-labels-idx1-ubyte"
    #expect(throws: DataError.countMismatch(path: path, labels: 1, samples: 2)) {
      try Dataset.open(folder.path)
    }
  }

  @Test(".npz: rows of x, labels of y, x alone, and no x")
  func npz() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])
    try NpzFile.write([("x", x), ("y", Tensor([0, 2, 1] as [Int64], shape: [3]))], to: path)
    let set = try Dataset.open(path, split: .test)
    #expect(set.kind == .npz)
    #expect(set.labels == [0, 2, 1])
    #expect(try set.sample(at: 1) == .array(Tensor([3, 4] as [Float], shape: [2])))
    try NpzFile.write([("x", x)], to: path)
    #expect(try Dataset.open(folder.path).labels == nil)
    try NpzFile.write([("input", x)], to: path)
    #expect(throws: DataError.arrayMissing(path: path, name: "x", found: ["input"])) {
      try Dataset.open(path)
    }
  }

  @Test("a wrong folder is told what was looked for and what is there")
  func wrongFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write("notes.txt", [1])
    let error = #expect(throws: DataError.self) { try Dataset.open(folder.path) }
    #expect(error?.description.contains("notes.txt") == true)
    #expect(error?.description.contains("data_batch_*.bin") == true)
    #expect(throws: DataError.missing(path: folder.path + "/none")) {
      try Dataset.open(folder.path + "/none")
    }
  }

  @Test("a folder that holds sets among other things is no set")
  func parentFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write("pictures/0001.png", ImageFixtures.bytes("rgb"))
    #expect(try Dataset.open(folder.path).labels == [1])
    try folder.write("models/a.onnx", [1])
    #expect(throws: DataError.noDataFound(path: folder.path, found: ["models/", "pictures/"])) {
      try Dataset.open(folder.path)
    }
  }

  @Test("samples are drawn without repetition, sorted, the same for the same seed")
  func drawing() throws {
    let folder = try TemporaryFolder()
    try folder.write("test_batch.bin", (0..<10).flatMap { cifar(label: $0) })
    let set = try Dataset.open(folder.path)
    let drawn = set.sampleIndices(count: 4, seed: 7)
    #expect(drawn == set.sampleIndices(count: 4, seed: 7))
    #expect(drawn == drawn.sorted() && Set(drawn).count == 4)
    #expect(drawn != set.sampleIndices(count: 4, seed: 8))
    #expect(set.sampleIndices(count: 99, seed: 7) == Array(0..<10))
  }

  @Test("a label beyond the network's classes is an error that names the file")
  func labels() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("test_batch.bin", cifar(label: 3) + cifar(label: 8))
    let set = try Dataset.open(folder.path)
    try set.checkLabels(classCount: 9)
    #expect(
      throws: DataError.labelBeyondClasses(path: path + ", record 1", label: 8, classCount: 8)
    ) { try set.checkLabels(classCount: 8) }
  }

  @Test(
    "CIFAR-10 itself has its counts",
    .enabled(if: SharedData.has(SharedData.cifar10 + "/test_batch.bin"), "CIFAR-10 not unpacked"))
  func wholeCifar10() throws {
    let train = try Dataset.open(SharedData.cifar10, split: .train)
    #expect(train.count == 50_000)
    let test = try Dataset.open(SharedData.cifar10, split: .test)
    let counts = Dictionary(grouping: test.labels ?? []) { $0 }.mapValues(\.count)
    #expect(counts == Dictionary(uniqueKeysWithValues: (0..<10).map { ($0, 1000) }))
  }

  @Test(
    "MNIST in gzip and the keyword archive are opened",
    .enabled(if: SharedData.has(SharedData.folder + "/mnist"), "no shared data"))
  func shared() throws {
    let mnist = try Dataset.open(SharedData.folder + "/mnist", split: .test)
    #expect(mnist.count == 10_000)
    #expect(mnist.labels?.prefix(5) == [7, 2, 1, 0, 4])
    let keywords = try Dataset.open(SharedData.folder + "/kws01/kws01.npz")
    #expect(keywords.sampleShape == [1, 49, 10])
    #expect(keywords.count == 1000)
    let images = try Dataset.open(SharedData.folder + "/imagenet-sample-256")
    #expect(images.labels == Array(0..<1000))
    #expect(images.classNames?.count == 1000)
  }

  /// A CIFAR record without the coarse label; pixel i has red i, green i + 1, blue i + 2.
  private func cifar(label: Int) -> [UInt8] {
    [UInt8(label)]
      + (0..<3).flatMap { plane in (0..<1024).map { UInt8(truncatingIfNeeded: $0 + plane) } }
  }

  private func idx(_ dimensions: [Int], _ elements: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(dimensions.count)]
      + dimensions.flatMap { size in
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) }
      } + elements
  }
}
