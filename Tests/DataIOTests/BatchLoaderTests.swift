// SPDX-License-Identifier: Apache-2.0
import DataIO
import TensorCore
import Testing

@Suite("Batches")
struct BatchLoaderTests {
  @Test("images become planes of (x/scale − mean) / std, each rounded once")
  func planes() throws {
    let folder = try TemporaryFolder()
    try folder.write("4.png", ImageFixtures.bytes("rgb"))
    let set = try Dataset.open(folder.path)
    let preprocessing = Preprocessing(scale: 255, mean: [0.5, 0.25, 0], std: [0.5, 1, 2])
    let batch = try BatchLoader(
      dataset: set, preprocessing: preprocessing, inputShape: [3, -1, 3]
    ).batch([0])
    #expect(batch.labels == [4])
    #expect(batch.input.shape == [1, 3, 2, 3])
    let pixels = ImageFixtures.pixels
    let expected = (0..<18).map { position -> Float in
      let (channel, pixel) = (position / 6, position % 6)
      let x = Double(pixels[3 * pixel + channel]) / 255
      return Float((x - preprocessing.mean[channel]) / preprocessing.std[channel])
    }
    #expect(batch.input.floats() == expected)
  }

  @Test("in BGR order the planes turn round and mean and std stand in the network's order")
  func blueFirst() throws {
    let folder = try TemporaryFolder()
    try folder.write("0.png", ImageFixtures.bytes("rgb"))
    let preprocessing = Preprocessing(mean: [1, 2, 3], channelOrder: .bgr)
    let batch = try BatchLoader(dataset: Dataset.open(folder.path), preprocessing: preprocessing)
      .batch([0])
    #expect(batch.input.floats().prefix(6) == [-1, -1, 254, 29, 59, 49])
    #expect(batch.input.floats().suffix(6) == [252, -3, -3, 7, 37, 197])
  }

  @Test("resize and crop act on image files")
  func steps() throws {
    let folder = try TemporaryFolder()
    try folder.write("0.png", ImageFixtures.bytes("rgb"))
    let set = try Dataset.open(folder.path)
    let loader = try BatchLoader(
      dataset: set, preprocessing: Preprocessing(resize: 4, crop: 4), inputShape: [3, 4, 4])
    #expect(try loader.batch([0]).input.shape == [1, 3, 4, 4])
    let tooLarge = try BatchLoader(dataset: set, preprocessing: Preprocessing(crop: 3))
    #expect(
      throws: DataError.cropTooLarge(path: folder.path + "/0.png", crop: 3, width: 3, height: 2)
    ) { try tooLarge.batch([0]) }
  }

  @Test("a sample that does not fit the network is refused by file")
  func mismatch() throws {
    let folder = try TemporaryFolder()
    try folder.write("0.png", ImageFixtures.bytes("rgb"))
    try folder.write("1.jpg", ImageFixtures.bytes("baseline"))
    let set = try Dataset.open(folder.path)
    let fixed = try BatchLoader(dataset: set, preprocessing: .raw, inputShape: [3, 16, 16])
    let error = DataError.sizeMismatch(
      path: folder.path + "/0.png", found: [3, 2, 3], expected: [3, 16, 16])
    #expect(throws: error) { try fixed.batch([0]) }
    #expect(try fixed.batch([1]).input.count == 768)
    let free = try BatchLoader(dataset: set, preprocessing: .raw)
    #expect(throws: DataError.self) { try free.batch([0, 1]) }
    let counts = try BatchLoader(dataset: set, preprocessing: Preprocessing(mean: [1, 2]))
    #expect(throws: DataError.channelCountMismatch(option: "--mean", given: 2, channels: 3)) {
      try counts.batch([0])
    }
  }

  @Test("arrays pass as they are, converted to the network's element type")
  func arrays() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let x = Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Double], shape: [2, 2, 1, 2])
    try NpzFile.write([("x", x)], to: path)
    let set = try Dataset.open(path)
    let plain = try BatchLoader(dataset: set, preprocessing: .raw)
    #expect(
      try plain.batch([1, 0]).input
        == Tensor([5, 6, 7, 8, 1, 2, 3, 4] as [Float], shape: [2, 2, 1, 2]))
    let tokens = try BatchLoader(dataset: set, preprocessing: .raw, elementType: .int64)
    #expect(try tokens.batch([0]).input.elements(as: Int64.self) == [1, 2, 3, 4])
    let scaled = try BatchLoader(
      dataset: set, preprocessing: Preprocessing(scale: 2, mean: [0.5, 1]))
    #expect(try scaled.batch([0]).input.floats() == [0, 0.5, 0.5, 1])
    let flat = try BatchLoader(dataset: set, preprocessing: .raw, inputShape: [2, 2])
    #expect(try flat.batch([0]).input.shape == [1, 2, 2])
  }

  @Test("batches come in order, whatever the size, and errors come through")
  func order() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    try NpzFile.write(
      [("x", Tensor((0..<20).map { Float($0) }, shape: [10, 2]))], to: path)
    let loader = try BatchLoader(dataset: Dataset.open(path), preprocessing: .raw)
    for size in [1, 3, 10, 64] {
      var seen: [Int] = []
      var values: [Float] = []
      try loader.forEachBatch(of: Array(0..<10), size: size) { batch in
        seen += batch.indices
        values += batch.input.floats()
      }
      #expect(seen == Array(0..<10))
      #expect(values == (0..<20).map { Float($0) })
    }
    #expect(throws: DataError.self) { try loader.forEachBatch(of: [3, 11], size: 1) { _ in } }
    #expect(throws: CancellationError.self) {
      try loader.forEachBatch(of: [3, 4, 5], size: 1) { _ in throw CancellationError() }
    }
  }
}
