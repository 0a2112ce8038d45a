// SPDX-License-Identifier: Apache-2.0
public import CPURuntime
public import Foundation
public import GraphIR
import GraphPasses
import OnnxIO

extension CompiledModel {
  /// Reads an ONNX file and compiles it for this processor.
  ///
  /// ```swift
  /// let model = try CompiledModel(contentsOf: url)
  /// let logits = try model(image)
  /// ```
  ///
  /// - Parameters:
  ///   - url: The ONNX file.
  ///   - batch: What the free batch extent becomes; see `BatchedModel` for batches of any size.
  ///   - options: Threads and precision; by default all processors, and the precision that the
  ///     network was made for.
  /// - Throws: `OnnxError` if the file cannot be read, `CompileError` naming the node that cannot
  ///   be run, `CompileError.notQuantized` if 8-bit integers are asked of a float network.
  public convenience init(
    contentsOf url: URL, batch: Int = 1, options: CompileOptions? = nil
  ) throws {
    let graph = try OnnxModel.read(contentsOf: url).portable()
    try self.init(portable: graph, batch: batch, options: options)
  }

  /// Compiles a portable graph for one batch size.
  ///
  /// - Parameters:
  ///   - graph: A network in the form of `Graph.portable(stoppingAfter:)`.
  ///   - batch: What the free batch extent becomes.
  ///   - shapes: Shapes of inputs by name, where they are not to follow from `batch`.
  ///   - options: As in `init(contentsOf:batch:options:)`.
  /// - Throws: `GraphError` if a shape contradicts the network, else as
  ///   `init(contentsOf:batch:options:)`.
  public convenience init(
    portable graph: Graph, batch: Int = 1, shapes: [String: [Int]] = [:],
    options: CompileOptions? = nil
  ) throws {
    if options?.precision == .int8, !graph.isQuantized { throw CompileError.notQuantized }
    let chosen = options ?? CompileOptions(precision: graph.naturalPrecision)
    let fixed = try graph.specialized(batch: batch, shapes: shapes)
    var known: [String: [Int]] = [:]
    for input in fixed.inputs { known[fixed[input].name] = fixed.type(input)?.shape }
    try self.init(portable: graph, shapes: known, options: chosen)
  }
}
