// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// An op that, with some operands or attributes, hands its first input on unchanged.
protocol PassThrough: Op {
  /// Whether the first output of `node` equals its first input for every input.
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool
}

/// An op that only gives its first input another shape: a no-op where the shape stays.
protocol ShapeOnly: PassThrough {}

extension ShapeOnly {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    index.haveEqualDimensions(node.inputs.first.flatMap { $0 }, node.outputs.first.flatMap { $0 })
  }
}

extension Reshape: ShapeOnly {}
extension Squeeze: ShapeOnly {}
extension Unsqueeze: ShapeOnly {}
extension Expand: ShapeOnly {}
extension Tile: ShapeOnly {}

extension Flatten: ShapeOnly {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    let isMatrix = node.inputs.first.map { index.type($0)?.rank == 2 } ?? false
    return (isMatrix && (axis == 1 || axis == -1))
      || index.haveEqualDimensions(
        node.inputs.first.flatMap { $0 }, node.outputs.first.flatMap { $0 })
  }
}

extension Identity: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool { true }
}

extension Dropout: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool { true }
}

extension Cast: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    index.type(node.inputs.first.flatMap { $0 })?.elementType == target
  }
}

extension Transpose: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    if let permutation { return permutation == Array(permutation.indices) }
    return (index.type(node.inputs.first.flatMap { $0 })?.rank ?? 2) <= 1
  }
}

extension Pad: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    guard node.inputs.count > 1, let pads = index.integers(node.inputs[1]) else { return false }
    return pads.allSatisfy { $0 == 0 }
  }
}

extension Slice: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    if node.inputs.count > 4, let steps = node.inputs[4] {
      guard let steps = index.integers(steps), steps.allSatisfy({ $0 > 0 }) else { return false }
    }
    return index.haveEqualDimensions(
      node.inputs.first.flatMap { $0 }, node.outputs.first.flatMap { $0 })
  }
}

extension Concat: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool { node.inputs.count == 1 }
}

extension Variadic: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool { node.inputs.count == 1 }
}

extension Clip: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    node.inputs.dropFirst().allSatisfy { $0 == nil }
  }
}

extension PoolingWindow {
  /// Whether each window is one element and windows cover every element once.
  var isTrivial: Bool {
    let pads: [Int] = if case .explicit(let pads) = padding { pads } else { [] }
    return (kernel + strides).allSatisfy { $0 == 1 } && pads.allSatisfy { $0 == 0 }
  }
}

extension MaxPool: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool { window.isTrivial }
}

extension AveragePool: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool { window.isTrivial }
}

extension Binary: PassThrough {
  func passesThrough(_ node: Node, in index: GraphIndex) -> Bool {
    guard node.inputs.count == 2, let neutral = index.scalar(node.inputs[1]) else { return false }
    let isNeutral =
      switch function {
      case .add, .subtract: neutral == 0
      case .multiply, .divide, .power: neutral == 1
      default: false
      }
    return isNeutral
      && index.haveEqualDimensions(node.inputs[0], node.outputs.first.flatMap { $0 })
  }
}
