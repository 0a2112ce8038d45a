// SPDX-License-Identifier: Apache-2.0
import COneDNN
import CKernels
import GraphIR
import TensorCore

/// A root operator with what is fused around it, taken apart for lowering.
struct Region {
  let node: Node
  let inputs: [ValueID?]
  /// One per input; how its codes are to be read.
  let codes: [LinearCode?]
  var stages: [Fused.Stage]
  /// One per `add` stage.
  let addends: [ValueID?]
  let outputCode: LinearCode?
  let output: ValueID
  /// Whether the output's codes are made by a step of their own behind this region.
  let isQuantizedBehind: Bool

  init?(_ node: Node, inputs: [ValueID?]) {
    guard let output = node.outputs.first.flatMap({ $0 }) else { return nil }
    self.node = node
    self.inputs = inputs
    codes = Array(repeating: nil, count: inputs.count)
    stages = []
    addends = []
    outputCode = nil
    self.output = output
    isQuantizedBehind = false
  }

  init?(_ node: Node, fused: Fused) {
    guard let output = node.outputs.first.flatMap({ $0 }),
      node.inputs.count >= fused.rootInputCount
    else { return nil }
    self.node = node
    inputs = Array(node.inputs.prefix(fused.rootInputCount))
    codes = fused.inputCodes
    stages = fused.stages
    addends = Array(node.inputs.dropFirst(fused.rootInputCount))
    outputCode = fused.outputCode
    self.output = output
    isQuantizedBehind = false
  }

  /// Whether the result of this region itself is a real number.
  func givesReals(in graph: Graph) -> Bool {
    outputCode == nil && (isQuantizedBehind || graph.type(output)?.elementType == .float32)
  }

  func input(_ index: Int) -> ValueID? { index < inputs.count ? inputs[index] : nil }

  func code(_ index: Int) -> LinearCode? { index < codes.count ? codes[index] : nil }

  /// Whether the region computes on integer codes.
  var isQuantized: Bool { codes.contains { $0 != nil } }

  /// Whether codes are added to a result that stays real.
  var hasCodedAddendOfReals: Bool {
    outputCode == nil
      && stages.contains { stage in
        if case .add(let code) = stage { code != nil } else { false }
      }
  }

  /// The codes' one scale and zero point, where there is just one.
  static func scalar(_ code: LinearCode?) -> (scale: Float, zeroPoint: Int32)? {
    guard let code, code.scales.count == 1, code.zeroPoints.count == 1 else { return nil }
    return (code.scales[0], code.zeroPoints[0])
  }
}

/// A root operator that can be lowered together with what is fused around it.
protocol RegionLowerable: Lowerable {
  func lower(_ region: Region, into builder: ProgramBuilder) throws(OneDNNError) -> Bool
}

extension RegionLowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard node.outputs.count == 1, let region = Region(node, inputs: node.inputs) else {
      return false
    }
    return try lower(region, into: builder)
  }
}

extension Fused: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let root = root as? any RegionLowerable, let region = Region(node, fused: self) else {
      return false
    }
    return try root.lower(region, into: builder)
  }
}

extension Region {
  /// The constant reals of an input, whatever codes they are stored in.
  func constantReals(_ index: Int, in graph: Graph) -> [Float]? {
    guard let tensor = graph.constant(input(index)) else { return nil }
    guard let code = code(index) else {
      return tensor.elementType.isFloatingPoint ? tensor.floats() : nil
    }
    let values = tensor.integers()
    let channels = code.scales.count
    let inner = code.axis.map { tensor.shape.dropFirst($0 + 1).reduce(1, *) } ?? 1
    return values.enumerated().map { position, value in
      let channel = code.axis == nil ? 0 : position / inner % channels
      return Float(value - Int64(code.zeroPoints[channel])) * code.scales[channel]
    }
  }

  /// The last stage as the activation of our own kernels, if the stages are at most that one.
  var kernelActivation: (swk_activation, alpha: Float, beta: Float)? {
    guard stages.count <= 1 else { return nil }
    switch stages.first {
    case nil: return (SWK_NONE, 0, 0)
    case .clip(let lower, let upper): return (SWK_CLIP, lower, upper)
    case .add, .recode: return nil
    case .activation(let function):
      switch function {
      case .relu: return (SWK_RELU, 0, 0)
      case .hardSwish: return (SWK_HARD_SWISH, 1.0 / 6.0, 0.5)
      case .hardSigmoid(let alpha, let beta): return (SWK_HARD_SIGMOID, alpha, beta)
      case .leakyRelu(let alpha): return (SWK_LEAKY_RELU, alpha, 0)
      case .swish(let alpha) where alpha == 1: return (SWK_SILU, 0, 0)
      default: return nil
      }
    }
  }

  /// How our own kernels store the result; `nil` where they lack the stages or the type.
  func kernelEpilogue(realType: ElementType) -> swk_epilogue? {
    guard let (activation, alpha, beta) = kernelActivation else { return nil }
    guard let outputCode else {
      guard let type = realType.kernel else { return nil }
      return swk_epilogue(
        type: type, activation: activation, alpha: alpha, beta: beta, inverse_scale: 1,
        zero_point: 0)
    }
    guard let (scale, zeroPoint) = Region.scalar(outputCode),
      let type = outputCode.elementType.kernel
    else { return nil }
    return swk_epilogue(
      type: type, activation: activation, alpha: alpha, beta: beta, inverse_scale: 1 / scale,
      zero_point: zeroPoint)
  }

  /// The element type in memory of the result.
  func storedType(realType: ElementType) -> ElementType { outputCode?.elementType ?? realType }
}

/// The fused steps of a product (convolution or matrix product) in oneDNN's terms.
///
/// The product is computed in units of the first scale that it meets, an inner code's or the
/// output's, as far as the stages before commute with a positive factor; that saves a
/// multiplication per element.
struct ProductStages {
  /// What the weights' scales and the bias are divided by.
  let unit: Float
  /// Added to the bias (a zero point that needs no step of its own).
  let biasOffset: Float
  /// A constant vector that the first stage adds, in reals.
  let bias: [Float]?
  let steps: [Step]
  let sum: (scale: Float, zeroPoint: Int32, addend: ValueID)?

  enum Step {
    case eltwise(Eltwise)
    case sum
  }

  /// - Parameter channels: Extent of the result's axis along which a bias lies.
  init?(_ region: Region, channels: Int, in graph: Graph) {
    var plan = StagePlan()
    var sum: (scale: Float, zeroPoint: Int32, addend: ValueID)?
    var bias: [Float]?
    var addends = region.addends[...]
    for (position, stage) in region.stages.enumerated() {
      switch stage {
      case .activation(let function):
        guard let step = Eltwise(function) else { return nil }
        plan.append(step)
      case .clip(let lower, let upper): plan.append(.clip(lower, upper))
      case .add(let code):
        guard let addend = addends.popFirst() ?? nil else { return nil }
        if let vector = graph.constant(addend), vector.rank == 1 {
          guard position == 0, code == nil, vector.count == channels else { return nil }
          bias = vector.floats()
          continue
        }
        guard sum == nil else { return nil }
        var operand: (scale: Float, zeroPoint: Int32) = (1, 0)
        if let code {
          guard let known = Region.scalar(code) else { return nil }
          operand = known
        }
        plan.appendSum(in: region.outputCode.flatMap { Region.scalar($0)?.scale } ?? 1)
        sum = (operand.scale / plan.unit, operand.zeroPoint, addend)
      case .recode(let code):
        guard let (scale, zeroPoint) = Region.scalar(code),
          let range = code.elementType.integerRange
        else { return nil }
        plan.enter(scale: scale, zeroPoint: zeroPoint)
        plan.steps.append(.eltwise(Eltwise(algorithm: dnnl_eltwise_round)))
        plan.steps.append(.eltwise(.clip(Float(range.lowerBound), Float(range.upperBound))))
      }
    }
    if let code = region.outputCode {
      guard let (scale, zeroPoint) = Region.scalar(code) else { return nil }
      plan.enter(scale: scale, zeroPoint: zeroPoint)
    } else {
      plan.enter(scale: 1, zeroPoint: 0)
    }
    unit = plan.firstUnit ?? 1
    biasOffset = plan.biasOffset
    steps = plan.steps
    self.sum = sum
    self.bias = bias
  }

  /// The bias of the product in its units: `given` in reals with what stages add to it; `nil` if
  /// it is 0.
  func scaledBias(_ given: [Float]?, channels: Int) -> [Float]? {
    var sum = given ?? Array(repeating: 0, count: channels)
    if let bias, bias.count == sum.count { for index in sum.indices { sum[index] += bias[index] } }
    let scaled = sum.map { $0 / unit + biasOffset }
    return scaled.contains { $0 != 0 } ? scaled : nil
  }

  /// The attributes that make a primitive do the steps; the addend is of type `addendType`.
  ///
  /// - Parameter first: What is done with the product before the steps.
  func attributes(
    addendType: ElementType?, after first: Eltwise? = nil
  ) throws(OneDNNError) -> PrimitiveAttributes {
    let attributes = try PrimitiveAttributes()
    if let first { try attributes.appendEltwise(first) }
    for step in steps {
      switch step {
      case .eltwise(let eltwise): try attributes.appendEltwise(eltwise)
      case .sum:
        guard let sum, let type = addendType?.oneDNN else { continue }
        try attributes.appendSum(scale: sum.scale, zeroPoint: sum.zeroPoint, type: type)
      }
    }
    return attributes
  }
}

extension ProgramBuilder {
  /// Where a product with fused steps writes: over its addend if it has one, else new memory.
  ///
  /// The addend must have an element of the same size as the result; `nil` where it has not.
  /// What the product reads from `source` is never overwritten.
  func productTarget(
    _ stages: ProductStages, _ type: ElementType, _ shape: [Int], _ layout: Layout,
    reading source: Placement
  ) throws(OneDNNError) -> (placement: Placement, addendType: ElementType?)? {
    guard let addend = stages.sum?.addend else { return (allocate(type, shape, layout), nil) }
    guard let present = try placement(of: addend), present.shape == shape else { return nil }
    let addendType = present.elementType.isFloatingPoint ? realType : present.elementType
    guard addendType.bitWidth == type.bitWidth,
      addendType.isFloatingPoint == type.isFloatingPoint
    else { return nil }
    if var claimed = try claim(addend, layout, as: addendType), claimed.buffer != source.buffer {
      claimed.elementType = type
      return (claimed, addendType)
    }
    guard let source = try dense(addend, layout, as: addendType) else { return nil }
    let target = allocate(type, shape, layout)
    var copy = target
    copy.elementType = addendType
    addCopy(from: source, to: copy)
    return (target, addendType)
  }
}
