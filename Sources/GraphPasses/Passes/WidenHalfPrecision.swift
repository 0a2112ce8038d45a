// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Lets operators on 16-bit floating-point numbers compute in 32 bits, and leaves out the rounding
/// to 16 bits between one and the next: kernels are made for 32 bits, and so is quantization.
///
/// Inputs and outputs of the network keep their types. Operators whose results jump, such as
/// comparisons, still see the rounded numbers.
package struct WidenHalfPrecision: GraphPass {
  package var name: String { "widen-half-precision" }

  package init() {}

  package func patch(at node: Node, in index: GraphIndex) -> GraphPatch? {
    if let cast = node.op as? Cast { return joined(node, cast, in: index) }
    guard let op = node.op as? any WidensHalfPrecision, op.widensHalfPrecision else { return nil }
    let narrow = (node.inputs + node.outputs).compactMap { $0 }.filter { isHalf($0, in: index) }
    guard !narrow.isEmpty else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    var widened: [ValueID: ValueID] = [:]
    let inputs = node.inputs.map { input -> ValueID? in
      guard let input, isHalf(input, in: index) else { return input }
      if let known = widened[input] { return known }
      let name = "\(index.graph[input].name).wide"
      let wide: ValueID
      if let constant = index.constant(input) {
        wide = patch.addConstant(constant.converted(to: .float32), name: name)
      } else {
        wide = patch.addValue(name: name, type: Self.wide(index.type(input)))
        patch.addNode(Cast(to: .float32), name: "", inputs: [input], outputs: [wide])
      }
      widened[input] = wide
      return wide
    }
    var casts: [(from: ValueID, to: ValueID, type: ElementType)] = []
    let outputs = node.outputs.map { output -> ValueID? in
      guard let output, isHalf(output, in: index), let type = index.type(output) else {
        return output
      }
      let wide = patch.addValue(
        name: "\(index.graph[output].name).wide", type: Self.wide(type))
      casts.append((wide, output, type.elementType))
      return wide
    }
    patch.addNode(node.op, name: node.name, inputs: inputs, outputs: outputs)
    for cast in casts {
      patch.addNode(Cast(to: cast.type), name: "", inputs: [cast.from], outputs: [cast.to])
    }
    return patch
  }

  /// A cast to 32 bits behind one from 32 to 16 bits hands the number on.
  private func joined(_ node: Node, _ cast: Cast, in index: GraphIndex) -> GraphPatch? {
    guard cast.target == .float32, let output = index.onlyOutput(of: node),
      let middle = node.inputs.first ?? nil, isHalf(middle, in: index),
      let (first, _) = index.producer(of: middle, as: Cast.self),
      let source = first.inputs.first ?? nil, index.type(source)?.elementType == .float32,
      index.canReplace(output, with: source)
    else { return nil }
    var patch = GraphPatch(of: index.graph)
    patch.remove(node)
    patch.replace(output, with: source)
    return patch
  }

  private func isHalf(_ value: ValueID, in index: GraphIndex) -> Bool {
    let type = index.type(value)?.elementType
    return type == .float16 || type == .bfloat16
  }

  private static func wide(_ type: TensorType?) -> TensorType? {
    type.map { TensorType(.float32, $0.dimensions) }
  }
}

/// An op whose 16-bit floating-point operands may be 32-bit ones of the same values, the result
/// rounded afterwards.
protocol WidensHalfPrecision: Op {
  /// Whether that is so with these attributes.
  var widensHalfPrecision: Bool { get }
}

extension WidensHalfPrecision {
  var widensHalfPrecision: Bool { true }
}

extension Conv: WidensHalfPrecision {}
extension ConvTranspose: WidensHalfPrecision {}
extension Gemm: WidensHalfPrecision {}
extension MatMul: WidensHalfPrecision {}
extension Einsum: WidensHalfPrecision {}
extension MaxPool: WidensHalfPrecision {}
extension AveragePool: WidensHalfPrecision {}
extension GlobalPool: WidensHalfPrecision {}
extension BatchNormalization: WidensHalfPrecision {}
extension LayerNormalization: WidensHalfPrecision {}
extension InstanceNormalization: WidensHalfPrecision {}
extension LocalResponseNormalization: WidensHalfPrecision {}
extension Softmax: WidensHalfPrecision {}
extension Clip: WidensHalfPrecision {}
extension Variadic: WidensHalfPrecision {}
extension Where: WidensHalfPrecision {}
extension Reduce: WidensHalfPrecision {}
extension Identity: WidensHalfPrecision {}
extension Dropout: WidensHalfPrecision {}
extension Reshape: WidensHalfPrecision {}
extension Flatten: WidensHalfPrecision {}
extension Squeeze: WidensHalfPrecision {}
extension Unsqueeze: WidensHalfPrecision {}
extension Transpose: WidensHalfPrecision {}
extension Expand: WidensHalfPrecision {}
extension Tile: WidensHalfPrecision {}
extension DepthToSpace: WidensHalfPrecision {}
extension SpaceToDepth: WidensHalfPrecision {}
extension Concat: WidensHalfPrecision {}
extension Split: WidensHalfPrecision {}
extension Slice: WidensHalfPrecision {}
extension Gather: WidensHalfPrecision {}
extension Pad: WidensHalfPrecision {}

extension Unary: WidensHalfPrecision {
  var widensHalfPrecision: Bool {
    switch function {
    case .ceil, .floor, .round, .sign, .isNaN, .isInfinity, .not, .bitwiseNot: false
    default: true
    }
  }
}

extension Binary: WidensHalfPrecision {
  var widensHalfPrecision: Bool {
    switch function {
    case .add, .subtract, .multiply, .divide, .power, .prelu: true
    default: false
    }
  }
}
