// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// How many groups of nodes the runtime computes as one operator that exporters spell out.
public struct NetworkPatterns: Sendable, Equatable {
  public var layerNormalizations = 0
  public var gelus = 0
  public var attentions = 0
  public var dynamicProducts = 0

  /// Counts the operators in a network as the compiler takes it; see `Graph.lowered`.
  public init(in lowered: Graph) {
    for node in lowered.nodes {
      count(node.op)
      guard let fused = node.op as? Fused else { continue }
      count(fused.root)
      for case .activation(.gelu) in fused.stages { gelus += 1 }
    }
  }

  private mutating func count(_ op: any Op) {
    switch op {
    case is LayerNormalization: layerNormalizations += 1
    case is DotProductAttention: attentions += 1
    case is DynamicMatMul: dynamicProducts += 1
    case let unary as Unary: if case .gelu = unary.function { gelus += 1 }
    default: break
    }
  }

  /// Names and numbers of those that occur.
  public var counts: [(name: String, count: Int)] {
    [
      ("LayerNorm", layerNormalizations), ("GELU", gelus), ("attention", attentions),
      ("dynamic product", dynamicProducts),
    ].filter { $0.1 > 0 }
  }
}
