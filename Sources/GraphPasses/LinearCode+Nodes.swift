// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension LinearCode {
  /// The code that a `DequantizeLinear` node with constant parameters reads.
  init?(dequantizing node: Node?, in index: GraphIndex) {
    guard let node, let op = node.op as? DequantizeLinear, op.blockSize == 0,
      let codes = node.inputs.first.flatMap({ $0 }), let type = index.type(codes)
    else { return nil }
    self.init(parametersOf: node, elementType: type.elementType, axis: op.axis, in: index)
  }

  /// The code that a `QuantizeLinear` node with constant parameters writes.
  init?(quantizing node: Node?, in index: GraphIndex) {
    guard let node, let op = node.op as? QuantizeLinear, op.blockSize == 0,
      let output = index.onlyOutput(of: node)
    else { return nil }
    let zeroPoint = node.inputs.count > 2 ? index.type(node.inputs[2])?.elementType : nil
    let type = zeroPoint ?? op.outputType ?? index.type(output)?.elementType ?? .uint8
    self.init(parametersOf: node, elementType: type, axis: op.axis, in: index)
  }

  private init?(
    parametersOf node: Node, elementType: ElementType, axis: Int, in index: GraphIndex
  ) {
    guard node.inputs.count >= 2, let scale = index.constant(node.inputs[1]), scale.rank <= 1,
      scale.elementType == .float32, scale.count > 0, elementType.isInteger
    else { return nil }
    let scales = scale.floats()
    guard scales.allSatisfy({ $0.isFinite && $0 > 0 }) else { return nil }
    var zeroPoints = [Int32](repeating: 0, count: scales.count)
    if node.inputs.count > 2, let value = node.inputs[2] {
      guard let constant = index.constant(value), constant.count == scales.count else { return nil }
      zeroPoints = constant.integers().map { Int32(clamping: $0) }
    }
    var position: Int?
    if scales.count > 1 {
      guard let rank = index.type(node.inputs[0])?.rank else { return nil }
      position = axis < 0 ? axis + rank : axis
    }
    self.init(elementType: elementType, scales: scales, zeroPoints: zeroPoints, axis: position)
  }

  /// Whether the code has 8 bits and one scale, as activations of integer kernels have.
  var isByteWithOneScale: Bool { isByte && scales.count == 1 }

  var isByte: Bool { elementType == .int8 || elementType == .uint8 }

  /// The least and greatest real number that a code of one scale stands for.
  var realRange: ClosedRange<Float>? {
    guard scales.count == 1, let range = elementType.integerRange else { return nil }
    let zeroPoint = Int64(zeroPoints[0])
    return Float(range.lowerBound - zeroPoint) * scales[0]...Float(range.upperBound - zeroPoint)
      * scales[0]
  }

  /// The code of a number, if it stands for exactly that number.
  func code(of real: Double) -> Int64? {
    guard scales.count == 1, let range = elementType.integerRange else { return nil }
    let steps = (real / Double(scales[0])).rounded(.toNearestOrEven)
    guard abs(steps) < 1e9, Float(steps) * scales[0] == Float(real) else { return nil }
    let code = Int64(steps) + Int64(zeroPoints[0])
    return range.contains(code) ? code : nil
  }
}

extension LinearCode {
  /// Whether quantizing to the code does the work of a stage before it.
  ///
  /// Quantization is monotonic: a bound whose code is the last one changes nothing.
  func implies(_ stage: Fused.Stage) -> Bool {
    switch stage {
    case .activation(.relu): contains(codesFor: 0, .infinity)
    case .clip(let lower, let upper): contains(codesFor: lower, upper)
    default: false
    }
  }

  private func contains(codesFor lower: Float, _ upper: Float) -> Bool {
    guard scales.count == 1, let range = elementType.integerRange, lower <= upper else {
      return false
    }
    let least = (lower / scales[0]).rounded(.toNearestOrEven) + Float(zeroPoints[0])
    let greatest = (upper / scales[0]).rounded(.toNearestOrEven) + Float(zeroPoints[0])
    return least <= Float(range.lowerBound) && greatest >= Float(range.upperBound)
  }
}
