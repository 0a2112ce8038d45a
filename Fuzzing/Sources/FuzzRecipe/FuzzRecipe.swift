// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import Swiftlet

/// Reads the bytes as a YAML file with preprocessing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRecipe(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Data(bytes: start, count: count)
  FileManager.default.createFile(atPath: path, contents: bytes)
  _ = try? PreprocessingFile.read(path)
  return 0
}

private let path: String = {
  let root =
    FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
  return root + "/swiftlet-fuzz-\(ProcessInfo.processInfo.processIdentifier).yaml"
}()
