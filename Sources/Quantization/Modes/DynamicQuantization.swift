// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR
import TensorCore

/// Integer products whose inputs are quantized at run time by their own range.
///
/// Source: ONNX `DynamicQuantizeLinear`, `MatMulInteger` and `ConvInteger`; the scale of the input
/// times that of the weights turns sums into real numbers, then the real bias is added. Inputs
/// are `uint8`. Weights of convolutions are `uint8` with zero point 128, which stock runtimes
/// have kernels for. Operators that have no integer form get integer weights only.
struct DynamicQuantization {
  let options: QuantizationOptions

  /// The network with dynamic integer products, and a report without measurements.
  ///
  /// - Throws: `QuantizationError` if there is nothing to quantize or a pattern is wrong.
  func applied(
    to graph: Graph
  ) throws(QuantizationError) -> (graph: Graph, report: QuantizationReport) {
    let plan = try QuantizationPlan(for: graph, options: options)
    var writing = DynamicWriting(graph: graph, options: options)
    writing.graph.setNodes([])
    writing.report.keptFloat = plan.kept
    let sites = Dictionary(uniqueKeysWithValues: plan.sites.map { ($0.node, $0) })
    for node in graph.nodes {
      if let site = sites[node.id], writing.writeProduct(node, site) { continue }
      writing.graph.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
    }
    writing.graph.metadata.opset = max(graph.metadata.opset, 13)
    writing.graph.inferTypes()
    return (writing.graph, writing.report)
  }
}

/// A dynamically quantized graph while it is written.
private struct DynamicWriting {
  var graph: Graph
  let options: QuantizationOptions
  var report: QuantizationReport
  /// Codes, scale and zero point of inputs that were quantized already.
  private var inputs: [ValueID: [ValueID]] = [:]

  init(graph: Graph, options: QuantizationOptions) {
    self.graph = graph
    self.options = options
    report = QuantizationReport(options: options)
  }

  /// Whether the node was written in integer form.
  mutating func writeProduct(_ node: Node, _ site: QuantizationPlan.WeightedSite) -> Bool {
    guard let weights = graph[site.weight].constant, let output = node.outputs.first ?? nil
    else { return false }
    let quantizer = WeightQuantizer(
      elementType: .int8, granularity: options.weights.granularity, isSymmetric: true)
    let quantized = quantizer.quantized(weights, axis: site.operands.channelAxis)
    report.layers.append(
      LayerReport(
        weightsOf: site, kind: node.op.kind, in: graph, weights: weights, quantized: quantized,
        activationBits: 8))
    let name = graph.label(of: node)
    switch node.op {
    case let conv as Conv:
      write(conv, node, site, quantized, output: output, name: name)
    case is Gemm, is MatMul:
      writeMatrixProduct(node, site, quantized, output: output, name: name)
    default:
      var node = node
      node.inputs[site.operands.weight] = graph.addDequantized(
        quantized, name: graph[site.weight].name)
      graph.addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
    }
    return true
  }

  private mutating func write(
    _ conv: Conv, _ node: Node, _ site: QuantizationPlan.WeightedSite,
    _ quantized: QuantizedWeights, output: ValueID, name: String
  ) {
    let weightName = graph[site.weight].name
    let shifted = Tensor(
      integers: quantized.codes.integers().map { $0 + 128 }, shape: quantized.codes.shape,
      elementType: .uint8)
    let input = dynamicInput(site.data)
    let codes = graph.addConstant(shifted, name: weightName + "_quantized")
    let zero = graph.addConstant(Tensor(scalar: UInt8(128)), name: weightName + "_zero_point")
    let integer = ConvInteger(
      strides: conv.strides, dilations: conv.dilations, padding: conv.padding, group: conv.group)
    let sums = graph.addNode(
      integer, name: name, inputs: [input[0], codes, input[2], zero],
      outputNames: [name + "_sums"])[0]
    let spatial = [Int](repeating: 1, count: quantized.codes.rank - 2)
    let shape = quantized.scales.count > 1 ? [quantized.scales.count] + spatial : []
    let bias = site.bias.flatMap { graph[$0].constant }.map { bias in
      Tensor(bias.floats(), shape: [bias.count] + spatial)
    }
    finish(
      sums, scales: Tensor(quantized.scales, shape: shape), inputScale: input[1], bias: bias,
      output: output, name: name, weightName: weightName)
  }

  private mutating func writeMatrixProduct(
    _ node: Node, _ site: QuantizationPlan.WeightedSite, _ quantized: QuantizedWeights,
    output: ValueID, name: String
  ) {
    let weightName = graph[site.weight].name
    let isTransposed = (node.op as? Gemm)?.transposesB ?? false
    let codes = isTransposed ? quantized.codes.transposedMatrix : quantized.codes
    let input = dynamicInput(site.data)
    let constant = graph.addConstant(codes, name: weightName + "_quantized")
    let zero = graph.addConstant(Tensor(scalar: Int8(0)), name: weightName + "_zero_point")
    let sums = graph.addNode(
      MatMulInteger(), name: name, inputs: [input[0], constant, input[2], zero],
      outputNames: [name + "_sums"])[0]
    let shape = quantized.scales.count > 1 ? [quantized.scales.count] : []
    var bias = site.bias.flatMap { graph[$0].constant }.map {
      Tensor($0.floats(), shape: [$0.count])
    }
    // A third operand that is no plain bias is added as it is.
    if bias == nil, let extra = node.inputs.optional(2), let tensor = graph[extra].constant {
      let beta = (node.op as? Gemm)?.beta ?? 1
      bias = Tensor(tensor.floats().map { $0 * beta }, shape: tensor.shape)
    }
    finish(
      sums, scales: Tensor(quantized.scales, shape: shape), inputScale: input[1], bias: bias,
      output: output, name: name, weightName: weightName)
  }

  private mutating func dynamicInput(_ value: ValueID) -> [ValueID] {
    if let known = inputs[value] { return known }
    let name = graph[value].name
    let outputs = graph.addNode(
      DynamicQuantizeLinear(), name: name + "_DynamicQuantizeLinear", inputs: [value],
      outputNames: [name + "_quantized", name + "_scale", name + "_zero_point"])
    inputs[value] = outputs
    return outputs
  }

  /// Adds what turns sums into the real result: a cast, the scales, the bias.
  private mutating func finish(
    _ sums: ValueID, scales: Tensor, inputScale: ValueID, bias: Tensor?, output: ValueID,
    name: String, weightName: String
  ) {
    let scale = graph.addConstant(scales, name: weightName + "_scale")
    let real = graph.addNode(
      Cast(to: .float32), name: name + "_Cast", inputs: [sums], outputNames: [name + "_real"])[0]
    let joint = graph.addNode(
      Binary(.multiply), name: name + "_scales_Mul", inputs: [inputScale, scale],
      outputNames: [name + "_scales"])[0]
    guard let bias else {
      graph.addNode(
        Binary(.multiply), name: name + "_Mul", inputs: [real, joint], outputs: [output])
      return
    }
    let scaled = graph.addNode(
      Binary(.multiply), name: name + "_Mul", inputs: [real, joint],
      outputNames: [name + "_scaled"])[0]
    let constant = graph.addConstant(bias, name: name + "_bias")
    graph.addNode(
      Binary(.add), name: name + "_Add", inputs: [scaled, constant], outputs: [output])
  }
}

extension Tensor {
  /// A matrix of bytes with rows and columns exchanged.
  fileprivate var transposedMatrix: Tensor {
    let (rows, columns) = (shape[0], shape[1])
    let integers = integers()
    let moved = (0..<count).map { integers[$0 % rows * columns + $0 / rows] }
    return Tensor(integers: moved, shape: [columns, rows], elementType: elementType)
  }
}
