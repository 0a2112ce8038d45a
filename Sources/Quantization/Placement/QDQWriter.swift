// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

/// Writes a plan into a graph: `QuantizeLinear` and `DequantizeLinear` behind activations,
/// `DequantizeLinear` behind integer weights and biases.
///
/// Nodes and values keep their names; what is new is named after the value it belongs to.
package struct QDQWriter {
  package let plan: QuantizationPlan
  package let options: QuantizationOptions

  package init(plan: QuantizationPlan, options: QuantizationOptions) {
    self.plan = plan
    self.options = options
  }

  /// The quantized graph.
  ///
  /// - Parameters:
  ///   - graph: The graph that the plan was made for, perhaps with other constants.
  ///   - activations: A code for every value of the plan.
  ///   - weights: Codes of the weights of each product.
  package func quantized(
    _ graph: Graph, activations: ActivationCodes,
    weights: [NodeID: QuantizedWeights]
  ) -> Graph {
    var writing = Writing(graph: graph, activations: activations, weights: weights)
    let sites = Dictionary(uniqueKeysWithValues: plan.sites.map { ($0.node, $0) })
    let nodes = graph.nodes
    writing.graph.setNodes([])
    for input in graph.inputs { writing.addPair(behind: input) }
    for node in nodes {
      var node = node
      for position in node.inputs.indices {
        if let input = node.inputs[position] {
          node.inputs[position] = writing.readable[input] ?? input
        }
      }
      if let site = sites[node.id] { writing.quantizeConstants(of: &node, site) }
      writing.graph.addNode(
        node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
      for case .some(let output) in node.outputs { writing.addPair(behind: output) }
    }
    let isWide =
      !activations.widened.isEmpty
      || [activations.elementType, options.weights.elementType].contains { $0.bitWidth == 16 }
    writing.graph.metadata.opset = max(graph.metadata.opset, isWide ? 21 : 13)
    writing.graph.inferTypes()
    return writing.graph
  }
}

/// A quantized graph while it is written.
private struct Writing {
  var graph: Graph
  let activations: ActivationCodes
  let weights: [NodeID: QuantizedWeights]

  /// What users of a value read instead of it.
  var readable: [ValueID: ValueID] = [:]

  mutating func addPair(behind value: ValueID) {
    guard let code = activations.codes[value] else { return }
    let name = graph[value].name
    let scale = graph.addConstant(Tensor(scalar: code.scale), name: name + "_scale")
    let zeroPoint = graph.addConstant(
      Tensor(
        integers: [Int64(code.zeroPoint)], shape: [],
        elementType: activations.elementType(of: value)),
      name: name + "_zero_point")
    let quantized = graph.addNode(
      QuantizeLinear(), name: name + "_QuantizeLinear", inputs: [value, scale, zeroPoint],
      outputNames: [name + "_quantized"])[0]
    readable[value] =
      graph.addNode(
        DequantizeLinear(), name: name + "_DequantizeLinear",
        inputs: [quantized, scale, zeroPoint], outputNames: [name + "_dequantized"])[0]
  }

  mutating func quantizeConstants(of node: inout Node, _ site: QuantizationPlan.WeightedSite) {
    guard let quantized = weights[site.node], let input = activations.codes[site.data] else {
      return
    }
    let name = graph[site.weight].name
    node.inputs[site.operands.weight] = graph.addDequantized(
      quantized, name: name)
    guard let position = site.operands.bias, let value = site.bias,
      let bias = graph[value].constant?.floats()
    else { return }
    let codes = BiasQuantization.quantized(
      bias, inputScale: input.scale, weightScales: quantized.scales)
    node.inputs[position] = graph.addDequantized(
      Tensor(codes.codes, shape: [codes.codes.count]), scales: codes.scales, zeroPoints: nil,
      axis: codes.scales.count == codes.codes.count && codes.scales.count > 1 ? 0 : nil,
      name: graph[value].name)
  }
}
