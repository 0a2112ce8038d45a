// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Resize: Lowerable {
  /// One axis after another, each position a weighted sum of rows.
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs.first.flatMap({ $0 }), let output = node.outputs[0],
      let type = builder.type(of: input), type.elementType == .float32,
      let wanted = builder.shape(of: output), !wanted.contains(0)
    else { return false }
    let operands = node.inputs.enumerated().map { position, id in
      id.map {
        Operand(
          type: builder.graph.type($0), constant: position == 0 ? nil : builder.graph.constant($0))
      }
    }
    guard let axes = (try? weightedIndices(operands, shape: type.shape)) ?? nil,
      zip(axes, zip(type.shape, wanted)).allSatisfy({ $0?.count ?? $1.0 == $1.1 }),
      let (source, layout) = try builder.anyDense(input, as: .float32)
    else { return false }
    var present = source
    for (axis, positions) in axes.enumerated() {
      guard let positions else { continue }
      var shape = present.shape
      shape[axis] = positions.count
      let target = builder.allocate(.float32, shape, layout)
      builder.addSampling(
        from: present, to: target, axis: axis, RowWeights(positions),
        label: builder.label(node, implementation: "swiftlet", precision: "f32"))
      present = target
    }
    builder.setPlacement(present, of: output)
    return true
  }
}

/// Which rows each row of a result is the weighted sum of.
private struct RowWeights {
  var indices: [Int] = []
  var weights: [Float] = []
  /// Where the rows of each position begin, and the end of the last.
  var starts = [0]

  init(_ positions: [[(index: Int, weight: Double)]]) {
    for position in positions {
      indices += position.map(\.index)
      weights += position.map { Float($0.weight) }
      starts.append(indices.count)
    }
  }
}

extension ProgramBuilder {
  fileprivate func addSampling(
    from source: Placement, to target: Placement, axis: Int, _ rows: RowWeights, label: StepLabel
  ) {
    // Dense in the same order of axes, so what lies inside the axis is one run of elements.
    let inner = target.strides[axis]
    let extent = source.shape[axis]
    let count = target.shape[axis]
    let outer = target.count / (inner * count)
    let threads = target.count < 16384 ? 1 : threads
    add(
      Step(label: label, reads: [source.buffer], writes: [target.buffer]) { memory in
        let from = memory.address(source).assumingMemoryBound(to: Float.self)
        let to = memory.address(target).assumingMemoryBound(to: Float.self)
        return { _ in
          ThreadTeam.forEachRange(of: outer * count, threads: threads) { range in
            for row in range {
              let (block, position) = row.quotientAndRemainder(dividingBy: count)
              let result = to + row * inner
              var isFirst = true
              for tap in rows.starts[position]..<rows.starts[position + 1] {
                let read = from + (block * extent + rows.indices[tap]) * inner
                let weight = rows.weights[tap]
                if isFirst {
                  for index in 0..<inner { result[index] = weight * read[index] }
                } else {
                  for index in 0..<inner { result[index] += weight * read[index] }
                }
                isFirst = false
              }
              if isFirst { for index in 0..<inner { result[index] = 0 } }
            }
          }
        }
      })
  }
}
