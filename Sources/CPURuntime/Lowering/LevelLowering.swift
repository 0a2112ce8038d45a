// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension RoundToLevels: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let output = node.outputs[0],
      let least = builder.graph.constant(node.inputs[1])?.floats(),
      let levels = builder.graph.constant(node.inputs[2])?.floats(),
      builder.graph.type(input)?.elementType == .float32,
      let (source, layout) = try builder.anyDense(input, as: .float32)
    else { return false }
    let target = builder.allocate(.float32, source.shape, layout)
    let count = source.count
    let threads = count < 4096 ? 1 : builder.threads
    builder.add(
      Step(
        label: builder.label(node, implementation: "swiftlet", precision: "f32"),
        reads: [source.buffer], writes: [target.buffer]
      ) { memory in
        let from = UnsafePointer(memory.address(source).assumingMemoryBound(to: Float.self))
        let to = memory.address(target).assumingMemoryBound(to: Float.self)
        return { _ in
          ThreadTeam.forEachRange(of: count, threads: threads) { range in
            for index in range {
              to[index] = levels[RoundToLevels.place(of: from[index], in: least)]
            }
          }
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }
}
