// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// Writes a trained network with integer codes: weights at their real width behind
/// `DequantizeLinear`, activations through `QuantizeLinear` and `DequantizeLinear`.
///
/// Where codes stand for entries of a table, weights are looked up with `Gather`, and activations
/// pass `RoundToLevels`.
///
/// The factors of a batch norm behind a convolution go into the scales of its weights, and its
/// offsets into the bias, so codes are those of training. A batch norm with a factor that no code
/// can take the sign of stays a node.
///
/// Behind convolutions with integer weights of fewer than 8 bits the bias is a node of its own: as
/// a bias ONNX Runtime would round it to the step of the products, which is coarse there.
struct DeployedNetworkWriter {
  let method: TrainedQuantization
  let values: [String: Tensor]

  private var rounded: [String: ValueID] = [:]
  private var weightBits: Set<Int> = []

  init(method: TrainedQuantization, values: [String: Tensor]) {
    self.method = method
    self.values = values
  }

  func deployed(_ network: Graph) throws -> Graph {
    var writer = self
    return try writer.written(network)
  }

  private mutating func written(_ network: Graph) throws -> Graph {
    let index = GraphIndex(network)
    let sites = Dictionary(
      method.plan.sites.map { ($0.output, $0) }, uniquingKeysWith: { first, _ in first })
    var graph = network
    graph.setNodes([])
    var folded: Set<NodeID> = []
    for node in network.nodes {
      if folded.contains(node.id) { continue }
      guard let output = node.outputs.first ?? nil, let site = sites[network[output].name] else {
        graph.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
        continue
      }
      var node = node
      if let operand = site.data, let data = node.inputs[site.dataPosition] {
        node.inputs[site.dataPosition] = readable(data, operand, in: &graph)
      }
      if let operand = site.weight, let weight = node.inputs[site.weightPosition],
        let tensor = network[weight].constant
      {
        var codes = method.weightQuantizer.codes(of: tensor, operand, values: values)
        weightBits.insert(operand.bits)
        if let fold = NormalizationFold(of: node, codes: codes, shape: tensor.shape, in: index) {
          folded.insert(fold.normalization.id)
          codes = fold.codes
          node.outputs = fold.normalization.outputs
          let bias = Tensor(fold.bias, shape: [fold.bias.count])
          let name = graph.uniqueName("\(operand.name).bias")
          node.inputs = [node.inputs[0], node.inputs[1], graph.addConstant(bias, name: name)]
        }
        node.inputs[site.weightPosition] = graph.addDequantized(
          codes, bits: operand.bits, shape: tensor.shape, name: operand.name)
        if operand.bits < 8, codes.levels == nil {
          addWithBiasApart(node, channels: tensor.shape[0], rank: tensor.rank, to: &graph)
          continue
        }
      }
      graph.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
    }
    var opset = weightBits.contains(2) ? 25 : weightBits.contains { $0 < 8 } ? 21 : 13
    if opset > 13, method.options.packing == .function {
      graph.packSmallCodes()
      opset = 18
    }
    graph.dropUnusedConstants()
    graph.metadata.opset = max(graph.metadata.opset, opset)
    // Types of values in between follow from the others; left out, they take no room in files.
    let ends = Set(graph.inputs + graph.outputs)
    for id in graph.valueIDs where !ends.contains(id) && graph[id].constant == nil {
      graph.setType(nil, of: id)
    }
    return graph
  }

  /// Adds a product, and what adds its bias to the result where it is a convolution with one.
  private func addWithBiasApart(_ node: Node, channels: Int, rank: Int, to graph: inout Graph) {
    guard node.op is Conv, node.inputs.count > 2, let bias = node.inputs[2],
      let values = graph[bias].constant?.floats(), values.count == channels
    else {
      graph.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
      return
    }
    let name = graph[bias].name
    let shape = [1, channels] + [Int](repeating: 1, count: rank - 2)
    let product = graph.addNode(
      node.op, name: node.name, inputs: Array(node.inputs.prefix(2)),
      outputNames: [graph.uniqueName("\(name)_without")])[0]
    let addend = graph.addConstant(
      Tensor(values, shape: shape), name: graph.uniqueName("\(name)_addend"))
    graph.addNode(
      Binary(.add), name: "\(name)_Add", inputs: [product, addend], outputs: node.outputs)
  }

  /// An activation as products read it.
  private mutating func readable(
    _ value: ValueID, _ operand: QuantizedOperand, in graph: inout Graph
  ) -> ValueID {
    if let known = rounded[operand.name] { return known }
    let result =
      switch method.activationQuantizer.rounding(of: operand, values: values) {
      case .grid(let grid): graph.addRounded(value, on: grid, name: operand.name)
      case .table(let table): graph.addRounded(value, to: table, name: operand.name)
      }
    rounded[operand.name] = result
    return result
  }
}

/// A batch norm that goes into the scales and the bias of the convolution before it.
private struct NormalizationFold {
  let normalization: Node
  let codes: TrainedWeightCodes
  let bias: [Float]

  init?(of node: Node, codes: TrainedWeightCodes, shape: [Int], in index: GraphIndex) {
    guard node.op is Conv, codes.axis == nil || codes.axis == 0, codes.shift == 0,
      let output = node.outputs.first ?? nil,
      let normalization = index.soleConsumer(of: output),
      let op = normalization.op as? BatchNormalization, !op.trainingMode,
      normalization.inputs.count == 5, normalization.inputs[0] == output
    else { return nil }
    let parameters = normalization.inputs.dropFirst().compactMap { index.constant($0)?.reals() }
    let channels = shape[0]
    guard parameters.count == 4, parameters.allSatisfy({ $0.count == channels }) else { return nil }
    let factors = zip(parameters[0], parameters[3]).map {
      $0 / ($1 + Double(op.epsilon)).squareRoot()
    }
    let present = node.inputs.count > 2 ? index.constant(node.inputs[2])?.reals() : nil
    guard node.inputs.count < 3 || node.inputs[2] == nil || present != nil else { return nil }
    var result = codes
    let inner = codes.codes.count / channels
    var scales: [Float] = []
    for channel in 0..<channels {
      let elements = channel * inner..<(channel + 1) * inner
      let scale = Float(Double(codes.scales[codes.axis == nil ? 0 : channel]) * factors[channel])
      if codes.levels != nil {
        scales.append(scale)
        continue
      }
      if scale < 0 {
        for element in elements { result.codes[element].negate() }
        guard result.codes[elements].allSatisfy(codes.range.contains) else { return nil }
      }
      if abs(scale) < .leastNormalMagnitude {
        for element in elements { result.codes[element] = 0 }
        scales.append(1)
      } else {
        scales.append(abs(scale))
      }
    }
    guard scales.allSatisfy(\.isFinite) else { return nil }
    result.scales = scales
    result.axis = 0
    self.normalization = normalization
    self.codes = result
    var bias: [Float] = []
    for channel in 0..<channels {
      let mean = parameters[2][channel] - (present?[channel] ?? 0)
      bias.append(Float(parameters[1][channel] - mean * factors[channel]))
    }
    self.bias = bias
  }
}

extension Graph {
  /// Adds weights as codes of the narrowest type and the nodes that make them real.
  fileprivate mutating func addDequantized(
    _ weights: TrainedWeightCodes, bits: Int, shape: [Int], name: String
  ) -> ValueID {
    let real: ValueID
    if let levels = weights.levels {
      real = addLookup(weights, levels: levels, shape: shape, name: name)
    } else {
      let type: ElementType = bits <= 2 ? .int2 : bits <= 4 ? .int4 : .int8
      real = addDequantized(
        Tensor(integers: weights.codes.map { Int64($0) }, shape: shape, elementType: type),
        scales: weights.scales, zeroPoints: nil, axis: weights.axis, name: name)
    }
    guard weights.shift != 0 else { return real }
    let shift = addConstant(Tensor(scalar: weights.shift), name: "\(name)_shift")
    return addNode(
      Binary(.add), name: "\(name)_Add", inputs: [real, shift], outputNames: ["\(name)_shifted"])[0]
  }

  /// Adds codes that stand for entries of a table and the nodes that look them up.
  private mutating func addLookup(
    _ weights: TrainedWeightCodes, levels: [Float], shape: [Int], name: String
  ) -> ValueID {
    let type: ElementType =
      levels.count <= 4 ? .uint2 : levels.count <= 16 ? .uint4 : .uint8
    let codes = addConstant(
      Tensor(integers: weights.codes.map { Int64($0) }, shape: shape, elementType: type),
      name: "\(name)_quantized")
    let table = addConstant(Tensor(levels, shape: [levels.count]), name: "\(name)_levels")
    let places = addNode(
      Cast(to: .int32), name: "\(name)_Cast", inputs: [codes], outputNames: ["\(name)_places"])
    let real = addNode(
      Gather(axis: 0), name: "\(name)_Gather", inputs: [table] + places,
      outputNames: ["\(name)_level"])[0]
    guard weights.scales != [1] else { return real }
    let extents = shape.indices.map { $0 == weights.axis ? weights.scales.count : 1 }
    let scale = addConstant(
      Tensor(weights.scales, shape: weights.axis == nil ? [] : extents), name: "\(name)_scale")
    return addNode(
      Binary(.multiply), name: "\(name)_Mul", inputs: [real, scale],
      outputNames: ["\(name)_scaled"])[0]
  }

  /// Adds the node that rounds a value to the levels of a table.
  fileprivate mutating func addRounded(
    _ value: ValueID, to table: LevelTable, name: String
  ) -> ValueID {
    let table = table.padded
    let inputs = [("least", table.least), ("levels", table.levels)].map { what, numbers in
      addConstant(Tensor(numbers, shape: [numbers.count]), name: "\(name)_\(what)")
    }
    return addNode(
      RoundToLevels(), name: "\(name)_RoundToLevels", inputs: [value] + inputs,
      outputNames: ["\(name)_rounded"])[0]
  }

  /// Adds the nodes that round a value to codes and make it real again.
  fileprivate mutating func addRounded(
    _ value: ValueID, on grid: TrainedActivationGrid, name: String
  ) -> ValueID {
    var value = value
    func number(_ number: Float, _ what: String, _ graph: inout Graph) -> ValueID {
      graph.addConstant(Tensor(scalar: number), name: "\(name)_\(what)")
    }
    if grid.shift != 0 {
      value =
        addNode(
          Binary(.subtract), name: "\(name)_Sub",
          inputs: [value, number(grid.shift, "shift", &self)], outputNames: ["\(name)_moved"])[0]
    }
    let isByte = grid.codes.lowerBound >= -128 && grid.codes.upperBound <= 127
    let type: ElementType = isByte && grid.codes.lowerBound < 0 ? .int8 : .uint8
    let zeroPoint = type == .int8 || grid.codes.lowerBound >= 0 ? 0 : -grid.codes.lowerBound
    let all = ClosedRange<Int32>(allOf: type)
    let (least, greatest) = (Int(all.lowerBound) - zeroPoint, Int(all.upperBound) - zeroPoint)
    if greatest > grid.codes.upperBound || least < grid.codes.lowerBound {
      // Codes saturate at the bounds of their type by themselves.
      func bound(_ code: Int, _ end: Int, _ what: String, _ graph: inout Graph) -> ValueID? {
        code == end ? nil : number(Float(code) * grid.step, what, &graph)
      }
      let low = bound(grid.codes.lowerBound, least, "least", &self)
      let high = bound(grid.codes.upperBound, greatest, "greatest", &self)
      value =
        addNode(
          Clip(), name: "\(name)_Clip", inputs: high == nil ? [value, low] : [value, low, high],
          outputNames: ["\(name)_clipped"])[0]
    }
    let step = number(grid.step, "step", &self)
    let scale = grid.scale == grid.step ? step : number(grid.scale, "scale", &self)
    var zero: [ValueID?] = []
    if type != .uint8 || zeroPoint != 0 {
      zero = [
        addConstant(
          Tensor(integers: [Int64(zeroPoint)], shape: [], elementType: type),
          name: "\(name)_zero_point")
      ]
    }
    let code = addNode(
      QuantizeLinear(), name: "\(name)_QuantizeLinear", inputs: [value, step] + zero,
      outputNames: ["\(name)_quantized"])[0]
    let real = addNode(
      DequantizeLinear(), name: "\(name)_DequantizeLinear", inputs: [code, scale] + zero,
      outputNames: ["\(name)_dequantized"])[0]
    guard grid.offset != 0 else { return real }
    return addNode(
      Binary(.add), name: "\(name)_Add", inputs: [real, number(grid.offset, "offset", &self)],
      outputNames: ["\(name)_real"])[0]
  }
}
