// SPDX-License-Identifier: Apache-2.0
public import GraphIR
import TensorCore

/// The publication that a network comes from.
public struct Paper: Sendable, Equatable, CustomStringConvertible {
  public var authors: String
  public var title: String
  public var year: Int

  /// Such as `He et al., 2015`.
  public var description: String { "\(authors), \(year)" }
}

/// What is left open by the name of an architecture.
public struct ArchitectureOptions: Sendable, Equatable {
  /// Extents of a picture; by default the first of the architecture's inputs.
  public var input: InputShape?
  /// By default 1000 for pictures of ImageNet's size, 10 for small ones.
  public var classCount: Int?
  /// Multiplies the numbers of channels, where the paper has such a factor.
  public var width: Double?
  /// Of the initial weights.
  public var seed: UInt64

  public init(
    input: InputShape? = nil, classCount: Int? = nil, width: Double? = nil, seed: UInt64 = 0
  ) {
    self.input = input
    self.classCount = classCount
    self.width = width
    self.seed = seed
  }
}

/// A network of the zoo: its source, and how its graph is built.
public struct Architecture: Sendable {
  /// Work and size of a network.
  public struct Counts: Sendable, Equatable {
    /// Elements of weights, biases and batch-norm scales; running statistics are none.
    public var parameters: Int
    /// Multiply-accumulate operations for one picture.
    public var macs: Int
  }

  /// As torchvision writes it, where it has the network.
  public let name: String
  public let paper: Paper
  /// What tells the network from others, in a sentence without a stop.
  public let summary: String
  /// Pictures that it was made for, the usual ones first.
  public let inputs: [InputShape]
  /// The width multiplier that the name stands for; `nil` where the paper has none.
  public let width: Double?
  let layers: @Sendable (inout NetworkBuilder) -> Void

  init(
    _ name: String, _ paper: Paper, _ summary: String, inputs: [InputShape] = [.imageNet, .cifar],
    width: Double? = nil, layers: @escaping @Sendable (inout NetworkBuilder) -> Void
  ) {
    self.name = name
    self.paper = paper
    self.summary = summary
    self.inputs = inputs
    self.width = width
    self.layers = layers
  }

  /// Multipliers that options may ask for.
  public static let widths: ClosedRange<Double> = 0.1...8

  /// The network with weights as the paper initializes them.
  ///
  /// A graph in the vocabulary of ONNX, in inference form, batch norm unfolded: input `input`
  /// `[N, C, H, W]`, output `logits` `[N, classes]`. Constants are named as the keys of
  /// torchvision's `state_dict`, nodes as its modules. The same options give the same graph.
  ///
  /// - Throws: `ZooError` if an option is out of range, the width of a network without one is asked
  ///   for, or the pictures are too small.
  public func graph(
    _ options: ArchitectureOptions = ArchitectureOptions()
  ) throws(ZooError) -> Graph {
    let random = RandomSource(seed: options.seed)
    return try built(options, batch: .symbol("N"), random: random).finished()
  }

  /// The network with the weights of a safetensors file, named as `graph(_:)` says.
  ///
  /// - Throws: `ZooError` as `graph(_:)`, and if tensors are missing, superfluous or of another
  ///   shape; `DataError` if the file cannot be read.
  public func graph(
    _ options: ArchitectureOptions = ArchitectureOptions(), weightsFrom path: String
  ) throws -> Graph {
    try outline(options).readingWeights(contentsOf: path)
  }

  /// The network as `graph(_:)` builds it, its weights and biases known by their types alone.
  ///
  /// - Throws: As `graph(_:)`.
  package func outline(
    _ options: ArchitectureOptions = ArchitectureOptions()
  ) throws(ZooError) -> Graph {
    try built(options, batch: .symbol("N"), random: nil).finished()
  }

  /// Parameters and multiply-accumulates; no weight is drawn for them.
  ///
  /// - Throws: As `graph(_:)`.
  public func counts(
    _ options: ArchitectureOptions = ArchitectureOptions()
  ) throws(ZooError) -> Counts {
    let network = try built(options, batch: .fixed(1), random: nil)
    let graph = try network.finished()
    let macs = graph.nodes.reduce(0) { sum, node in
      let inputs = node.inputs.map { graph.type($0) }
      let outputs = node.outputs.map { graph.type($0) }
      return sum + (node.op.cost(inputs: inputs, outputs: outputs)?.multiplyAccumulates ?? 0)
    }
    return Counts(parameters: network.parameterCount, macs: macs)
  }

  private func built(
    _ options: ArchitectureOptions, batch: Dimension, random: RandomSource?
  ) throws(ZooError) -> NetworkBuilder {
    let input = options.input ?? inputs.first ?? .imageNet
    let classCount = options.classCount ?? (input.isSmall ? 10 : 1000)
    guard (1...100_000).contains(classCount) else {
      throw .invalidOption(
        architecture: name, option: "classes", found: "\(classCount)", accepted: "1…100000")
    }
    if let asked = options.width {
      guard width != nil else {
        throw .invalidOption(
          architecture: name, option: "width", found: "\(asked)",
          accepted: "none: this network has no width multiplier")
      }
      guard Self.widths.contains(asked) else {
        throw .invalidOption(
          architecture: name, option: "width", found: "\(asked)",
          accepted: "\(Self.widths.lowerBound)…\(Self.widths.upperBound)")
      }
    }
    var network = NetworkBuilder(
      name: name, input: input, classCount: classCount, width: options.width ?? width ?? 1,
      batch: batch, random: random)
    layers(&network)
    return network
  }
}
