// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

/// What a network consists of: its layers with their shapes, parameters and work.
public struct NetworkSummary: Sendable, Equatable {
  /// One node of the network.
  public struct Layer: Sendable, Equatable {
    /// The node's name in the file, or that of its first output.
    public var name: String
    public var kind: String
    public var domain: String
    /// Types of the inputs that are not constants.
    public var inputs: [TensorType?]
    public var outputs: [TensorType?]
    public var parameters: Int
    /// Multiply-accumulate operations of one run; 0 where there are none or they are not known.
    public var macs: Int
    /// Bytes of the constants that it uses.
    public var bytes: Int
    /// Whether its products are of integer codes on both sides.
    public var isInteger: Bool
  }

  public var layers: [Layer]

  /// Elements of the constants that training changes, each counted once: running means and
  /// variances, shapes, scales and zero points are none.
  public var parameters: Int

  /// Multiply-accumulate operations of one run.
  public var macs: Int

  /// Fraction of the multiply-accumulates whose operands are both integer codes; 0 without any.
  public var integerShare: Double {
    let integer = layers.filter(\.isInteger).reduce(0) { $0 + $1.macs }
    return macs > 0 ? Double(integer) / Double(macs) : 0
  }

  /// Bytes of all constants, each counted once.
  public var constantBytes: Int

  /// The batch that `macs` and shapes are for.
  public var batch: Int

  /// Why the work of some nodes is not known.
  public var issues: [InferenceIssue]

  /// Sums up a network, as it was read or after passes.
  ///
  /// - Throws: `GraphError` if the batch contradicts the network's shapes.
  public init(of graph: Graph, batch: Int = 1) throws(GraphError) {
    var fixed = try graph.specialized(batch: batch)
    issues = fixed.inferTypes()
    self.batch = batch
    var counted: Set<ValueID> = []
    var stored: Set<ValueID> = []
    parameters = 0
    constantBytes = 0
    layers = []
    let index = GraphIndex(fixed)
    for node in fixed.nodes {
      let types = node.inputs.map { fixed.type($0) }
      var own = 0
      var bytes = 0
      for (position, input) in node.inputs.enumerated() {
        guard let input, let constant = fixed[input].constant else { continue }
        bytes += constant.bytes.count
        if stored.insert(input).inserted { constantBytes += constant.bytes.count }
        guard Self.isParameter(constant, of: node, at: position) else { continue }
        let count =
          (node.op as? any ParameterTaking)?.parameterCount(of: constant) ?? constant.count
        own += count
        if counted.insert(input).inserted { parameters += count }
      }
      let outputs = node.outputs.map { fixed.type($0) }
      layers.append(
        Layer(
          name: fixed.label(of: node), kind: node.op.kind, domain: node.op.domain,
          inputs: zip(node.inputs, types).filter { fixed.constant($0.0) == nil && $0.0 != nil }
            .map(\.1),
          outputs: outputs, parameters: own,
          macs: node.op.cost(inputs: types, outputs: outputs)?.multiplyAccumulates ?? 0,
          bytes: bytes, isInteger: Self.isInteger(node, in: index)))
    }
    macs = layers.reduce(0) { $0 + $1.macs }
  }

  /// Whether both operands of a product are codes, or dequantized from codes just before.
  private static func isInteger(_ node: Node, in index: GraphIndex) -> Bool {
    if node.op is ConvInteger || node.op is MatMulInteger || node.op is QLinearConv
      || node.op is QLinearMatMul
    {
      return true
    }
    return node.inputs.count > 1
      && node.inputs.prefix(2).allSatisfy { index.producer(of: $0)?.op is DequantizeLinear }
  }

  private static func isParameter(_ tensor: Tensor, of node: Node, at position: Int) -> Bool {
    if let taking = node.op as? any ParameterTaking {
      guard taking.parameterInputs.contains(position) else { return false }
      return tensor.elementType != .int64
    }
    switch tensor.elementType {
    case .int64, .uint64, .bool: return false
    case .float32, .float64, .float16, .bfloat16: return tensor.rank > 0
    // Codes of weights in the operators that take them without dequantization.
    default: return tensor.rank > 1
    }
  }
}
