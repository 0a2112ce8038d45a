// SPDX-License-Identifier: Apache-2.0
import GraphIR

/// An op whose results are elements of its inputs, whatever they stand for: it does the same to
/// integer codes as to the real numbers they stand for.
protocol ElementMovement: Op {
  /// Whether the op moves elements with these attributes.
  var movesElements: Bool { get }

  /// The inputs whose elements go to the outputs.
  func movedInputs(of node: Node) -> Swift.Range<Int>

  /// Whether all outputs hold moved elements rather than only the first.
  var movesToAllOutputs: Bool { get }

  /// The input with the number that fills what no element fills; zero fills where it is left out.
  var fillInput: Int? { get }
}

extension ElementMovement {
  var movesElements: Bool { true }
  func movedInputs(of node: Node) -> Swift.Range<Int> { 0..<1 }
  var movesToAllOutputs: Bool { false }
  var fillInput: Int? { nil }
}

extension Identity: ElementMovement {}
extension Reshape: ElementMovement {}
extension Flatten: ElementMovement {}
extension Squeeze: ElementMovement {}
extension Unsqueeze: ElementMovement {}
extension Transpose: ElementMovement {}
extension Expand: ElementMovement {}
extension Tile: ElementMovement {}
extension DepthToSpace: ElementMovement {}
extension SpaceToDepth: ElementMovement {}
extension Slice: ElementMovement {}
extension Gather: ElementMovement {}
extension MaxPool: ElementMovement {}

extension Split: ElementMovement { var movesToAllOutputs: Bool { true } }

extension Concat: ElementMovement {
  func movedInputs(of node: Node) -> Swift.Range<Int> { node.inputs.indices }
}

extension Pad: ElementMovement {
  var fillInput: Int? { mode == .constant ? 2 : nil }
}

extension Resize: ElementMovement {
  var movesElements: Bool { mode == .nearest && coordinates != .cropAndResize }
}
