// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// A labelled data set that is drawn, not stored: ten textured shapes in colour, 32 × 32 pixels.
///
/// Place, size, angle, colours and textures of shape and ground are random, either may be the
/// brighter one; there are light, noise, clutter around the shape and something in front of it.
/// So no pixel alone says anything, and a network has to see the outline.
public enum DrawnShapes {
  public static let classNames = [
    "disc", "ring", "crescent", "square", "frame", "triangle", "cross", "star", "hourglass", "bars",
  ]

  /// Pixels on a side.
  public static let side = 32

  /// The class of the picture at `index`: every class is there as often as the others.
  public static func label(at index: Int) -> Int { index % classNames.count }

  /// One picture.
  ///
  /// - Parameters:
  ///   - index: Which picture of its split.
  ///   - split: Training and test pictures are drawn independently of each other.
  ///   - seed: The same seed gives the same pictures.
  public static func picture(
    at index: Int, split: DatasetSplit = .train, seed: UInt64
  ) -> ImageBytes {
    let bytes = [UInt8](unsafeUninitializedCapacity: 3 * side * side) { target, initialized in
      draw(index, split, seed, into: target)
      initialized = 3 * side * side
    }
    return ImageBytes(height: side, width: side, channels: 3, bytes: bytes)
  }

  /// `count` pictures as a data set in memory.
  public static func dataset(
    count: Int, split: DatasetSplit = .train, seed: UInt64
  ) -> Dataset {
    let size = 3 * side * side
    let bytes = [UInt8](unsafeUninitializedCapacity: count * size) { target, initialized in
      for index in 0..<count {
        draw(
          index, split, seed,
          into: UnsafeMutableBufferPointer(rebasing: target[index * size..<(index + 1) * size]))
      }
      initialized = count * size
    }
    return Dataset(
      path: "drawn shapes", kind: .cifar,
      opened: OpenedSet(
        source: DrawnSource(bytes: bytes, count: count, split: split),
        labels: (0..<count).map { label(at: $0) }, sampleShape: [3, side, side], split: split,
        splits: [.train, .test], classNames: classNames, classCount: classNames.count,
        variant: "drawn shapes"))
  }

  /// Writes pictures to a folder in the form of CIFAR-10's binary batches.
  ///
  /// - Parameters:
  ///   - trainingCount: Pictures of the training split, in files of 10,000.
  ///   - testCount: Pictures of the test split.
  ///   - folder: A folder that exists.
  ///   - progress: Called with the number of pictures done.
  /// - Throws: `DataError.unwritable` naming the file.
  public static func write(
    trainingCount: Int, testCount: Int, seed: UInt64, to folder: String,
    progress: (Int) -> Void = { _ in }
  ) throws(DataError) {
    let perFile = 10_000
    var done = 0
    var files: [(name: String, split: DatasetSplit, range: Range<Int>)] = []
    for start in stride(from: 0, to: trainingCount, by: perFile) {
      let end = min(start + perFile, trainingCount)
      files.append(("data_batch_\(start / perFile + 1).bin", .train, start..<end))
    }
    if testCount > 0 { files.append(("test_batch.bin", .test, 0..<testCount)) }
    for file in files {
      var records: [UInt8] = []
      records.reserveCapacity(file.range.count * (1 + 3 * side * side))
      for index in file.range {
        records.append(UInt8(label(at: index)))
        let pixels = picture(at: index, split: file.split, seed: seed).bytes
        for channel in 0..<3 {
          for position in stride(from: channel, to: pixels.count, by: 3) {
            records.append(pixels[position])
          }
        }
        done += 1
        if done % 500 == 0 { progress(done) }
      }
      try AtomicFile.write(records, to: folder + "/" + file.name)
    }
    try AtomicFile.write(
      classNames.joined(separator: "\n") + "\n", to: folder + "/batches.meta.txt")
    progress(done)
  }

  private static func draw(
    _ index: Int, _ split: DatasetSplit, _ seed: UInt64,
    into target: UnsafeMutableBufferPointer<UInt8>
  ) {
    var random = SampleRandom.source(
      seed: seed, .drawing, epoch: split == .test ? 1 : 0, index: index)
    let scene = DrawnScene(shape: label(at: index), side: side, &random)
    var position = 0
    for row in 0..<side {
      for column in 0..<side {
        let colour = scene.colour(Float(column) + 0.5, Float(row) + 0.5)
        for channel in 0..<3 {
          let value = colour[channel] + scene.noise * grain(&random)
          target[position] = UInt8(max(0, min(255, value * 255 + 0.5)))
          position += 1
        }
      }
    }
  }

  /// A random number of mean 0 and variance 1: the sum of four even ones.
  private static func grain(_ random: inout RandomSource) -> Float {
    let bits = random.next()
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + bits >> 48
    return (Float(sum) / 65_535 - 2) * 1.732_050_8
  }
}

/// Drawn pictures in memory.
private struct DrawnSource: SampleSource {
  /// `[count, side, side, 3]`.
  let bytes: [UInt8]
  let count: Int
  let split: DatasetSplit

  func sample(at index: Int) throws(DataError) -> RawSample {
    let side = DrawnShapes.side
    let size = 3 * side * side
    return .image(
      ImageBytes(
        height: side, width: side, channels: 3,
        bytes: Array(bytes[index * size..<(index + 1) * size])))
  }

  func location(at index: Int) -> String { "drawn shapes, \(split.words) picture \(index)" }
}
