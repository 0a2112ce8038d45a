// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

extension Recurrent.Activation {
  fileprivate func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .relu: max(0, x)
    case .tanh: Foundation.tanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .softsign: x / (1 + abs(x))
    case .softplus: x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))
    case .affine(let alpha, let beta): Double(alpha) * x + Double(beta)
    case .scaledTanh(let alpha, let beta): Double(alpha) * Foundation.tanh(Double(beta) * x)
    case .hardSigmoid(let alpha, let beta): max(0, min(1, Double(alpha) * x + Double(beta)))
    case .leakyRelu(let alpha): x < 0 ? Double(alpha) * x : x
    case .thresholdedRelu(let alpha): x > Double(alpha) ? x : 0
    case .elu(let alpha): x < 0 ? Double(alpha) * expm1(x) : x
    }
  }
}

extension Recurrent {
  private var isLSTM: Bool { if case .lstm = cell { true } else { false } }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...(isLSTM ? 8 : 6))
    try checkOutputCount(outputCount, 1...(isLSTM ? 3 : 2))
    guard activations.count == direction.count * cell.activationCount else {
      throw .invalidAttribute(
        name: "activations", found: "\(activations.count)",
        expected: "\(direction.count * cell.activationCount)")
    }
    let names = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
    var types: [(name: String, type: TensorType?)] = []
    for (index, name) in names.enumerated() where index != 4 {
      guard let operand = operands.optional(index) else {
        if index < 3 { throw .missingInput(name: name) }
        continue
      }
      types.append((name, operand.type))
      let rank = [3, 3, 3, 2, 1, 3, 3, 2][index]
      if let found = operand.type?.rank, found != rank {
        throw .invalidRank(input: name, found: found, expected: "\(rank)")
      }
    }
    let elementType = try ElementTypeRule.floating.common(types)
    let x = operands[0]?.dimensions
    var hidden = hiddenSize.map { Dimension.fixed($0) } ?? .unknown
    if let columns = operands[2]?.dimensions?[2] {
      guard let merged = Dimension.merged(hidden, columns) else {
        throw .invalidShape(
          input: "R", found: operands[2]?.type?.shape ?? [], expected: "\(hidden) columns")
      }
      hidden = merged
    }
    let gates = Dimension.fixed(cell.gateCount) * hidden
    let directions = Dimension.fixed(direction.count)
    let inputs = x?[2] ?? .unknown
    let steps = x?[isBatchFirst ? 1 : 0] ?? .unknown
    let batch = x?[isBatchFirst ? 0 : 1] ?? .unknown
    let state = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
    let expected: [[Dimension]] = [
      [.unknown, .unknown, .unknown], [directions, gates, inputs], [directions, gates, hidden],
      [directions, .fixed(2) * gates], [batch], state, state, [directions, .fixed(3) * hidden],
    ]
    for (index, expected) in expected.enumerated() {
      guard let found = operands.optional(index)?.dimensions else { continue }
      guard found.count == expected.count,
        zip(found, expected).allSatisfy({ Dimension.merged($0, $1) != nil })
      else {
        throw .invalidShape(
          input: names[index], found: operands[index]?.type?.shape ?? [],
          expected: expected.map(\.description).joined(separator: "×"))
      }
    }
    guard let elementType else { return Array(repeating: nil, count: outputCount) }
    let all =
      isBatchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
    return [all, state, state].prefix(outputCount).map { TensorType(elementType, $0) }
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let sizes = RecurrentSizes(
      steps: x.shape[isBatchFirst ? 1 : 0], batch: x.shape[isBatchFirst ? 0 : 1],
      inputs: x.shape[2], hidden: try inputs.required(2, "R").shape[2],
      directions: direction.count, isBatchFirst: isBatchFirst)
    var lengths = Array(repeating: sizes.steps, count: sizes.batch)
    if let given = inputs.optional(4) {
      lengths = given.integers().map { Int($0) }
      guard lengths.allSatisfy({ (0...sizes.steps).contains($0) }) else {
        throw .invalidValue(
          input: "sequence_lens", found: "\(lengths)", expected: "0…\(sizes.steps)")
      }
    }
    let stateCount = sizes.directions * sizes.batch * sizes.hidden
    var outputs = RecurrentOutputs(
      all: Array(repeating: 0, count: sizes.steps * stateCount),
      hidden: inputs.optional(5)?.reals() ?? Array(repeating: 0, count: stateCount),
      cell: inputs.optional(6)?.reals() ?? Array(repeating: 0, count: stateCount))
    let operands = RecurrentOperands(
      x: x.reals(), w: try inputs.required(1, "W").reals(), r: try inputs.required(2, "R").reals(),
      bias: inputs.optional(3)?.reals(), peepholes: inputs.optional(7)?.reals())
    for index in 0..<sizes.directions {
      let isReversed = direction == .reverse || index == 1
      let functions = Array(
        activations[(index * cell.activationCount)..<((index + 1) * cell.activationCount)])
      for sample in 0..<sizes.batch {
        let line = RecurrentLine(
          cell: cell, functions: functions, clip: clip.map { Double($0) }, sizes: sizes,
          direction: index, sample: sample)
        line.run(
          steps: lengths[sample], isReversed: isReversed, operands: operands, into: &outputs)
      }
    }
    return zip(results, [outputs.all, outputs.hidden, outputs.cell]).map { result, reals in
      Tensor(reals: reals, shape: result.shape, elementType: result.elementType)
    }
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType?]) -> OpCost? {
    guard let x = inputs.optional(0)?.shape, x.count == 3, let r = inputs.optional(2)?.shape,
      r.count == 3
    else { return nil }
    let (columns, isTooLarge) = x[2].addingReportingOverflow(r[2])
    if isTooLarge { return nil }
    let products = [x[0], x[1], r[0], r[1], columns]
    var count = 1
    for factor in products {
      let (next, overflow) = count.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      count = next
    }
    return OpCost(multiplyAccumulates: count)
  }
}

/// Extents of a recurrent layer, and where its elements lie.
private struct RecurrentSizes {
  let steps: Int
  let batch: Int
  let inputs: Int
  let hidden: Int
  let directions: Int
  let isBatchFirst: Bool

  func input(_ step: Int, _ sample: Int) -> Int {
    (isBatchFirst ? sample * steps + step : step * batch + sample) * inputs
  }

  func state(_ direction: Int, _ sample: Int) -> Int {
    (isBatchFirst ? sample * directions + direction : direction * batch + sample) * hidden
  }

  func output(_ step: Int, _ direction: Int, _ sample: Int) -> Int {
    let row =
      isBatchFirst
      ? (sample * steps + step) * directions + direction
      : (step * directions + direction) * batch + sample
    return row * hidden
  }
}

private struct RecurrentOperands {
  let x: [Double]
  let w: [Double]
  let r: [Double]
  let bias: [Double]?
  let peepholes: [Double]?
}

private struct RecurrentOutputs {
  var all: [Double]
  var hidden: [Double]
  var cell: [Double]
}

/// One sample of one direction.
private struct RecurrentLine {
  let cell: Recurrent.Cell
  let functions: [Recurrent.Activation]
  let clip: Double?
  let sizes: RecurrentSizes
  let direction: Int
  let sample: Int

  func run(
    steps: Int, isReversed: Bool, operands: RecurrentOperands, into outputs: inout RecurrentOutputs
  ) {
    let start = sizes.state(direction, sample)
    var hidden = Array(outputs.hidden[start..<(start + sizes.hidden)])
    var memory = Array(outputs.cell[start..<(start + sizes.hidden)])
    for count in 0..<steps {
      let step = isReversed ? steps - 1 - count : count
      advance(step, &hidden, &memory, operands)
      let place = sizes.output(step, direction, sample)
      for unit in 0..<sizes.hidden { outputs.all[place + unit] = hidden[unit] }
    }
    for unit in 0..<sizes.hidden {
      outputs.hidden[start + unit] = hidden[unit]
      outputs.cell[start + unit] = memory[unit]
    }
  }

  private func advance(
    _ step: Int, _ hidden: inout [Double], _ memory: inout [Double],
    _ operands: RecurrentOperands
  ) {
    let size = sizes.hidden
    func input(_ gate: Int, _ unit: Int) -> Double {
      let row = (direction * cell.gateCount + gate) * size + unit
      var sum = bias(operands, gate, unit)
      let (from, weights) = (sizes.input(step, sample), row * sizes.inputs)
      for index in 0..<sizes.inputs {
        sum += operands.x[from + index] * operands.w[weights + index]
      }
      return sum
    }
    func state(_ gate: Int, _ unit: Int, _ values: [Double]) -> Double {
      let row = (direction * cell.gateCount + gate) * size + unit
      var sum = bias(operands, cell.gateCount + gate, unit)
      for index in 0..<size { sum += values[index] * operands.r[row * size + index] }
      return sum
    }
    let before = hidden
    switch cell {
    case .rnn:
      for unit in 0..<size { hidden[unit] = apply(0, input(0, unit) + state(0, unit, before)) }
    case .gru(let linearBeforeReset):
      let gates = (0..<2).map { gate in
        (0..<size).map { apply(0, input(gate, $0) + state(gate, $0, before)) }
      }
      let reset = (0..<size).map { gates[1][$0] * before[$0] }
      for unit in 0..<size {
        let recurrent =
          linearBeforeReset
          ? gates[1][unit] * state(2, unit, before) : state(2, unit, reset)
        let fresh = apply(1, input(2, unit) + recurrent)
        hidden[unit] = (1 - gates[0][unit]) * fresh + gates[0][unit] * before[unit]
      }
    case .lstm(let couplesInputAndForget):
      for unit in 0..<size {
        let sums = (0..<4).map { input($0, unit) + state($0, unit, before) }
        let entry = apply(0, sums[0] + peephole(operands, 0, unit) * memory[unit])
        let forget =
          couplesInputAndForget
          ? 1 - entry : apply(0, sums[2] + peephole(operands, 2, unit) * memory[unit])
        memory[unit] = forget * memory[unit] + entry * apply(1, sums[3])
        let exit = apply(0, sums[1] + peephole(operands, 1, unit) * memory[unit])
        hidden[unit] = exit * functions[2](memory[unit])
      }
    }
  }

  private func bias(_ operands: RecurrentOperands, _ row: Int, _ unit: Int) -> Double {
    guard let bias = operands.bias else { return 0 }
    return bias[(direction * 2 * cell.gateCount + row) * sizes.hidden + unit]
  }

  private func peephole(_ operands: RecurrentOperands, _ gate: Int, _ unit: Int) -> Double {
    guard let peepholes = operands.peepholes else { return 0 }
    return peepholes[(direction * 3 + gate) * sizes.hidden + unit]
  }

  private func apply(_ function: Int, _ sum: Double) -> Double {
    guard let clip else { return functions[function](sum) }
    return functions[function](max(-clip, min(clip, sum)))
  }
}
