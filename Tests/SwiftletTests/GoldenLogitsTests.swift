// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import TensorCore
import TestSupport
import Testing

@Suite("Trained networks")
struct GoldenLogitsTests {
  private static let imagenet = Preprocessing(
    scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
  private static let half = Preprocessing(scale: 255, mean: [0.5], std: [0.5])

  /// Where CIFAR-10 is unpacked by `make data`.
  private static let cifarFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".build/data/cifar10")
  private static let hasCIFAR = FileManager.default.fileExists(
    atPath: cifarFolder.appendingPathComponent("test_batch.bin").path)

  @Test(
    "on CIFAR-10 give the logits that another runtime gave",
    .enabled(if: SharedData.isPresent && hasCIFAR, "no shared data, or CIFAR-10 not unpacked"),
    arguments: [
      ("resnet20", imagenet), ("resnet44", imagenet), ("resnet56", imagenet),
      ("resnet20-conv1x1", half), ("resnet20-ssl-zerochannels", half), ("resnet8-mlperf", .raw),
    ])
  func cifar(name: String, preprocessing: Preprocessing) throws {
    let dataset = try Dataset.open(Self.cifarFolder.path, split: .test)
    let loader = try BatchLoader(dataset: dataset, preprocessing: preprocessing)
    try expectGoldenLogits("cifar10-\(name)", try loader.batch([0, 1, 2, 3]).input)
  }

  @Test(
    "on MNIST and keywords give the logits that another runtime gave",
    .enabled(if: SharedData.isPresent, "no shared data"),
    arguments: [
      ("mnist-convnet", "mnist", Preprocessing.mnist),
      ("kws-dscnn-mlperf", "kws01/kws01.npz", .raw),
    ])
  func small(name: String, data: String, preprocessing: Preprocessing) throws {
    let path = try #require(SharedData.file(data)).path
    let dataset = try Dataset.open(path, split: data == "mnist" ? .test : .all)
    let loader = try BatchLoader(dataset: dataset, preprocessing: preprocessing)
    try expectGoldenLogits(name, try loader.batch([0, 1, 2, 3]).input)
  }

  @Test(
    "on photographs give the logits that another runtime gave",
    .enabled(if: SharedData.isPresent, "no shared data"),
    arguments: [
      ("imagenet-mobilenet_v1_0.75_224", 224, [2, 1, 0], [127.5, 127.5, 127.5], Float(127.5)),
      ("imagenet-squeezenet1.1", 227, [0, 1, 2], [104, 117, 123], 1),
    ] as [(String, Int, [Int], [Float], Float)])
  func photographs(
    name: String, size: Int, order: [Int], mean: [Float], divisor: Float
  ) throws {
    // Bytes of four images, 256 × 256 × RGB, so that no decoder's rounding is part of it. `order`
    // counts channels from blue on.
    let file = try #require(SharedData.file("imagenet-sample-256/golden_first4_rgb_u8.bin"))
    let bytes = [UInt8](try Data(contentsOf: file))
    let offset = (256 - size) / 2
    var values: [Float] = []
    for image in 0..<4 {
      for channel in 0..<3 {
        for row in 0..<size {
          for column in 0..<size {
            let pixel = (image * 256 + row + offset) * 256 + column + offset
            let byte = Float(bytes[pixel * 3 + 2 - order[channel]])
            values.append((byte - mean[channel]) / divisor)
          }
        }
      }
    }
    try expectGoldenLogits(name, Tensor(values, shape: [4, 3, size, size]))
  }

  /// Both sides add up in single precision, in other orders: 1e-4 of the greatest logit.
  private func expectGoldenLogits(_ name: String, _ input: Tensor) throws {
    let golden = try #require(SharedData.file("models/\(name).golden4.f32"))
    let expected = try Data(contentsOf: golden).withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)
      }
    }
    let file = try #require(SharedData.file("models/\(name).onnx"))
    let found = try CompiledModel(contentsOf: file, batch: 4)(input).floats()
    try #require(found.count == expected.count)
    let greatest = expected.map(abs).max() ?? 0
    let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(difference <= greatest * 1e-4)
  }
}
