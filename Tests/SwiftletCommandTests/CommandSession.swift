// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet
import SwiftletCommand
import TestSupport

/// Runs the command within the test, its words caught, in a folder of its own.
struct CommandSession {
  struct Result {
    var status: Int32
    var output: String
    var errors: String

    /// The object on standard output.
    var object: [String: Any] {
      let object = try? JSONSerialization.jsonObject(with: Data(output.utf8))
      return object as? [String: Any] ?? [:]
    }
  }

  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  func callAsFunction(_ arguments: String...) -> Result { self(arguments) }

  func callAsFunction(_ arguments: [String]) -> Result {
    let output = TextBuffer()
    let errors = TextBuffer()
    let status = SwiftletTool.run(arguments) { options in
      Console(
        options: options, output: .init(sink: output.sink, terminal: .plain),
        errors: .init(sink: errors.sink, terminal: .plain))
    }
    return Result(status: status, output: output.text, errors: errors.text)
  }

  /// Writes the small classifier and returns its path.
  func model(_ name: String = "small.onnx") throws -> String {
    let path = folder.file(name)
    try OnnxModel.write(SmallNetwork.classifier(), to: URL(fileURLWithPath: path))
    return path
  }

  /// Writes random samples with the labels that the float network gives them, and returns the path.
  func data(count: Int = 120) throws -> String {
    let type = TensorType(.float32, shape: [count, 3, 8, 8])
    let x = RandomInputs.tensors(for: [("x", type)], seed: 11)["x"] ?? Tensor(scalar: Float(0))
    let scores = try Interpreter(SmallNetwork.classifier()).run(["input": x])[0].floats()
    let labels = (0..<count).map { row -> Int64 in
      let line = scores[row * 4..<row * 4 + 4]
      return Int64((line.indices.max { line[$0] < line[$1] } ?? 0) - row * 4)
    }
    let path = folder.file("data.npz")
    try NpzFile.write([("x", x), ("y", Tensor(labels, shape: [count]))], to: path)
    return path
  }
}
