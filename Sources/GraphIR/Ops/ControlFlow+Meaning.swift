// SPDX-License-Identifier: Apache-2.0
public import TensorCore

extension Subgraph {
  /// Types of the outputs where the inputs have the given types; `nil` for an unknown one.
  func outputTypes(_ inputs: [TensorType?]) -> [TensorType?] {
    var copy = graph
    for (id, type) in zip(graph.inputs, inputs) { copy.setType(type, of: id) }
    for node in graph.nodes {
      for case .some(let output) in node.outputs {
        copy.setType(graph[output].type.map { TensorType($0.elementType, nil) }, of: output)
      }
    }
    copy.inferTypes()
    return graph.outputs.map { copy[$0].type }
  }

  func evaluate(_ inputs: [Tensor]) throws(OpError) -> [Tensor] {
    guard inputs.count == graph.inputs.count else {
      throw .wrongInputCount(
        found: inputs.count, expected: graph.inputs.count...graph.inputs.count)
    }
    var untyped = graph
    var values: [String: Tensor] = [:]
    for (id, tensor) in zip(graph.inputs, inputs) {
      if let type = graph[id].type, type.elementType != tensor.elementType {
        throw .invalidElementType(
          input: graph[id].name, found: tensor.elementType, expected: type.elementType.rawValue)
      }
      untyped.setType(nil, of: id)
      values[graph[id].name] = tensor
    }
    do { return try Interpreter(untyped).run(values) } catch { throw error.operatorError }
  }

  func checkInputCount(_ expected: Int) throws(OpError) {
    guard graph.inputs.count == expected else {
      throw .invalidAttribute(
        name: "body", found: "\(graph.inputs.count) inputs", expected: "\(expected)")
    }
  }

  func checkOutputCount(_ expected: ClosedRange<Int>) throws(OpError) {
    guard expected.contains(graph.outputs.count) else {
      throw .invalidAttribute(
        name: "body", found: "\(graph.outputs.count) outputs",
        expected: "\(expected.lowerBound)…\(expected.upperBound)")
    }
  }
}

extension TensorType {
  /// What both types have in common; `nil` if the element types differ.
  static func common(_ left: TensorType?, _ right: TensorType?) -> TensorType? {
    guard let left, let right, left.elementType == right.elementType else { return nil }
    guard let first = left.dimensions, let second = right.dimensions, first.count == second.count
    else { return TensorType(left.elementType, nil) }
    return TensorType(left.elementType, zip(first, second).map { $0 == $1 ? $0 : .unknown })
  }
}

extension Tensor {
  /// The one element of a condition.
  fileprivate func condition(_ name: String) throws(OpError) -> Bool {
    guard elementType == .bool else {
      throw .invalidElementType(input: name, found: elementType, expected: "bool")
    }
    guard count == 1 else {
      throw .invalidShape(input: name, found: shape, expected: "one element")
    }
    return bytes[0] != 0
  }
}

extension If {
  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    let condition = try operands.required(0, "cond")
    try ElementTypeRule.only(.bool).check(condition.type, "cond")
    let captured = operands.dropFirst().map { $0?.type }
    for branch in [thenBranch, elseBranch] {
      try branch.checkInputCount(captured.count)
      try branch.checkOutputCount(outputCount...max(outputCount, branch.graph.outputs.count))
    }
    let types = [thenBranch, elseBranch].map { $0.outputTypes(captured) }
    if let known = condition.constant, known.count == 1 {
      return Array(types[try known.condition("cond") ? 0 : 1].prefix(outputCount))
    }
    return (0..<outputCount).map { TensorType.common(types[0][$0], types[1][$0]) }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let isTrue = try inputs.required(0, "cond").condition("cond")
    var captured: [Tensor] = []
    for index in 1..<max(1, inputs.count) {
      captured.append(try inputs.required(index, "captured value"))
    }
    let branch = isTrue ? thenBranch : elseBranch
    try branch.checkInputCount(captured.count)
    try branch.checkOutputCount(outputCount...max(outputCount, branch.graph.outputs.count))
    return Array(try branch.evaluate(captured).prefix(outputCount))
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    let costs = [thenBranch, elseBranch].map { $0.graph.cost?.multiplyAccumulates }
    guard let first = costs[0], let second = costs[1] else { return nil }
    return OpCost(multiplyAccumulates: max(first, second))
  }
}

extension Loop {
  private func check(_ inputCount: Int, _ outputCount: Int) throws(OpError) {
    guard carriedCount >= 0, inputCount >= 2 + carriedCount else {
      throw .wrongInputCount(found: inputCount, expected: (2 + carriedCount)...Int.max)
    }
    try body.checkInputCount(inputCount)
    let gathered = body.graph.outputs.count - 1 - carriedCount
    try body.checkOutputCount((1 + carriedCount)...max(1 + carriedCount, 1 + outputCount))
    guard gathered >= 0, outputCount <= carriedCount + gathered else {
      throw .invalidAttribute(
        name: "number of outputs", found: "\(outputCount)",
        expected: "\(carriedCount + max(0, gathered)) at most")
    }
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try check(operands.count, outputCount)
    try ElementTypeRule.only(.int64).check(operands[0]?.type, "M")
    try ElementTypeRule.only(.bool).check(operands[1]?.type, "cond")
    let captured = operands.dropFirst(2 + carriedCount).map { $0?.type }
    var carried = operands.dropFirst(2).prefix(carriedCount).map { $0?.type }
    let first: [TensorType?] = [TensorType(.int64, []), TensorType(.bool, [])]
    var types = body.outputTypes(first + carried + captured)
    for _ in 0..<4 {
      let next = zip(carried, types.dropFirst()).map { TensorType.common($0, $1) }
      if next == carried { break }
      carried = next
      types = body.outputTypes(first + carried + captured)
    }
    if zip(carried, types.dropFirst()).contains(where: { TensorType.common($0, $1) != $0 }) {
      carried = carried.map { $0.map { TensorType($0.elementType, nil) } }
      types = body.outputTypes(first + carried + captured)
    }
    let gathered = types.dropFirst(1 + carriedCount).map { type in
      type.map { TensorType($0.elementType, $0.dimensions.map { [.unknown] + $0 }) }
    }
    return Array((carried + gathered).prefix(outputCount))
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    try check(inputs.count, outputCount)
    var limit = Int64.max
    if let count = inputs[0] {
      guard count.elementType == .int64, count.count == 1 else {
        throw .invalidShape(input: "M", found: count.shape, expected: "one int64")
      }
      limit = count.integers()[0]
    }
    var goesOn =
      try inputs[1].map { (tensor) throws(OpError) in
        try tensor.condition("cond")
      } ?? true
    var carried: [Tensor] = []
    var captured: [Tensor] = []
    for index in 2..<max(2, inputs.count) {
      let tensor: Tensor = try inputs.required(index, "carried value \(index - 2)")
      if index < 2 + carriedCount { carried.append(tensor) } else { captured.append(tensor) }
    }
    let gatheredCount = body.graph.outputs.count - 1 - carriedCount
    var gathered = [GatheredSlices](repeating: GatheredSlices(), count: gatheredCount)
    var iteration: Int64 = 0
    while goesOn, iteration < limit {
      let state = [
        Tensor(scalar: iteration),
        Tensor(uncheckedElementType: .bool, shape: [], bytes: [1]),
      ]
      let results = try body.evaluate(state + carried + captured)
      goesOn = try results[0].condition("cond")
      carried = Array(results[1..<(1 + carriedCount)])
      for index in gathered.indices {
        try gathered[index].append(results[1 + carriedCount + index])
      }
      iteration += 1
    }
    var types: [TensorType?] = Array(repeating: nil, count: gatheredCount)
    if iteration == 0 {
      let state: [TensorType?] = [TensorType(.int64, []), TensorType(.bool, [])]
      types = Array(
        body.outputTypes(state + (carried + captured).map { Operand($0).type })
          .dropFirst(1 + carriedCount))
    }
    var results = carried
    for (slices, type) in zip(gathered, types) {
      results.append(try slices.tensor(axis: 0, isReversed: false, ifEmpty: type))
    }
    return Array(results.prefix(outputCount))
  }

  /// Not known: it depends on how often the body runs.
  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? { nil }
}
