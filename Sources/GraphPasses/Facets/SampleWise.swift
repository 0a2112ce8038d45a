// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// An op that keeps samples apart: with samples along the first axis of some inputs, the same are
/// along the first axis of the outputs, and each depends on its own alone.
protocol SampleWise: Op {
  /// Whether the node does so, given which of its inputs hold samples. All shapes are known, and the
  /// outputs have as many samples as these inputs.
  func keepsSamplesApart(_ node: SampledNode) -> Bool
}

/// A node some of whose inputs hold samples.
struct SampledNode {
  let node: Node

  /// One per input; the others are the same for all samples.
  let holdsSamples: [Bool]

  let graph: Graph

  /// Whether the first input holds samples and no other does.
  var isFirstOnly: Bool {
    holdsSamples.first == true && !holdsSamples.dropFirst().contains(true)
  }

  func shape(ofInput position: Int) -> [Int]? {
    position < node.inputs.count ? graph.type(node.inputs[position])?.shape : nil
  }

  var outputRank: Int? { graph.type(node.outputs.first ?? nil)?.rank }

  /// The constant integers of an input.
  func integers(ofInput position: Int) -> [Int]? {
    guard position < node.inputs.count, let constant = graph.constant(node.inputs[position]),
      constant.elementType.isInteger
    else { return nil }
    return constant.integers().map { Int($0) }
  }

  /// Whether an axis of the first input, counted from the end if it is negative, is another than
  /// that of the samples.
  func isWithinSample(axis: Int) -> Bool {
    guard let rank = shape(ofInput: 0)?.count else { return false }
    return axis != 0 && axis != -rank
  }

  /// Whether broadcasting aligns the samples of all inputs that hold some, and spreads the others
  /// over all samples.
  var broadcastsOverSamples: Bool {
    guard let rank = outputRank else { return false }
    return node.inputs.indices.allSatisfy { position in
      guard let shape = shape(ofInput: position) else { return node.inputs[position] == nil }
      if holdsSamples[position] { return shape.count == rank }
      return shape.count < rank || shape.first == 1
    }
  }
}

extension Graph {
  /// Whether the first axis of every input and output is one of samples that the network keeps
  /// apart, so that a batch may be run in parts.
  ///
  /// The answer is `false` wherever it does not follow from the operators, as for networks that
  /// compute with the batch size.
  package var keepsSamplesApart: Bool {
    // No network says 13 of its own accord, so an extent of 13 is that of the samples.
    let count = 13
    guard !inputs.isEmpty, let fixed = try? specialized(batch: count) else { return false }
    var samples: Set<ValueID> = []
    for input in fixed.inputs {
      guard fixed.type(input)?.shape?.first == count else { return false }
      samples.insert(input)
    }
    for node in fixed.nodes {
      let holds = node.inputs.map { $0.map(samples.contains) ?? false }
      guard holds.contains(true) else {
        if node.op.isPure { continue }
        return false
      }
      let outputs = node.outputs.compactMap { $0 }
      guard let op = node.op as? any SampleWise,
        outputs.allSatisfy({ fixed.type($0)?.shape?.first == count }),
        op.keepsSamplesApart(SampledNode(node: node, holdsSamples: holds, graph: fixed))
      else { return false }
      samples.formUnion(outputs)
    }
    return fixed.outputs.allSatisfy(samples.contains)
  }
}

extension SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.isFirstOnly }
}

extension Conv: SampleWise {}
extension ConvTranspose: SampleWise {}
extension AveragePool: SampleWise {}
extension GlobalPool: SampleWise {}
extension InstanceNormalization: SampleWise {}
extension LocalResponseNormalization: SampleWise {}
extension Unary: SampleWise {}
extension Clip: SampleWise {}
extension Cast: SampleWise {}
extension Identity: SampleWise {}
extension RoundToLevels: SampleWise {}
extension Dropout: SampleWise {}
extension DepthToSpace: SampleWise {}
extension SpaceToDepth: SampleWise {}

// Rows of equal length stay whole where the first extent stays.
extension Flatten: SampleWise {}
extension Squeeze: SampleWise {}
extension Unsqueeze: SampleWise {}

extension MaxPool: SampleWise {
  // Indices count through the whole batch.
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    node.isFirstOnly && node.node.outputs.dropFirst().allSatisfy { $0 == nil }
  }
}

extension BatchNormalization: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.isFirstOnly && !trainingMode }
}

extension LayerNormalization: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    node.isFirstOnly && node.isWithinSample(axis: axis)
  }
}

extension Softmax: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.isWithinSample(axis: axis) }
}

extension ArgExtreme: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.isWithinSample(axis: axis) }
}

extension Reduce: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    guard node.isFirstOnly, let axes = node.integers(ofInput: 1), !axes.isEmpty else {
      return false
    }
    return axes.allSatisfy(node.isWithinSample)
  }
}

extension QuantizeLinear: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    node.isFirstOnly && (node.shape(ofInput: 1)?.isEmpty == true || node.isWithinSample(axis: axis))
  }
}

extension DequantizeLinear: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    node.isFirstOnly && (node.shape(ofInput: 1)?.isEmpty == true || node.isWithinSample(axis: axis))
  }
}

extension Gemm: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.isFirstOnly && !transposesA }
}

extension MatMul: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    guard let left = node.shape(ofInput: 0), let right = node.shape(ofInput: 1) else {
      return false
    }
    if node.isFirstOnly {
      return left.count >= 2
        && (right.count == 2 || right.count < left.count
          || (right.count == left.count && right[0] == 1))
    }
    // Rows of a matrix on the right are summed over; only axes before the matrices stay apart.
    return left.count >= 3 && right.count >= 3 && node.broadcastsOverSamples
  }
}

extension Binary: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.broadcastsOverSamples }
}

extension Variadic: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.broadcastsOverSamples }
}

extension Where: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { node.broadcastsOverSamples }
}

extension Reshape: SampleWise {
  // The target leaves the number of samples open: one that states it is made for one batch size.
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    guard node.isFirstOnly, let first = node.integers(ofInput: 1)?.first else { return false }
    return first == -1 || (first == 0 && !allowsZero)
  }
}

extension Transpose: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool { permutation?.first == 0 }
}

extension Concat: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    node.holdsSamples.allSatisfy { $0 } && node.isWithinSample(axis: axis)
  }
}

extension Split: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    node.isFirstOnly && node.isWithinSample(axis: axis)
  }
}

extension Slice: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    guard node.isFirstOnly, let axes = node.integers(ofInput: 3) else { return false }
    return axes.allSatisfy(node.isWithinSample)
  }
}

extension Gather: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    node.isFirstOnly && node.isWithinSample(axis: axis)
  }
}

extension Pad: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    guard node.isFirstOnly, node.shape(ofInput: 3) == nil,
      let pads = node.integers(ofInput: 1), let rank = node.shape(ofInput: 0)?.count,
      pads.count == 2 * rank
    else { return false }
    return pads[0] == 0 && pads[rank] == 0
  }
}

extension Resize: SampleWise {
  func keepsSamplesApart(_ node: SampledNode) -> Bool {
    guard node.isFirstOnly, coordinates != .cropAndResize, aspectPolicy == .stretch else {
      return false
    }
    if let axes { return axes.allSatisfy(node.isWithinSample) }
    guard let scales = node.shape(ofInput: 2), scales != [0] else { return true }
    return node.graph.constant(node.node.inputs[2])?.reals().first == 1
  }
}
