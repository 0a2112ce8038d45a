// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet

/// Reads the bytes as an ONNX file, infers, simplifies, writes and reads again.
///
/// Whatever the bytes are, the answer is a graph or an error; a graph that was read and simplified
/// must be writable or refused with a reason, and what was written must be readable.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOnnx(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
  guard let graph = try? OnnxModel.read(bytes, named: "input") else { return 0 }
  _ = try? NetworkSummary(of: graph)
  if let written = try? OnnxModel.serialized(graph) { readAgain(written) }
  guard let portable = try? graph.portable() else { return 0 }
  if let written = try? OnnxModel.serialized(portable) { readAgain(written) }
  _ = try? portable.lowered()
  return 0
}

private func readAgain(_ bytes: some Sequence<UInt8>) {
  do { _ = try OnnxModel.read(Array(bytes), named: "written") } catch {
    fatalError("what was written cannot be read: \(error)")
  }
}
