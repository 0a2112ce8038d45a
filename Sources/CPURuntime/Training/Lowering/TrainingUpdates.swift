// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension TrainingBuilder {
  /// An update of variables element by element, in place where that is possible.
  ///
  /// The work is done where the gradient was computed: by the same thread or in the same pieces.
  ///
  /// - Parameters:
  ///   - states: Values before the update, in the order of the node's outputs.
  ///   - operand: What they are updated from, of their shape.
  ///   - scalars: Numbers that `update` gets; `nil` entries read as 1.
  fileprivate func addUpdate(
    _ node: Node, states: [ValueID?], operand: ValueID?, scalars: [ValueID?],
    _ update:
      @escaping @Sendable (
        _ states: [UnsafeMutablePointer<Float>], _ operand: UnsafeMutablePointer<Float>,
        _ scalars: [Float], _ range: Swift.Range<Int>
      ) -> Void
  ) -> Bool {
    guard let operand, let shape = shape(of: operand),
      let source = dense(operand, .plain, as: .float32), node.outputs.count == states.count
    else { return false }
    var present: [Placement] = []
    for state in states {
      guard let state, let placement = dense(state, .plain, as: .float32),
        placement.shape == shape
      else { return false }
      present.append(placement)
    }
    var numbers: [Placement?] = []
    for scalar in scalars {
      guard let scalar else {
        numbers.append(nil)
        continue
      }
      guard let placement = dense(scalar, .plain, as: .float32), placement.count == 1 else {
        return false
      }
      numbers.append(placement)
    }
    let scope = owners[operand] ?? .pieces
    let sourceExtent: TrainingTask.Extent =
      hasThreadCopies(source) || owners[operand] != nil ? .own : .whole
    var targets: [Placement] = []
    var accesses: [TrainingTask.Access] = [.reads(source, sourceExtent)]
    for number in numbers.compactMap({ $0 }) { accesses.append(.reads(number, .whole)) }
    for (index, state) in present.enumerated() {
      let inPlace = variableTarget(states[index], output: node.outputs[index])
      let target = inPlace ?? allocate(.float32, shape, .plain)
      targets.append(target)
      accesses.append(.reads(state, .own))
      accesses.append(.writes(target, .own))
      if let output = node.outputs[index] { owners[output] = scope }
    }
    let made = targets
    let before = present
    let given = numbers
    let count = source.count
    let isCut = scope == .pieces
    add(
      TrainingTask(
        label: label(node, implementation: "swiftlet", precision: .float32), scope: scope,
        accesses: accesses, floats: true
      ) { memory, piece in
        let range = isCut ? ShardPlan.piece(piece, of: count) : 0..<count
        let operand = memory.floats(source)
        let numbers = given.map { $0.map { memory.floats($0) } }
        let states = zip(before, made).map { (memory.floats($0), memory.floats($1)) }
        return {
          for (from, to) in states where from != to {
            (to + range.lowerBound).update(from: from + range.lowerBound, count: range.count)
          }
          update(states.map(\.1), operand, numbers.map { $0?.pointee ?? 1 }, range)
        }
      })
    for (target, output) in zip(targets, node.outputs) { setPlacement(target, of: output) }
    return true
  }
}

extension Node {
  fileprivate func input(_ index: Int) -> ValueID? { index < inputs.count ? inputs[index] : nil }
}

extension SGDUpdate: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) -> Bool {
    builder.addUpdate(
      node, states: [node.input(0), node.input(2)], operand: node.input(1),
      scalars: [node.input(3), node.input(4)]
    ) { [momentum, usesNesterov, weightDecay] states, gradient, scalars, range in
      var arguments = swk_sgd(
        rate: scalars[0], momentum: momentum, decay: weightDecay, gradient_scale: scalars[1],
        nesterov: usesNesterov ? 1 : 0)
      swk_sgd_update(
        &arguments, states[0], gradient, states[1], range.lowerBound, range.upperBound)
    }
  }
}

extension AdamUpdate: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) -> Bool {
    builder.addUpdate(
      node, states: [node.input(0), node.input(2), node.input(3)], operand: node.input(1),
      scalars: [node.input(4), node.input(5), node.input(6)]
    ) { [self] states, gradient, scalars, range in
      var arguments = swk_adam(
        rate: scalars[0], beta1: beta1, beta2: beta2, epsilon: epsilon, decay: weightDecay,
        gradient_scale: scalars[2], step: Double(scalars[1]),
        decouples_decay: decouplesDecay ? 1 : 0)
      swk_adam_update(
        &arguments, states[0], gradient, states[1], states[2], range.lowerBound, range.upperBound)
    }
  }
}

extension RMSPropUpdate: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) -> Bool {
    builder.addUpdate(
      node, states: [node.input(0), node.input(2), node.input(3)], operand: node.input(1),
      scalars: [node.input(4), node.input(5)]
    ) { [self] states, gradient, scalars, range in
      var arguments = swk_rmsprop(
        rate: scalars[0], smoothing: smoothing, epsilon: epsilon, momentum: momentum,
        decay: weightDecay, gradient_scale: scalars[1])
      swk_rmsprop_update(
        &arguments, states[0], gradient, states[1], states[2], range.lowerBound, range.upperBound)
    }
  }
}

extension AverageUpdate: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) -> Bool {
    builder.addUpdate(
      node, states: [node.input(0)], operand: node.input(1), scalars: [node.input(2)]
    ) { states, value, scalars, range in
      swk_average_update(scalars[0], states[0], value, range.lowerBound, range.upperBound)
    }
  }
}

extension ClipScale: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    var gradients: [Placement] = []
    for input in node.inputs {
      guard let input, let placement = builder.dense(input, .plain, as: .float32) else {
        return false
      }
      gradients.append(placement)
    }
    guard let output = node.outputs[0], let shape = builder.shape(of: output) else { return false }
    let target = builder.allocate(.float32, shape, .plain)
    let scope = TrainingTask.Scope.single(builder.nextChain())
    let parts = gradients
    let limit = limit
    builder.add(
      TrainingTask(
        label: builder.label(node, implementation: "swiftlet", precision: .float32), scope: scope,
        accesses: builder.accesses(reads: gradients, writes: [target], in: scope), floats: true
      ) { memory, _ in
        let parts = parts.map { (memory.floats($0), $0.count) }
        let scale = memory.floats(target)
        return {
          var sum = 0.0
          for (values, count) in parts { sum += swk_sum_squares(values, count) }
          let norm = sum.squareRoot()
          scale.pointee = norm > Double(limit) ? Float(Double(limit) / norm) : 1
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }
}
