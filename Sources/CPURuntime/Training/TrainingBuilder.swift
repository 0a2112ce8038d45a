// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

/// An op that has a faster way in a training step than its reference meaning.
///
/// Implementers add tasks to the builder and say where the outputs lie, or return `false` without
/// having added anything; then the reference runs on the whole batch.
protocol TrainingLowerable: Op {
  func lower(_ node: Node, into builder: TrainingBuilder) throws(OneDNNError) -> Bool
}

/// Lowers the graph of a training step to tasks over buffers.
///
/// A class because lowering rules of every operator add to the same lists.
final class TrainingBuilder {
  enum BufferKind {
    case arena
    case input(Int)
    case variable(VariableStore.Block)
    case constant(ConstantBlock)
    /// Arena memory that every thread has a copy of.
    case threadCopies
  }

  struct Buffer {
    var kind: BufferKind
    var byteCount: Int
    /// Last position in the node list at which a value in this buffer is used.
    var lastUse: Int
  }

  private struct Form: Hashable {
    let value: ValueID
    let layout: Layout
    let type: ElementType
  }

  let graph: Graph
  let engine: Engine
  let shards: ShardPlan
  /// The element type of activations and their gradients.
  let realType: ElementType
  private(set) var buffers: [Buffer] = []
  private(set) var tasks: [TrainingTask] = []
  /// Position of the node that is being lowered.
  var position = 0
  private var placements: [ValueID: Placement] = [:]
  private var forms: [Form: Placement] = [:]
  private let lastUse: [ValueID: Int]
  /// Variables by the value that stands for them before the step, and after it.
  private let variables: [ValueID: TrainingVariable]
  private var chainCount = 0
  /// How values of variables and their gradients were computed, for tasks that go on with them on
  /// the same thread or in the same pieces.
  var owners: [ValueID: TrainingTask.Scope] = [:]
  /// Forms of weights that primitives have asked for.
  var packedForms: [ValueID: [(descriptor: MemoryDescriptor, placement: Placement)]] = [:]
  /// Factor and offset per channel of batch normalizations, by the value of the batch's mean.
  var normalizations: [ValueID: (factor: Placement, offset: Placement)] = [:]
  /// Results of normalizations that lie nowhere yet: who reads them computes them.
  private var pending: [ValueID: PendingNormalization] = [:]
  /// Positions of the nodes that read a value.
  private let readers: [ValueID: [Int]]

  init(
    _ step: TrainingStep, blocks: [VariableStore.Block], engine: Engine, shards: ShardPlan,
    realType: ElementType
  ) throws(CompileError) {
    graph = step.graph
    self.engine = engine
    self.shards = shards
    self.realType = realType
    variables = Dictionary(
      step.variables.map { ($0.input, $0) }, uniquingKeysWith: { first, _ in first })
    var lastUse: [ValueID: Int] = [:]
    var readers: [ValueID: [Int]] = [:]
    for (position, node) in graph.nodes.enumerated() {
      for case .some(let input) in node.inputs {
        lastUse[input] = position
        readers[input, default: []].append(position)
      }
    }
    self.readers = readers
    for output in graph.outputs { lastUse[output] = .max }
    for variable in step.variables {
      if let output = variable.output { lastUse[output] = .max }
    }
    self.lastUse = lastUse
    let known = Dictionary(
      zip(step.variables.map(\.input), blocks), uniquingKeysWith: { first, _ in first })
    for (index, input) in graph.inputs.enumerated() {
      guard let type = graph[input].type, let shape = type.shape else {
        throw .unknownShape(value: graph[input].name, type: graph[input].type?.description ?? "?")
      }
      let bytes = type.elementType.byteCount(of: shape.reduce(1, *))
      let kind: BufferKind = known[input].map { .variable($0) } ?? .input(index)
      buffers.append(Buffer(kind: kind, byteCount: bytes, lastUse: .max))
      placements[input] = Placement(
        buffer: buffers.count - 1, elementType: type.elementType, shape: shape,
        strides: Tensor.strides(of: shape))
    }
  }

  /// The static type of a value.
  func type(of value: ValueID?) -> (elementType: ElementType, shape: [Int])? {
    guard let value, let type = graph[value].type, let shape = type.shape else { return nil }
    return (type.elementType, shape)
  }

  func shape(of value: ValueID?) -> [Int]? { type(of: value)?.shape }

  /// Whether work on tensors of this shape is done shard by shard.
  func isSharded(_ shape: [Int]) -> Bool {
    shards.count > 1 && shape.first == shards.batch
  }

  /// Whether a tensor's shards are the shards of its buffer: the batch axis is the outermost in
  /// memory.
  func isCut(_ placement: Placement) -> Bool {
    let step = (placement.strides.first ?? 0) * placement.elementType.bitWidth / 8
    return isSharded(placement.shape) && step > 0 && placement.offset < step
      && step * shards.batch == buffers[placement.buffer].byteCount
  }

  /// Shards where the shape has the batch axis, else one call.
  func scope(of shape: [Int]) -> TrainingTask.Scope {
    isSharded(shape) ? .shards : .single(nextChain())
  }

  func nextChain() -> Int {
    chainCount += 1
    return chainCount
  }

  func add(_ task: TrainingTask) { tasks.append(task) }

  /// A new buffer in the arena for a dense tensor.
  func allocate(_ elementType: ElementType, _ shape: [Int], _ layout: Layout) -> Placement {
    make(.arena, elementType, shape, layout)
  }

  /// A new buffer of which every thread has its own copy.
  func allocateThreadCopies(
    _ elementType: ElementType, _ shape: [Int], _ layout: Layout = .plain
  ) -> Placement {
    make(.threadCopies, elementType, shape, layout)
  }

  private func make(
    _ kind: BufferKind, _ elementType: ElementType, _ shape: [Int], _ layout: Layout
  ) -> Placement {
    buffers.append(
      Buffer(
        kind: kind, byteCount: elementType.byteCount(of: shape.reduce(1, *)), lastUse: position))
    return Placement(
      buffer: buffers.count - 1, elementType: elementType, shape: shape,
      strides: layout.strides(of: shape))
  }

  /// A buffer that is filled now and never changes.
  func addConstant(_ bytes: [UInt8]) -> Placement {
    let block = ConstantBlock(byteCount: bytes.count)
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress {
        block.address.copyMemory(from: base, byteCount: bytes.count)
      }
    }
    buffers.append(Buffer(kind: .constant(block), byteCount: bytes.count, lastUse: .max))
    return Placement(
      buffer: buffers.count - 1, elementType: .uint8, shape: [bytes.count], strides: [1])
  }

  func isInput(_ placement: Placement) -> Bool {
    if case .input = buffers[placement.buffer].kind { true } else { false }
  }

  func isVariable(_ placement: Placement) -> Bool {
    if case .variable = buffers[placement.buffer].kind { true } else { false }
  }

  func inputIndex(_ placement: Placement) -> Int? {
    if case .input(let index) = buffers[placement.buffer].kind { index } else { nil }
  }

  /// Whether every thread has its own copy of the memory.
  func hasThreadCopies(_ placement: Placement) -> Bool {
    if case .threadCopies = buffers[placement.buffer].kind { true } else { false }
  }

  /// Says where a value lies; its buffer lives as long as the value is used.
  func setPlacement(_ placement: Placement, of value: ValueID?) {
    guard let value else { return }
    placements[value] = placement
    let last = lastUse[value] ?? position
    buffers[placement.buffer].lastUse = max(buffers[placement.buffer].lastUse, last)
  }

  /// Where a value lies now, in whatever form; constants are brought in as they are.
  func placement(of value: ValueID) -> Placement? {
    if let known = placements[value] { return known }
    if let waiting = pending.removeValue(forKey: value) {
      let target = allocate(waiting.source.elementType, waiting.source.shape, .channelsLast)
      addNormalization(waiting, to: target)
      setPlacement(target, of: value)
      return target
    }
    guard let constant = graph[value].constant, constant.elementType.bitWidth >= 8 else {
      return nil
    }
    var placement = addConstant(constant.bytes)
    placement.elementType = constant.elementType
    placement.shape = constant.shape
    placement.strides = Tensor.strides(of: constant.shape)
    placements[value] = placement
    return placement
  }

  /// The value as a dense tensor of the program's own memory in the given layout and type.
  func dense(_ value: ValueID, _ layout: Layout, as target: ElementType? = nil) -> Placement? {
    guard let present = placement(of: value) else { return nil }
    let type = target ?? present.elementType
    if present.elementType == type, present.isDense(layout), !isInput(present) { return present }
    let form = Form(value: value, layout: layout, type: type)
    if let known = forms[form] { return known }
    guard let made = copied(present, layout, as: type) else { return nil }
    buffers[made.buffer].lastUse = max(buffers[made.buffer].lastUse, lastUse[value] ?? position)
    forms[form] = made
    return made
  }

  /// The nodes that read a value, an output of the graph or of a variable being read by none.
  func readingNodes(_ value: ValueID) -> [Node]? {
    lastUse[value] == .max ? nil : (readers[value] ?? []).map { graph.nodes[$0] }
  }

  /// Leaves the result of a normalization to those who read it; what it is computed from lives as
  /// long as the result would.
  func postpone(_ normalization: PendingNormalization, of value: ValueID) {
    pending[value] = normalization
    let buffer = normalization.source.buffer
    buffers[buffer].lastUse = max(buffers[buffer].lastUse, lastUse[value] ?? position)
  }

  /// The normalization whose result a value is, if it lies nowhere yet.
  func postponed(_ value: ValueID?) -> PendingNormalization? { value.flatMap { pending[$0] } }

  /// Whether this node may overwrite the memory of a value: nothing in it is used later.
  func mayOverwrite(_ placement: Placement) -> Bool {
    let buffer = buffers[placement.buffer]
    guard case .arena = buffer.kind else { return false }
    return buffer.lastUse <= position && buffer.byteCount == placement.byteCount
  }

  /// The memory of a variable that this node may leave its new value in: the value before the step
  /// is used by no later node.
  func variableTarget(_ input: ValueID?, output: ValueID?) -> Placement? {
    guard let input, let output, let variable = variables[input], variable.output == output,
      (lastUse[input] ?? position) <= position
    else { return nil }
    return placements[input]
  }

  func label(_ node: Node, implementation: String, precision: ElementType) -> StepLabel {
    StepLabel(
      nodes: node.name.isEmpty ? [] : [node.name], kind: node.op.kind,
      implementation: implementation, precision: precision.shortName)
  }

  func label(_ kind: String, _ type: ElementType) -> StepLabel {
    StepLabel(nodes: [], kind: kind, implementation: "swiftlet", precision: type.shortName)
  }

  /// A tensor as oneDNN describes it.
  func descriptor(_ placement: Placement) throws(OneDNNError) -> MemoryDescriptor {
    guard let type = placement.elementType.oneDNN else {
      throw OneDNNError(call: "element type", status: dnnl_unimplemented.rawValue)
    }
    return try MemoryDescriptor(type, shape: placement.shape, strides: placement.strides)
  }
}

extension ShardPlan {
  /// The part of a tensor that belongs to a shard; the whole tensor where it is not sharded.
  func part(_ index: Int, of placement: Placement) -> Placement {
    guard count > 1, placement.shape.first == batch else { return placement }
    return placement.sliced(axis: 0, start: index * size, extent: size)
  }
}

extension TrainingTask.Access {
  static func reads(_ placement: Placement, _ extent: TrainingTask.Extent) -> Self {
    Self(buffer: placement.buffer, extent: extent, isWrite: false)
  }

  static func writes(_ placement: Placement, _ extent: TrainingTask.Extent) -> Self {
    Self(buffer: placement.buffer, extent: extent, isWrite: true)
  }
}

extension TrainingBuilder {
  /// How a task that works by `scope` touches a tensor: its own part where the tensor is cut the
  /// same way or every thread has a copy.
  func extent(of placement: Placement, in scope: TrainingTask.Scope) -> TrainingTask.Extent {
    if hasThreadCopies(placement) { return .own }
    switch scope {
    case .shards: return isCut(placement) ? .own : .whole
    case .pieces, .single, .everyThread: return .whole
    }
  }

  func accesses(
    reads: [Placement], writes: [Placement], in scope: TrainingTask.Scope
  ) -> [TrainingTask.Access] {
    reads.map { .reads($0, extent(of: $0, in: scope)) }
      + writes.map { .writes($0, extent(of: $0, in: scope)) }
  }

  /// A task on dense tensors that is done shard by shard where its results have the batch axis.
  func addSharded(
    _ label: StepLabel, reads: [Placement], writes: [Placement], alike shape: [Int],
    floats: Bool = false,
    _ bind:
      @escaping @Sendable (TaskMemory, (Placement) -> Placement) throws(OneDNNError) -> TaskRunner
  ) {
    let scope = scope(of: shape)
    let shards = shards
    let isSharded = scope == .shards
    add(
      TrainingTask(
        label: label, scope: scope, accesses: accesses(reads: reads, writes: writes, in: scope),
        floats: floats && !isSharded
      ) { memory, part throws(OneDNNError) in
        try bind(memory) { isSharded ? shards.part(part, of: $0) : $0 }
      })
  }
}
