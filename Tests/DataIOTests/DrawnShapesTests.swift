// SPDX-License-Identifier: Apache-2.0
import DataIO
import TensorCore
import Testing

@Suite("Drawn shapes")
struct DrawnShapesTests {
  @Test("Pictures follow from seed, split and index, and every class is there as often")
  func pictures() throws {
    let set = DrawnShapes.dataset(count: 20, seed: 5)
    #expect(set.labels == Array(0..<10) + Array(0..<10))
    #expect(set.sampleShape == [3, 32, 32])
    #expect(set.classCountHint == 10)
    #expect(try set.sample(at: 7) == .image(DrawnShapes.picture(at: 7, seed: 5)))
    #expect(DrawnShapes.picture(at: 7, seed: 5) != DrawnShapes.picture(at: 17, seed: 5))
    #expect(DrawnShapes.picture(at: 7, seed: 5) != DrawnShapes.picture(at: 7, seed: 6))
    #expect(
      DrawnShapes.picture(at: 7, seed: 5) != DrawnShapes.picture(at: 7, split: .test, seed: 5))
  }

  @Test("Written and opened again they are the same")
  func written() throws {
    let folder = try TemporaryFolder()
    try DrawnShapes.write(trainingCount: 12, testCount: 5, seed: 2, to: folder.path)
    let training = try Dataset.open(folder.path, split: .train)
    let test = try Dataset.open(folder.path, split: .test)
    #expect(training.classNames == DrawnShapes.classNames)
    #expect(training.count == 12 && test.count == 5)
    #expect(training.labels == (0..<12).map { DrawnShapes.label(at: $0) })
    for index in 0..<5 {
      #expect(
        try training.sample(at: index) == .image(DrawnShapes.picture(at: index, seed: 2)))
      #expect(
        try test.sample(at: index)
          == .image(DrawnShapes.picture(at: index, split: .test, seed: 2)))
    }
  }

  @Test("Neither brightness nor any one colour tells the class")
  func colours() throws {
    // The mean of a channel over the 60 pictures of a class: its deviation is that of a random
    // colour, at most 1/√12 of the range, over √60, so 5 of them are 0.19.
    var sums = [[Double]](repeating: [0, 0, 0], count: 10)
    for index in 0..<600 {
      let picture = DrawnShapes.picture(at: index, seed: 1)
      for (place, byte) in picture.bytes.enumerated() {
        sums[index % 10][place % 3] += Double(byte) / 255 / 1024 / 60
      }
    }
    for mean in sums.flatMap({ $0 }) { #expect(abs(mean - 0.5) < 0.19) }
  }
}
