// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// A small change to a graph: nodes that go, nodes that come, and values that take others' places.
///
/// A new node may compute the outputs of nodes that the same patch removes; that keeps the names
/// of values that others see. Apply it to the graph it was made from, alone or together with
/// patches that do not touch it (`PatchBatch`).
public struct GraphPatch: Sendable {
  let graph: Graph
  private(set) var removed: [Node] = []
  private(set) var newValues: [GraphValue] = []
  private(set) var newNodes: [NewNode] = []
  private(set) var replacements: [(old: ValueID, new: ValueID)] = []
  private(set) var constants: [(value: ValueID, tensor: Tensor)] = []

  struct NewNode: Sendable {
    var op: any Op
    var name: String
    var inputs: [ValueID?]
    var outputs: [ValueID?]
  }

  public init(of graph: Graph) { self.graph = graph }

  public mutating func remove(_ node: Node) { removed.append(node) }

  public mutating func addConstant(_ tensor: Tensor, name: String) -> ValueID {
    add(
      GraphValue(
        name: name, type: TensorType(tensor.elementType, shape: tensor.shape), constant: tensor))
  }

  public mutating func addValue(name: String, type: TensorType?) -> ValueID {
    add(GraphValue(name: name, type: type, constant: nil))
  }

  /// Adds a node; `outputs` are new values or those of removed nodes.
  public mutating func addNode(
    _ op: any Op, name: String, inputs: [ValueID?], outputs: [ValueID?]
  ) {
    newNodes.append(NewNode(op: op, name: name, inputs: inputs, outputs: outputs))
  }

  /// Lets every use of `old`, as an output of the graph too, use `new` instead.
  public mutating func replace(_ old: ValueID, with new: ValueID) {
    replacements.append((old, new))
  }

  /// Gives a value a constant: a computed value whose node is removed, or another constant.
  public mutating func setConstant(_ tensor: Tensor, of value: ValueID) {
    constants.append((value, tensor))
  }

  /// Whether all that the patch does is to put constants in the place of nodes.
  fileprivate var isFolding: Bool { newNodes.isEmpty && replacements.isEmpty && !removed.isEmpty }

  /// Bytes of the constants that the patch brings.
  var constantByteCount: Int {
    let added = newValues.reduce(0) { $0 + ($1.constant?.bytes.count ?? 0) }
    return constants.reduce(added) { $0 + $1.tensor.bytes.count }
  }

  private mutating func add(_ value: GraphValue) -> ValueID {
    newValues.append(value)
    return ValueID(index: graph.values.count + newValues.count - 1)
  }
}

/// Patches of one graph that can be applied together because none touches what another relies on.
public struct PatchBatch: Sendable {
  public private(set) var patches: [GraphPatch] = []
  private var read: Set<ValueID> = []
  private var written: Set<ValueID> = []
  private var removed: Set<NodeID> = []

  /// Values that become constants, which others may read: their content does not change.
  private var folded: Set<ValueID> = []

  public init() {}

  /// Whether an accepted patch removes the node.
  public func removes(_ node: NodeID) -> Bool { removed.contains(node) }

  /// Takes the patch if no value that it changes is used by an accepted one, nor the reverse.
  ///
  /// - Returns: Whether the patch was taken.
  public mutating func accept(_ patch: GraphPatch) -> Bool {
    let footprint = PatchFootprint(patch)
    guard footprint.written.isDisjoint(with: written), footprint.written.isDisjoint(with: read),
      footprint.written.isDisjoint(with: folded), footprint.read.isDisjoint(with: written)
    else { return false }
    patches.append(patch)
    read.formUnion(footprint.read)
    let constants = patch.isFolding ? Set(patch.constants.map(\.value)) : []
    folded.formUnion(constants)
    written.formUnion(footprint.written.subtracting(constants))
    removed.formUnion(patch.removed.map(\.id))
    return true
  }
}

/// The values of the graph that a patch reads, and those whose producer, uses or content it
/// changes.
private struct PatchFootprint {
  var read: Set<ValueID> = []
  var written: Set<ValueID> = []

  init(_ patch: GraphPatch) {
    for node in patch.removed {
      read.formUnion(node.inputs.compactMap { $0 })
      written.formUnion(node.outputs.compactMap { $0 })
    }
    for node in patch.newNodes {
      for case .some(let input) in node.inputs where !read.contains(input) {
        if patch.graph.hasValue(input), patch.graph[input].constant == nil {
          written.insert(input)
        } else {
          read.insert(input)
        }
      }
      written.formUnion(node.outputs.compactMap { $0 })
    }
    for (old, new) in patch.replacements { written.formUnion([old, new]) }
    written.formUnion(patch.constants.map(\.value))
    read.subtract(written)
    read = read.filter { patch.graph.hasValue($0) }
    written = written.filter { patch.graph.hasValue($0) }
  }
}

extension Graph {
  /// The graph with a patch applied and its nodes in topological order.
  ///
  /// An output of the graph keeps its name when another value takes its place.
  ///
  /// - Throws: `GraphError.cycle` if the patch makes one.
  public func applying(_ patch: GraphPatch) throws(GraphError) -> Graph {
    var batch = PatchBatch()
    _ = batch.accept(patch)
    return try applying(batch)
  }

  /// The graph with several patches applied, all made from it, and its nodes in topological order.
  ///
  /// - Throws: `GraphError.cycle` if the patches make one.
  /// - Complexity: O(nodes + values), whatever the number of patches.
  public func applying(_ batch: PatchBatch) throws(GraphError) -> Graph {
    var result = self
    var positions: [NodeID: Int] = [:]
    for (position, node) in nodes.enumerated() { positions[node.id] = position }
    var arrivals: [Int: [Node]] = [:]
    for patch in batch.patches {
      let place = patch.removed.compactMap { positions[$0.id] }.max() ?? nodes.count
      arrivals[place, default: []] += result.adopt(patch, valueCount: values.count)
    }
    var arranged: [Node] = []
    arranged.reserveCapacity(nodes.count)
    for (position, node) in nodes.enumerated() {
      arranged += arrivals[position] ?? []
      if !batch.removes(node.id) { arranged.append(node) }
    }
    arranged += arrivals[nodes.count] ?? []
    result.setNodes(arranged)
    result.substitute(batch.patches.flatMap(\.replacements))
    try result.sortTopologically()
    return result
  }

  func hasValue(_ id: ValueID) -> Bool { id.index < values.count }

  /// Adds a patch's values and sets its constants; returns its nodes under their new identifiers.
  private mutating func adopt(_ patch: GraphPatch, valueCount: Int) -> [Node] {
    var adopted: [ValueID] = []
    for value in patch.newValues {
      adopted.append(addValue(name: value.name, type: value.type, constant: value.constant))
    }
    let first = nodes.count
    for node in patch.newNodes {
      let values = [node.inputs, node.outputs].map { list in
        list.map { id in
          id.map { $0.index < valueCount ? $0 : adopted[$0.index - valueCount] }
        }
      }
      addNode(node.op, name: node.name, inputs: values[0], outputs: values[1])
    }
    for (value, tensor) in patch.constants { setConstant(tensor, of: value) }
    return Array(nodes[first...])
  }

  private mutating func substitute(_ replacements: [(old: ValueID, new: ValueID)]) {
    if replacements.isEmpty { return }
    let new = Dictionary(replacements.map { ($0.old, $0.new) }, uniquingKeysWith: { $1 })
    var rewritten = nodes
    for position in rewritten.indices {
      for index in rewritten[position].inputs.indices {
        if let input = rewritten[position].inputs[index], let other = new[input] {
          rewritten[position].inputs[index] = other
        }
      }
    }
    setNodes(rewritten)
    let given = Set(inputs)
    var kept = outputs
    var places: [ValueID: [Int]] = [:]
    for (place, output) in outputs.enumerated() { places[output, default: []].append(place) }
    var computed: Set<ValueID> = []
    for node in nodes { computed.formUnion(node.outputs.compactMap { $0 }) }
    for (old, new) in replacements {
      guard let taken = places[old] else { continue }
      if given.contains(new) || places[new] != nil || self[new].constant != nil {
        if computed.insert(old).inserted {
          addNode(Identity(), name: "", inputs: [new], outputs: [old])
        }
      } else {
        exchangeNames(old, new)
        if self[new].type?.dimensions == nil { setType(self[old].type, of: new) }
        for place in taken { kept[place] = new }
        places[old] = nil
        places[new] = taken
      }
    }
    setOutputs(kept)
  }

  /// Puts the nodes in topological order, keeping the present order where it is one.
  ///
  /// - Throws: `GraphError.cycle` with the nodes that wait for each other.
  public mutating func sortTopologically() throws(GraphError) {
    var producer = [Int](repeating: -1, count: values.count)
    for (position, node) in nodes.enumerated() {
      for case .some(let output) in node.outputs { producer[output.index] = position }
    }
    var isSorted = true
    for (position, node) in nodes.enumerated() where isSorted {
      for case .some(let input) in node.inputs where producer[input.index] >= position {
        isSorted = false
      }
    }
    if isSorted { return }
    var state = [UInt8](repeating: 0, count: nodes.count)
    var order: [Int] = []
    order.reserveCapacity(nodes.count)
    for root in nodes.indices where state[root] == 0 {
      var stack: [(node: Int, next: Int)] = [(root, 0)]
      state[root] = 1
      while let top = stack.last {
        let inputs = nodes[top.node].inputs
        if top.next < inputs.count {
          stack[stack.count - 1].next += 1
          guard let input = inputs[top.next] else { continue }
          let source = producer[input.index]
          if source < 0 { continue }
          if state[source] == 1 {
            throw .cycle(nodes: stack.map { nodes[$0.node].name })
          }
          if state[source] == 0 {
            state[source] = 1
            stack.append((source, 0))
          }
        } else {
          state[top.node] = 2
          order.append(top.node)
          stack.removeLast()
        }
      }
    }
    setNodes(order.map { nodes[$0] })
  }
}
