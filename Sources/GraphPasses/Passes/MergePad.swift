// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Moves the padding of a constant `Pad` into the convolution or pooling behind it.
///
/// Zeros go into a convolution and into a mean that counts padding; into a maximum go −∞, and
/// zeros where the input cannot be negative.
package struct MergePad: GraphPass {
  package var name: String { "merge-pad" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    guard let padded = node.inputs.first.flatMap({ $0 }), let output = index.onlyOutput(of: node),
      let (source, pad) = index.producer(of: padded, as: Pad.self), pad.mode == .constant,
      let input = source.inputs[0], let rank = index.type(input)?.rank, rank >= 3,
      let spatial = spatialPads(of: source, rank: rank, in: index),
      let value = padValue(of: source, in: index),
      let merged = merged(
        node.op, with: spatial, value: value, isNonnegative: isNonnegative(input, in: index))
    else { return nil }

    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    if index.soleConsumer(of: padded) != nil { patch.remove(source) }
    patch.addNode(
      merged, name: node.name, inputs: [input] + node.inputs.dropFirst(), outputs: [output])
    return patch
  }

  /// Begins and then ends along the spatial axes, if nothing else is padded and nothing is cut.
  private func spatialPads(of node: Node, rank: Int, in index: GraphIndex) -> [Int]? {
    guard node.inputs.count > 1, let pads = index.integers(node.inputs[1]) else { return nil }
    var axes = Array(0..<rank)
    if node.inputs.count > 3, node.inputs[3] != nil {
      guard let given = index.integers(node.inputs[3]) else { return nil }
      axes = given.map { $0 < 0 ? $0 + rank : $0 }
    }
    guard pads.count == 2 * axes.count, pads.allSatisfy({ $0 >= 0 }) else { return nil }
    var all = [Int](repeating: 0, count: 2 * rank)
    for (position, axis) in axes.enumerated() {
      guard all.indices.contains(axis + rank), axis >= 0 else { return nil }
      all[axis] = pads[position]
      all[axis + rank] = pads[position + axes.count]
    }
    guard [0, 1, rank, rank + 1].allSatisfy({ all[$0] == 0 }) else { return nil }
    return Array(all[2..<rank] + all[(rank + 2)...])
  }

  private func padValue(of node: Node, in index: GraphIndex) -> Double? {
    guard node.inputs.count > 2, let value = node.inputs[2] else { return 0 }
    return index.scalar(value)
  }

  private func merged(
    _ op: any Op, with pads: [Int], value: Double, isNonnegative: Bool
  ) -> (any Op)? {
    if var conv = op as? Conv, value == 0, let sum = sum(conv.padding, pads) {
      conv.padding = sum
      return conv
    }
    if var pool = op as? MaxPool, !pool.window.ceilMode,
      value == -.infinity || (value == 0 && isNonnegative),
      let sum = sum(pool.window.padding, pads, below: pool.window.kernel)
    {
      pool.window.padding = sum
      return pool
    }
    if var pool = op as? AveragePool, !pool.window.ceilMode, value == 0,
      pool.countsPadding || pool.window.padding.isNone,
      let sum = sum(pool.window.padding, pads, below: pool.window.kernel)
    {
      pool.window.padding = sum
      pool.countsPadding = true
      return pool
    }
    return nil
  }

  /// The sum of two paddings, if it stays below the window where that is asked.
  private func sum(_ padding: Padding, _ pads: [Int], below kernel: [Int]? = nil) -> Padding? {
    var total = pads
    switch padding {
    case .sameUpper, .sameLower: return nil
    case .valid: break
    case .explicit(let own):
      if !own.isEmpty {
        guard own.count == pads.count else { return nil }
        total = zip(own, pads).map { $0 + $1 }
      }
    }
    if let kernel {
      guard 2 * kernel.count == total.count,
        total.enumerated().allSatisfy({ $1 < kernel[$0 % kernel.count] })
      else { return nil }
    }
    return .explicit(total)
  }

  private func isNonnegative(_ value: ValueID, in index: GraphIndex) -> Bool {
    guard let source = index.producer(of: value) else { return false }
    if let unary = source.op as? Unary { return unary.function == .relu }
    guard source.op is Clip, source.inputs.count > 1, let least = index.scalar(source.inputs[1])
    else { return false }
    return least >= 0
  }
}
