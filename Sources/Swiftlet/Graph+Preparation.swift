// SPDX-License-Identifier: Apache-2.0
public import CPURuntime
public import GraphIR
public import GraphPasses

extension Graph {
  /// The graph in the portable form: constants folded, batch norms folded, activations
  /// recognised; every node still has a form in ONNX.
  ///
  /// Compression methods start from this form.
  ///
  /// - Parameter limit: Stops after this many patches, to find the one that broke something.
  /// - Throws: `PassError` if a pass breaks the graph.
  public func portable(stoppingAfter limit: Int = .max) throws(PassError) -> Graph {
    try PassPipeline.portable.run(self, stoppingAfter: limit).graph
  }

  /// The graph in the portable form, but with its batch norms in training mode where the file has
  /// them so: it computes what the file says.
  ///
  /// - Throws: `PassError` if a pass breaks the graph.
  public func portableAsWritten() throws(PassError) -> Graph {
    try PassPipeline.asWritten.run(self).graph
  }

  /// A portable graph for fixed input shapes, as the runtime's compiler takes it.
  ///
  /// - Parameters:
  ///   - batch: What unknown first extents of inputs become.
  ///   - shapes: Shapes of inputs by name, where they are not to follow from `batch`.
  /// - Throws: `GraphError` if a shape contradicts the network, `PassError` if a pass breaks it.
  public func lowered(batch: Int = 1, shapes: [String: [Int]] = [:]) throws -> Graph {
    try PassPipeline.lowering.run(try specialized(batch: batch, shapes: shapes)).graph
  }

  /// Whether any node quantizes or dequantizes.
  public var isQuantized: Bool {
    nodes.contains { node in
      node.op is QuantizeLinear || node.op is DequantizeLinear || node.op is DynamicQuantizeLinear
        || node.op is ConvInteger || node.op is MatMulInteger || node.op is QLinearConv
        || node.op is QLinearMatMul
    }
  }

  /// The precision that the network was made for: `int8` if it is quantized, else `fp32`.
  public var naturalPrecision: Precision { isQuantized ? .int8 : .fp32 }
}
