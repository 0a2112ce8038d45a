// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension Region {
  /// Runs a region on real numbers with separate steps that dequantize and quantize around it.
  ///
  /// The way for regions whose codes or stages the integer kernels lack, and for quantized
  /// networks that are run in floating point.
  func lowerThroughReals(
    _ root: some RegionLowerable, into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    var realCodes = codes
    var overrides: [(value: ValueID, placement: Placement)] = []
    for index in inputs.indices where code(index) != nil {
      guard let value = input(index), builder.graph.constant(value) == nil else { continue }
      guard let real = try builder.dequantized(value, code(index)) else { return false }
      overrides.append((value, real))
      realCodes[index] = nil
    }
    guard let (realStages, addends) = try realAddends(into: builder) else { return false }
    overrides += addends
    // What is left, such as codes of constants, is beyond this way.
    guard outputCode != nil || !overrides.isEmpty else { return false }
    let region = Region(
      node: node, inputs: inputs, codes: realCodes, stages: realStages, addends: self.addends,
      outputCode: nil, output: output, isQuantizedBehind: true)
    let lowered = try builder.withPlacements(overrides) { () throws(OneDNNError) in
      try root.lower(region, into: builder)
    }
    guard lowered else { return false }
    if let outputCode { return try builder.quantize(output, node: node, to: outputCode) }
    return true
  }

  /// Runs a region of integers whose result is real with its addends, which may be codes, as
  /// reals: sums are written over an addend, which must have the type of the result.
  func lowerWithRealAddends(
    _ root: some RegionLowerable, into builder: ProgramBuilder
  ) throws(OneDNNError) -> Bool {
    guard outputCode == nil, let (realStages, overrides) = try realAddends(into: builder),
      !overrides.isEmpty
    else { return false }
    let region = Region(
      node: node, inputs: inputs, codes: codes, stages: realStages, addends: addends,
      outputCode: nil, output: output, isQuantizedBehind: isQuantizedBehind)
    return try builder.withPlacements(overrides) { () throws(OneDNNError) in
      try root.lower(region, into: builder)
    }
  }

  /// The stages with real addends, and where these lie; `nil` where codes are none that can be
  /// dequantized.
  private func realAddends(
    into builder: ProgramBuilder
  ) throws(OneDNNError) -> (
    stages: [Fused.Stage], overrides: [(value: ValueID, placement: Placement)]
  )? {
    var realStages = stages
    var overrides: [(value: ValueID, placement: Placement)] = []
    var nextAddend = 0
    for (position, stage) in stages.enumerated() {
      guard case .add(let code) = stage else { continue }
      guard let addend = addends[nextAddend] else { return nil }
      nextAddend += 1
      guard code != nil else { continue }
      guard let real = try builder.dequantized(addend, code) else { return nil }
      overrides.append((addend, real))
      realStages[position] = .add(nil)
    }
    return (realStages, overrides)
  }

  private init(
    node: Node, inputs: [ValueID?], codes: [LinearCode?], stages: [Fused.Stage],
    addends: [ValueID?], outputCode: LinearCode?, output: ValueID, isQuantizedBehind: Bool
  ) {
    self.node = node
    self.inputs = inputs
    self.codes = codes
    self.stages = stages
    self.addends = addends
    self.outputCode = outputCode
    self.output = output
    self.isQuantizedBehind = isQuantizedBehind
  }
}

extension ProgramBuilder {
  /// The reals that a value's codes stand for, in memory of their own.
  func dequantized(_ value: ValueID, _ code: LinearCode?) throws(OneDNNError) -> Placement? {
    guard let (scale, zeroPoint) = Region.scalar(code) else { return nil }
    if type(of: value)?.elementType.isWideCode == true {
      return try widened(value, scale: scale, zeroPoint: zeroPoint)
    }
    guard let (source, layout) = try anyDense(value), let from = source.elementType.kernel,
      let to = realType.kernel
    else { return nil }
    let target = allocate(realType, source.shape, layout)
    addConversion(
      from: source, swk_format(type: from, scale: scale, zero_point: zeroPoint), to: target,
      swk_format(type: to, scale: 1, zero_point: 0), label: copyLabel("Dequantize", realType))
    return target
  }

  /// Replaces the reals of a value by their codes.
  func quantize(
    _ value: ValueID, node: Node, to code: LinearCode
  ) throws(OneDNNError) -> Bool {
    guard let (scale, zeroPoint) = Region.scalar(code) else { return false }
    let label = label(
      node, kind: "Quantize", implementation: "swiftlet", precision: code.elementType.shortName)
    if code.elementType.isWideCode {
      guard
        let codes = try narrowed(
          value, to: code.elementType, scale: scale, zeroPoint: zeroPoint, label: label)
      else { return false }
      setPlacement(codes, of: value)
      return true
    }
    guard let to = code.elementType.kernel, let (source, layout) = try anyDense(value),
      let from = source.elementType.kernel
    else { return false }
    let target = allocate(code.elementType, source.shape, layout)
    addConversion(
      from: source, swk_format(type: from, scale: 1, zero_point: 0), to: target,
      swk_format(type: to, scale: scale, zero_point: zeroPoint), label: label)
    setPlacement(target, of: value)
    return true
  }
}
