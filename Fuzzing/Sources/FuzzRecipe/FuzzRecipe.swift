// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Swiftlet
import Yams

/// Reads the bytes as each kind of YAML file: preprocessing, a recipe for training, one of several
/// steps. A recipe that is understood is written, and read again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRecipe(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Data(bytes: start, count: count)
  FileManager.default.createFile(atPath: path, contents: bytes)
  _ = try? PreprocessingFile.read(path)
  let text = String(decoding: bytes, as: UTF8.self)
  guard !text.contains("&"), let root = try? compose(yaml: text) else { return 0 }
  reread(TrainingRecipe.self, root)
  reread(CompressionRecipe.self, root)
  return 0
}

private func reread<Recipe: Codable & Equatable>(_ kind: Recipe.Type, _ root: Yams.Node) {
  guard let recipe = try? YAMLDecoder().decode(kind, from: root) else { return }
  guard let written = try? YAMLEncoder().encode(recipe),
    let again = try? YAMLDecoder().decode(kind, from: written)
  else { fatalError("a recipe that was read cannot be written and read again") }
  precondition(again == recipe, "a recipe is another after it was written and read again")
}

private let path: String = {
  let root =
    FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
  return root + "/swiftlet-fuzz-\(ProcessInfo.processInfo.processIdentifier).yaml"
}()
