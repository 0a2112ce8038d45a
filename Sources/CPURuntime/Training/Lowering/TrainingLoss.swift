// SPDX-License-Identifier: Apache-2.0
import CKernels
import GraphIR
import TensorCore

extension SoftmaxCrossEntropy: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let logits = node.inputs[0], let targets = node.inputs[1], let loss = node.outputs[0],
      let shape = builder.shape(of: logits), shape.count == 2, !shape.contains(0),
      let type = builder.workingType([logits]), let kind = type.kernel,
      let source = builder.dense(logits, .plain, as: type),
      let wanted = builder.dense(targets, .plain, as: .float32),
      let scalar = builder.shape(of: loss)
    else { return false }
    let classes = shape[1]
    let probabilities = builder.allocate(.float32, shape, .plain)
    let losses = builder.allocate(.float64, [shape[0]], .plain)
    let label = builder.label(node, implementation: "swiftlet", precision: type)
    builder.addSharded(
      label, reads: [source, wanted], writes: [probabilities, losses], alike: shape
    ) { memory, part in
      let rows = part(source).shape[0]
      let (from, targets) = (memory.address(part(source)), memory.floats(part(wanted)))
      let made = memory.floats(part(probabilities))
      let losses = memory.address(part(losses)).assumingMemoryBound(to: Double.self)
      return { swk_softmax_cross_entropy(kind, from, targets, made, losses, classes, 0, rows) }
    }
    let target = builder.allocate(.float32, scalar, .plain)
    let rows = shape[0]
    builder.add(
      TrainingTask(
        label: label.with("mean"), scope: .single(builder.nextChain()),
        accesses: [.reads(losses, .whole), .writes(target, .whole)], floats: true
      ) { memory, _ in
        let losses = memory.address(losses).assumingMemoryBound(to: Double.self)
        let mean = memory.floats(target)
        return {
          var sum = 0.0
          for row in 0..<rows { sum += losses[row] }
          mean.pointee = Float(sum / Double(rows))
        }
      })
    builder.setPlacement(target, of: loss)
    if node.outputs.count > 1 { builder.setPlacement(probabilities, of: node.outputs[1]) }
    return true
  }
}

extension SoftmaxCrossEntropyGradient: TrainingLowerable {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool {
    guard let gradient = node.inputs[0], let probabilities = node.inputs[1],
      let targets = node.inputs[2], let output = node.outputs[0],
      let shape = builder.shape(of: output), shape.count == 2, !shape.contains(0),
      let dLoss = builder.dense(gradient, .plain, as: .float32), dLoss.count == 1,
      let p = builder.dense(probabilities, .plain, as: .float32),
      let wanted = builder.dense(targets, .plain, as: .float32),
      let kind = builder.realType.kernel
    else { return false }
    let target = builder.allocate(builder.realType, shape, .plain)
    builder.addSharded(
      builder.label(node, implementation: "swiftlet", precision: builder.realType),
      reads: [dLoss, p, wanted], writes: [target], alike: shape
    ) { memory, part in
      let rows = part(p).shape[0]
      let factor = memory.floats(dLoss)
      let (p, wanted) = (memory.floats(part(p)), memory.floats(part(wanted)))
      let made = memory.address(part(target))
      return {
        swk_softmax_cross_entropy_gradient(
          kind, p, wanted, factor.pointee / Float(shape[0]), made, shape[1], 0, rows)
      }
    }
    builder.setPlacement(target, of: output)
    return true
  }
}
