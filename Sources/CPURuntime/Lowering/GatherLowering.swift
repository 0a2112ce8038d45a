// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

extension Gather: Lowerable {
  /// Copies runs of elements; indices that are constants of one value give a view.
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard node.inputs.count == 2, let data = node.inputs[0], let indices = node.inputs[1],
      let output = node.outputs[0], let shape = builder.shape(of: output),
      let listed = builder.type(of: indices), let given = builder.type(of: data),
      given.elementType.bitWidth >= 8,
      listed.elementType == .int64 || listed.elementType == .int32
    else { return false }
    let along = axis < 0 ? axis + given.shape.count : axis
    guard given.shape.indices.contains(along), given.shape[along] > 0 else { return false }
    let extent = given.shape[along]
    if let constant = builder.graph.constant(indices), constant.count == 1,
      let source = try builder.movable(node)
    {
      let index = Int(constant.integers()[0])
      guard (-extent..<extent).contains(index) else { return false }
      let start = index < 0 ? index + extent : index
      let part = source.sliced(axis: along, start: start, extent: 1)
      return try builder.setReshaped(part, of: node, value: output, to: shape)
    }
    guard let source = try builder.dense(data, .plain),
      let places = try builder.dense(indices, .plain, as: listed.elementType)
    else { return false }
    let target = builder.allocate(source.elementType, shape, .plain)
    let inner = given.shape[(along + 1)...].reduce(1, *) * source.elementType.bitWidth / 8
    let outer = given.shape[..<along].reduce(1, *)
    let count = places.count
    let isWide = listed.elementType == .int64
    let threads = target.byteCount < 65536 ? 1 : builder.threads
    builder.add(
      Step(
        label: builder.label(
          node, implementation: "swiftlet", precision: source.elementType.shortName),
        reads: [source.buffer, places.buffer], writes: [target.buffer]
      ) { memory in
        let from = memory.address(source)
        let list = memory.address(places)
        let to = memory.address(target)
        return { _ throws(OneDNNError) in
          for position in 0..<count {
            let index = Self.index(list, position, isWide)
            guard (-extent..<extent).contains(index) else {
              throw OneDNNError(
                call: "Gather: index \(index) of \(extent)",
                status: dnnl_invalid_arguments.rawValue)
            }
          }
          ThreadTeam.forEachRange(of: outer * count, threads: threads) { range in
            for row in range {
              let (block, position) = row.quotientAndRemainder(dividingBy: count)
              let index = Self.index(list, position, isWide)
              let place = index < 0 ? index + extent : index
              (to + row * inner).copyMemory(
                from: from + (block * extent + place) * inner, byteCount: inner)
            }
          }
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }

  private static func index(
    _ list: UnsafeMutableRawPointer, _ position: Int, _ isWide: Bool
  ) -> Int {
    isWide
      ? Int(list.load(fromByteOffset: position * 8, as: Int64.self))
      : Int(list.load(fromByteOffset: position * 4, as: Int32.self))
  }
}

extension DepthToSpace: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs[0], let shape = builder.shape(of: output), shape.count == 4,
      blockSize > 0, let source = try builder.movable(node), source.shape.count == 4
    else { return false }
    let (n, h, w) = (source.shape[0], source.shape[2], source.shape[3])
    let block = blockSize
    let split =
      order == .depthColumnRow
      ? source.reshaped(to: [n, block, block, shape[1], h, w])?.transposed([0, 3, 4, 1, 5, 2])
      : source.reshaped(to: [n, shape[1], block, block, h, w])?.transposed([0, 1, 4, 2, 5, 3])
    guard let split else { return false }
    return try builder.setReshaped(split, of: node, value: output, to: shape)
  }
}

extension SpaceToDepth: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let output = node.outputs[0], let shape = builder.shape(of: output), shape.count == 4,
      blockSize > 0, order == .depthColumnRow, let source = try builder.movable(node),
      source.shape.count == 4,
      let split = source.reshaped(
        to: [
          source.shape[0], source.shape[1], shape[2], blockSize, shape[3], blockSize,
        ])
    else { return false }
    return try builder.setReshaped(
      split.transposed([0, 3, 5, 1, 2, 4]), of: node, value: output, to: shape)
  }
}
