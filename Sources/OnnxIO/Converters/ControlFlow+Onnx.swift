// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension If: OnnxConvertible {
  static let onnxOperators = ["If"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    self.init(
      then: try node.subgraph("then_branch"), else: try node.subgraph("else_branch"))
    node.appendCaptured(behind: 1)
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    try form.set("then_branch", thenBranch, ownInputs: 1)
    try form.set("else_branch", elseBranch, ownInputs: 1)
    form.dropInputs(from: 1)
  }
}

extension Loop: OnnxConvertible {
  static let onnxOperators = ["Loop"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    let body = try node.subgraph("body")
    let count = max(2, node.inputs.count)
    self.init(body: body, carriedCount: count - 2)
    node.appendCaptured(behind: count)
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    form.require(11)
    try form.set("body", body, ownInputs: 2 + carriedCount)
    form.dropInputs(from: 2 + carriedCount)
  }
}

extension Scan: OnnxConvertible {
  static let onnxOperators = ["Scan"]

  init(onnx node: inout OnnxNode) throws(ConversionError) {
    guard node.opset >= 9 else { throw .unsupported("batches, as before operator set 9") }
    let body = try node.subgraph("body")
    guard node.has("num_scan_inputs") else {
      throw .invalid(.missingAttribute("num_scan_inputs", expected: "1 or more"))
    }
    let count = node.inputs.count
    let scanned = try node.int("num_scan_inputs", default: 1, in: 1...max(1, count))
    let stateCount = count - scanned
    let outputs = max(0, body.graph.outputs.count - stateCount)
    self.init(
      body: body, stateCount: stateCount,
      inputAxes: try node.list("scan_input_axes", count: scanned, in: -64...64),
      reversesInputs: try node.list("scan_input_directions", count: scanned, in: 0...1)
        .map { $0 == 1 },
      outputAxes: try node.list("scan_output_axes", count: outputs, in: -64...64),
      reversesOutputs: try node.list("scan_output_directions", count: outputs, in: 0...1)
        .map { $0 == 1 })
    node.appendCaptured(behind: count)
  }

  func write(to form: inout OnnxForm) throws(ConversionError) {
    let count = stateCount + inputAxes.count
    form.require((inputAxes + outputAxes).contains { $0 < 0 } ? 11 : 9)
    try form.set("body", body, ownInputs: count)
    form.set("num_scan_inputs", inputAxes.count)
    func set(_ name: String, _ values: [Int], _ form: inout OnnxForm) {
      if values.contains(where: { $0 != 0 }) { form.set(name, values) }
    }
    set("scan_input_axes", inputAxes, &form)
    set("scan_input_directions", reversesInputs.map { $0 ? 1 : 0 }, &form)
    set("scan_output_axes", outputAxes, &form)
    set("scan_output_directions", reversesOutputs.map { $0 ? 1 : 0 }, &form)
    form.dropInputs(from: count)
  }
}

extension OnnxNode {
  /// One integer for each of several things; zeros if the attribute is left out.
  fileprivate mutating func list(
    _ name: String, count: Int, in range: ClosedRange<Int>
  ) throws(ConversionError) -> [Int] {
    guard let values = try ints(name) else { return Array(repeating: 0, count: count) }
    guard values.count == count, values.allSatisfy(range.contains) else {
      throw .invalid(
        .invalidAttribute(
          name: name, found: "\(values)",
          expected: "\(count) of \(range.lowerBound)…\(range.upperBound)"))
    }
    return values
  }
}

extension OnnxForm {
  /// Writes a graph inside the node: values that it takes from around by their names there, all
  /// others by names that nothing around has.
  ///
  /// - Parameter ownInputs: The inputs of the node that are not taken from around.
  fileprivate mutating func set(
    _ name: String, _ subgraph: Subgraph, ownInputs: Int
  ) throws(ConversionError) {
    var body = subgraph.graph
    let captured = body.inputs.suffix(inputs.count - ownInputs)
    body.computeOutputs(ownInputs: body.inputs.dropLast(captured.count))
    do {
      let writer = ModelWriter(graph: body, outerNames: takenNames)
      let skeleton = try writer.skeleton(in: opset)
      require(skeleton.requiredOpset)
      var proto = skeleton.model.graph
      proto.name = body.name
      proto.input.removeLast(captured.count)
      proto.initializer = skeleton.initializers.compactMap { id in
        body[id].constant.map { TensorEncoder.proto($0, name: body[id].name) }
      }
      var names: [String: String] = [:]
      for (inner, outer) in zip(captured, inputs.dropFirst(ownInputs)) {
        guard let outer else { throw ConversionError.unsupported("a captured value is missing") }
        names[body[inner].name] = graph[outer].name
      }
      var taken = takenNames.union(Subgraphs.allNames(proto))
      for own in Subgraphs.definedNames(proto) where takenNames.contains(own) {
        var number = 1
        while !taken.insert("\(own)_\(number)").inserted { number += 1 }
        names[own] = "\(own)_\(number)"
      }
      Subgraphs.rename(names, in: &proto)
      set(name, proto)
    } catch let error as ConversionError {
      throw error
    } catch {
      throw .unsupported("\(error)")
    }
  }
}

extension Graph {
  /// Puts an `Identity` before each output that neither is an input of the subgraph's own nor is
  /// computed by a node, and before repeated ones, as outputs of subgraphs must be.
  fileprivate mutating func computeOutputs(ownInputs: some Sequence<ValueID>) {
    var computed = Set(ownInputs)
    for node in nodes { computed.formUnion(node.outputs.compactMap { $0 }) }
    setOutputs(
      outputs.map { id in
        if computed.remove(id) != nil { return id }
        let output = addNode(Identity(), inputs: [id], outputNames: ["\(self[id].name)_output"])[0]
        setType(self[id].type, of: output)
        return output
      })
  }
}
