// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Swiftlet

/// Reads the bytes behind the first as one of the formats that data comes in.
///
/// The first byte says which. Whatever the bytes are, the answer is data or an error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzData(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 1 else { return 0 }
  let bytes = [UInt8](UnsafeBufferPointer(start: start + 1, count: count - 1))
  switch start[0] % 8 {
  case 0: _ = try? NpyFile.decode(bytes, path: "input.npy")
  case 1:
    Scratch.write(bytes, as: "input.npz")
    _ = try? NpzFile.read(Scratch.path("input.npz"))
  case 2: _ = try? ImageBytes.decode(bytes, path: "input.jpg").resized(shortSide: 8)
  case 3:
    Scratch.write(bytes, as: "train-images-idx3-ubyte")
    readSamples(Scratch.path("train-images-idx3-ubyte"))
  case 4:
    Scratch.write(bytes, as: "input.npz")
    readSamples(Scratch.path("input.npz"))
  case 5:
    Scratch.write(bytes, as: "images/labels.csv")
    readSamples(Scratch.path("images"))
  case 6:
    Scratch.write(bytes, as: "data_batch_1.bin")
    readSamples(Scratch.path("data_batch_1.bin"))
  default:
    Scratch.write(bytes, as: "input.safetensors")
    _ = try? SafeTensorsFile(path: Scratch.path("input.safetensors")).tensors()
  }
  return 0
}

private func readSamples(_ path: String) {
  guard let set = try? Dataset.open(path) else { return }
  for index in [0, set.count / 2, set.count - 1] where (0..<set.count).contains(index) {
    _ = try? set.sample(at: index)
  }
}

/// A folder of this process in memory, for readers that take a path.
private enum Scratch {
  static let folder: String = {
    let root =
      FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let path = root + "/swiftlet-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.createDirectory(
      atPath: path + "/images", withIntermediateDirectories: true)
    return path
  }()

  static func path(_ name: String) -> String { folder + "/" + name }

  static func write(_ bytes: [UInt8], as name: String) {
    FileManager.default.createFile(atPath: path(name), contents: Data(bytes))
  }
}
