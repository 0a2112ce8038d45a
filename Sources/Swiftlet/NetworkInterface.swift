// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

/// The one input that takes samples and the output that scores them.
public struct NetworkInterface: Sendable, Equatable {
  public let inputName: String
  public let elementType: ElementType

  /// The input without the batch dimension; 0 for an extent that is free.
  public let sampleShape: [Int]

  /// The batch size, where the network fixes it.
  public let fixedBatch: Int?

  /// Scores per sample, where they follow from the shapes.
  public let classCount: Int?

  /// Bytes of everything that is computed for one sample; 0 if it is not known.
  public let activationBytes: Int

  /// The interface of a network with one input.
  ///
  /// - Throws: `InterfaceError` if the network has none or several inputs, no output, or an input
  ///   without a batch dimension.
  public init(of graph: Graph) throws(InterfaceError) {
    guard graph.inputs.count == 1, let input = graph.inputs.first else {
      throw .notOneInput(found: graph.inputs.map { graph[$0].name })
    }
    guard let output = graph.outputs.first else { throw .noOutput }
    let type = graph[input].type ?? TensorType(.float32, nil)
    guard let dimensions = type.dimensions, let batch = dimensions.first else {
      throw .noBatchDimension(input: graph[input].name, type: type.description)
    }
    inputName = graph[input].name
    elementType = type.elementType
    sampleShape = dimensions.dropFirst().map { $0.value ?? 0 }
    fixedBatch = batch.value
    let samples = batch.value ?? 1
    let fixed = try? graph.specialized(batch: samples)
    activationBytes = fixed.map { Self.computedBytes($0) / max(samples, 1) } ?? 0
    classCount = fixed.flatMap { $0.type(output)?.shape }
      .flatMap { samples > 0 ? $0.reduce(1, *) / samples : nil }
  }
}

extension NetworkInterface {
  /// Samples for which everything that is computed takes at most so many bytes: a power of two from
  /// 1 to 32, which threads can share, or what the network fixes.
  func batchSize(within bytes: Int) -> Int {
    if let fixedBatch { return max(fixedBatch, 1) }
    let fitting = max(min(Evaluator.batchSize, bytes / max(activationBytes, 1)), 1)
    return 1 << (Int.bitWidth - 1 - fitting.leadingZeroBitCount)
  }

  private static func computedBytes(_ graph: Graph) -> Int {
    graph.nodes.flatMap(\.outputs).reduce(0) { sum, output in
      guard let type = graph.type(output), let shape = type.shape else { return sum }
      return sum + type.elementType.byteCount(of: shape.reduce(1, *))
    }
  }
}

/// Why samples cannot be fed to a network.
public enum InterfaceError: Error, Equatable, Sendable, CustomStringConvertible {
  case notOneInput(found: [String])
  case noOutput
  case noBatchDimension(input: String, type: String)
  case unevenScores(output: [Int], samples: Int)
  case unfitArray(input: String, found: String, expected: String)

  public var description: String {
    switch self {
    case .notOneInput(let found):
      "the network has \(found.count) inputs (\(found.joined(separator: ", "))); "
        + "data sets can be fed to networks with one, others take an .npz with an array per input"
    case .noOutput: "the network has no output"
    case .unfitArray(let input, let found, let expected):
      "the array \"\(input)\" is \(found) (expected \(expected))"
    case .noBatchDimension(let input, let type):
      "input \"\(input)\" is \(type) (expected a first dimension for the samples of a batch)"
    case .unevenScores(let output, let samples):
      "the first output has shape \(output) for \(samples) samples "
        + "(expected as many scores for each sample)"
    }
  }
}
