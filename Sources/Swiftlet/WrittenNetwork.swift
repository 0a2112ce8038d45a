// SPDX-License-Identifier: Apache-2.0
public import CPURuntime
public import Foundation
public import GraphIR
import OnnxIO
import TensorCore

/// A network that was written as an ONNX file and read back.
public struct WrittenNetwork: Sendable {
  /// The operator set of the file.
  public let opset: Int

  /// The network as it was read back, in the portable form.
  public let portable: Graph

  /// The greatest difference between outputs of the file and of the network in memory, on the same
  /// random inputs; 0 if they are the same to the last bit.
  public let greatestDifference: Double

  /// Writes a network, reads the file back and runs both.
  ///
  /// The file is written beside its place and renamed.
  ///
  /// - Parameters:
  ///   - graph: The network in memory, in the portable form.
  ///   - url: The file.
  ///   - options: How both are run.
  ///   - seed: Of the inputs.
  /// - Throws: `OnnxError` if the file cannot be written or read back, or what running throws.
  public init(
    _ graph: Graph, to url: URL, options: CompileOptions? = nil, seed: UInt64 = 0
  ) throws {
    try OnnxModel.write(graph, to: url)
    let read = try OnnxModel.read(contentsOf: url)
    opset = read.metadata.opset
    portable = try read.portable()
    let plain = try graph.portable()
    let typed = try plain.specialized(batch: 1)
    let inputs = RandomInputs.tensors(
      for: typed.inputs.compactMap { id in typed[id].type.map { (typed[id].name, $0) } },
      seed: seed)
    let memory = try BatchedModel(portable: plain, options: options).run(inputs)
    let file = try BatchedModel(portable: portable, options: options).run(inputs)
    var greatest = 0.0
    for (wanted, got) in zip(memory, file) where wanted != got {
      for (a, b) in zip(wanted.reals(), got.reals()) where !(a == b || (a.isNaN && b.isNaN)) {
        greatest = max(greatest, (a - b).isNaN ? .infinity : abs(a - b))
      }
    }
    greatestDifference = greatest
  }
}
