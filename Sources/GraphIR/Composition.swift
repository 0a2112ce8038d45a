// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// A graph under construction, of which the type of each value is known as soon as it is added.
public struct Composition: Sendable {
  public private(set) var graph = Graph(name: "body")
  private var contents: [ValueID: [Dimension]] = [:]

  public init() {}

  /// Adds what is known of an operand: a constant, or else an input of the graph.
  public mutating func addOperand(_ operand: Operand, name: String) -> ValueID {
    let id: ValueID
    if let constant = operand.constant {
      id = graph.addConstant(constant, name: name)
    } else {
      id = graph.addInput(name: name, type: operand.type)
    }
    contents[id] = operand.contents ?? operand.knownContents
    return id
  }

  public mutating func constant(_ tensor: Tensor) -> ValueID {
    let id = graph.addConstant(tensor, name: "constant")
    contents[id] = Operand(tensor).knownContents
    return id
  }

  /// A list of `int64` as a constant.
  public mutating func integers(_ values: [Int]) -> ValueID {
    constant(Tensor(values.map { Int64($0) }, shape: [values.count]))
  }

  /// A scalar of the given type as a constant.
  public mutating func scalar(_ value: Double, _ elementType: ElementType) -> ValueID {
    constant(Tensor(reals: [value], shape: [], elementType: elementType))
  }

  /// Adds a node; its outputs, which are constants where they follow from few known numbers.
  ///
  /// - Throws: `OpError` if the operands break the operator's rules.
  public mutating func addNode(
    _ op: any Op, _ inputs: [ValueID?], outputCount: Int
  ) throws(OpError) -> [ValueID] {
    let operands = inputs.map { $0.map { operand($0) } }
    let types = try op.inferTypes(operands, outputCount: outputCount)
    if let results = known(op, operands, outputCount) {
      return results.map { constant($0) }
    }
    let outputs = graph.addNode(
      op, inputs: inputs, outputNames: Array(repeating: op.kind, count: outputCount))
    for (output, type) in zip(outputs, types) { graph.setType(type, of: output) }
    if let first = outputs.first { contents[first] = op.inferContents(operands) }
    return outputs
  }

  private func known(_ op: any Op, _ operands: [Operand?], _ outputCount: Int) -> [Tensor]? {
    let tensors = operands.map { $0?.knownTensor }
    guard op.isPure,
      zip(operands, tensors).allSatisfy({ operand, tensor in
        operand == nil || tensor.map { $0.count <= Operand.contentsLimit } == true
      }),
      let results = try? op.evaluate(tensors, outputCount: outputCount),
      results.allSatisfy({ $0.count <= Operand.contentsLimit })
    else { return nil }
    return results
  }

  /// Adds a node with one output.
  public mutating func add(_ op: any Op, _ inputs: ValueID?...) throws(OpError) -> ValueID {
    try addNode(op, inputs, outputCount: 1)[0]
  }

  /// All that is known of a value.
  public func operand(_ id: ValueID) -> Operand {
    Operand(type: graph[id].type, constant: graph[id].constant, contents: contents[id])
  }

  /// What is known of the extents of a value.
  ///
  /// - Throws: `OpError.notEvaluable` if not even the rank is.
  public func dimensions(_ id: ValueID) throws(OpError) -> [Dimension] {
    guard let dimensions = graph[id].type?.dimensions else {
      throw .notEvaluable(kind: graph[id].name)
    }
    return dimensions
  }

  public func rank(_ id: ValueID) throws(OpError) -> Int { try dimensions(id).count }

  public func elementType(_ id: ValueID) throws(OpError) -> ElementType {
    guard let type = graph[id].type else { throw .notEvaluable(kind: graph[id].name) }
    return type.elementType
  }

  /// One extent of a value; negative axes count from the last.
  ///
  /// - Throws: `OpError.notEvaluable` if it is not known.
  public func extent(_ id: ValueID, _ axis: Int) throws(OpError) -> Int {
    let dimensions = try dimensions(id)
    let position = try Axes.normalized(axis, rank: dimensions.count)
    guard let value = dimensions[position].value else {
      throw .notEvaluable(kind: graph[id].name)
    }
    return value
  }
}

// What bodies are mostly made of.
extension Composition {
  public mutating func binary(
    _ function: Binary.Function, _ left: ValueID, _ right: ValueID
  ) throws(OpError) -> ValueID { try add(Binary(function), left, right) }

  public mutating func unary(_ function: Unary.Function, _ x: ValueID) throws(OpError) -> ValueID {
    try add(Unary(function), x)
  }

  /// The value in another element type; itself if it has that type.
  public mutating func cast(_ x: ValueID, to type: ElementType) throws(OpError) -> ValueID {
    try elementType(x) == type ? x : add(Cast(to: type), x)
  }

  /// The value under another shape, with 0 for a kept extent and −1 for what is left.
  public mutating func reshape(_ x: ValueID, _ shape: [Int]) throws(OpError) -> ValueID {
    try add(Reshape(), x, integers(shape))
  }

  public mutating func unsqueeze(_ x: ValueID, _ axes: [Int]) throws(OpError) -> ValueID {
    try add(Unsqueeze(), x, integers(axes))
  }

  public mutating func squeeze(_ x: ValueID, _ axes: [Int]) throws(OpError) -> ValueID {
    try add(Squeeze(), x, integers(axes))
  }

  public mutating func transpose(_ x: ValueID, _ order: [Int]) throws(OpError) -> ValueID {
    try add(Transpose(permutation: order), x)
  }

  /// Positions `start..<end` along an axis, every `step`-th.
  public mutating func slice(
    _ x: ValueID, axis: Int, from start: Int, to end: Int = Int(Int32.max), step: Int = 1
  ) throws(OpError) -> ValueID {
    try add(
      Slice(), x, integers([start]), integers([end]), integers([axis]),
      step == 1 ? nil : integers([step]))
  }

  public mutating func reduce(
    _ function: Reduce.Function, _ x: ValueID, axes: [Int]? = nil, keepsDimensions: Bool = true
  ) throws(OpError) -> ValueID {
    try add(
      Reduce(function, keepsDimensions: keepsDimensions), x, axes.map { integers($0) })
  }

  /// One extent as an `int64` scalar.
  public mutating func length(_ x: ValueID, _ axis: Int) throws(OpError) -> ValueID {
    try squeeze(
      add(Shape(start: axis, end: axis == -1 ? nil : axis + 1), x), [0])
  }

  /// The numbers below an `int64` scalar.
  public mutating func range(_ count: ValueID) throws(OpError) -> ValueID {
    try add(NumberRange(), scalar(0, .int64), count, scalar(1, .int64))
  }
}

/// An operator that is a function of others: the graph of these is its meaning, its shape rule
/// and its cost.
///
/// Implementers write `compose`, the function's body. Where it asks for what is not known (an
/// `OpError.notEvaluable`), the types of the results are unknown.
public protocol CompositeOp: Op {
  /// Adds the function's body.
  ///
  /// - Parameters:
  ///   - inputs: The operands' values, `nil` for one that is left out.
  ///   - outputCount: How many outputs the node has.
  /// - Returns: The outputs, as many.
  /// - Throws: `OpError` if the operands break the operator's rules.
  func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID]
}

extension CompositeOp {
  /// The function's body for the given operands; those that are no constants are its inputs, in
  /// order.
  public func body(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> (composition: Composition, inputs: [ValueID?], outputs: [ValueID]) {
    var body = Composition()
    var inputs: [ValueID?] = []
    for (index, operand) in operands.enumerated() {
      inputs.append(operand.map { body.addOperand($0, name: "input_\(index)") })
    }
    let outputs = try compose(inputs, outputCount: outputCount, in: &body)
    guard outputs.count >= outputCount else {
      throw .invalidAttribute(
        name: "number of outputs", found: String(outputCount), expected: "\(outputs.count) at most")
    }
    return (body, inputs, Array(outputs.prefix(outputCount)))
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    let unknown = [TensorType?](repeating: nil, count: outputCount)
    guard operands.allSatisfy({ $0 == nil || $0?.type?.dimensions != nil }) else { return unknown }
    do throws(OpError) {
      let (body, _, outputs) = try body(operands, outputCount: outputCount)
      return outputs.map { body.graph[$0].type }
    } catch .notEvaluable {
      return unknown
    }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    for case .some(let input) in inputs { try ResultLimit.check(input.shape, input.elementType) }
    let known = inputs.map { $0.map { Operand($0) } }
    var (body, _, outputs) = try body(known, outputCount: outputCount)
    return try body.evaluated(outputs)
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    let operands = inputs.map { $0.map { Operand(type: $0) } }
    guard inputs.allSatisfy({ $0 == nil || $0?.dimensions != nil }),
      let graph = try? body(operands, outputCount: outputs.count).composition.graph
    else { return nil }
    return graph.cost
  }
}

extension Composition {
  /// The values of outputs of a body without inputs.
  fileprivate mutating func evaluated(_ outputs: [ValueID]) throws(OpError) -> [Tensor] {
    graph.setOutputs(outputs)
    do { return try Interpreter(graph).run([:]) } catch {
      throw error.operatorError
    }
  }
}

extension Graph {
  /// The work of all nodes together; `nil` where that of one is not known.
  package var cost: OpCost? {
    var sum = 0
    for node in nodes {
      let cost = node.op.cost(
        inputs: node.inputs.map { type($0) }, outputs: node.outputs.map { type($0) })
      guard let cost else { return nil }
      let (next, overflow) = sum.addingReportingOverflow(cost.multiplyAccumulates)
      sum = overflow ? .max : next
    }
    return OpCost(multiplyAccumulates: sum)
  }
}

extension GraphError {
  /// What a node inside an operator breaks, told of the operator.
  package var operatorError: OpError {
    if case .invalidNode(_, _, let error) = self { return error }
    return .invalidValue(input: "the body", found: "\(self)", expected: "a valid graph")
  }
}
