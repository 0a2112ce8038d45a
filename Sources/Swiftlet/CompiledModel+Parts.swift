// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import GraphPasses
import TensorCore

extension CompiledModel {
  /// Compiles a portable graph for one shape per input: whole, or in parts of the batch where the
  /// network keeps samples apart and what a part computes is more than the weights that it reads
  /// again.
  ///
  /// - Throws: `GraphError` if a shape contradicts the network, `PassError` if a pass breaks it,
  ///   `CompileError` naming the node that cannot be run.
  convenience init(
    portable graph: Graph, shapes: [String: [Int]], options: CompileOptions
  ) throws {
    guard let part = try graph.part(ofBatches: shapes, threads: options.threads) else {
      try self.init(try graph.lowered(shapes: shapes), options: options)
      return
    }
    try self.init(part: part.graph, count: part.count, options: options)
  }
}

extension Graph {
  /// Multiply-accumulates of one part, at least: what it takes to start a step is then little.
  private static let leastWork = 100_000_000

  /// Bytes of weights that stay in a processor's cache from one part to the next.
  private static let cachedWeights = 1 << 20

  /// The graph for one part of a batch, lowered, and the number of parts; `nil` if the batch is
  /// better run as a whole.
  ///
  /// How large a part is depends on the number of threads only where there are more of them than
  /// parts: the batch is then run as a whole.
  fileprivate func part(
    ofBatches shapes: [String: [Int]], threads: Int
  ) throws -> (graph: Graph, count: Int)? {
    let batches = Set(inputs.map { shapes[self[$0].name]?.first ?? 0 })
    guard batches.count == 1, let batch = batches.first, batch > 1, hasFreeBatch,
      inputs.allSatisfy({ type($0)?.elementType.bitWidth ?? 0 >= 8 }), keepsSamplesApart
    else { return nil }
    func lowered(_ samples: Int) throws -> Graph {
      try self.lowered(shapes: shapes.mapValues { [samples] + $0.dropFirst() })
    }
    let single = try lowered(1)
    guard let samples = single.samplesPerPart(of: batch), batch / samples >= threads else {
      return nil
    }
    return (samples == 1 ? single : try lowered(samples), batch / samples)
  }

  /// Samples in one part of a batch, for a network that is lowered for one sample: the fewest that
  /// divide the batch, do enough work, and compute twice the bytes of the weights that they read;
  /// half the batch where these are too many.
  private func samplesPerPart(of batch: Int) -> Int? {
    var weights: Set<ValueID> = []
    var computed = 0
    var work = 0
    for node in nodes {
      weights.formUnion(node.inputs.compactMap { $0 }.filter { self[$0].constant != nil })
      for case .some(let output) in node.outputs {
        guard let type = self[output].type, let shape = type.shape else { return nil }
        computed += type.elementType.byteCount(of: shape.reduce(1, *))
      }
      let cost = node.op.cost(
        inputs: node.inputs.map { type($0) }, outputs: node.outputs.map { type($0) })
      work += cost?.multiplyAccumulates ?? 0
    }
    var read = weights.reduce(0) { $0 + (self[$1].constant?.bytes.count ?? 0) }
    if read <= Self.cachedWeights { read = 0 }
    let fitting = (1..<batch).first { samples in
      batch % samples == 0 && samples * computed >= 2 * read && samples * work >= Self.leastWork
    }
    if let fitting { return fitting }
    return batch % 2 == 0 && batch / 2 * work >= Self.leastWork ? batch / 2 : nil
  }
}
