// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

/// How the arithmetic of a program is done.
public enum Precision: String, Sendable, Codable, CaseIterable {
  /// 32-bit floating point; quantized nodes compute in floating point between their codes.
  case fp32
  /// Activations and weights of real nodes in bfloat16.
  case bf16
  /// Quantized nodes in 8-bit integers, the rest in 32-bit floating point.
  case int8
}

/// Lowers a graph to steps over buffers.
///
/// A class because lowering rules of every operator add to the same lists.
final class ProgramBuilder {
  /// What a buffer is.
  enum BufferKind {
    case arena
    case input(Int)
    case constant(ConstantBlock)
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
  let threads: Int
  let precision: Precision
  private(set) var buffers: [Buffer] = []
  private(set) var steps: [Step] = []
  private var placements: [ValueID: Placement] = [:]
  private var forms: [Form: Placement] = [:]
  private let lastUse: [ValueID: Int]
  private let hasWindowsOfOneAxis: Bool

  /// Position of the node that is being lowered.
  var position = 0

  /// Outputs that are shown where they lie, by position.
  private(set) var observed: [Int: ObservedOutput] = [:]

  init(
    graph: Graph, engine: Engine, threads: Int, precision: Precision, keepsOutputs: Bool = true
  ) throws(CompileError) {
    self.graph = graph
    self.engine = engine
    self.threads = threads
    self.precision = precision
    var lastUse: [ValueID: Int] = [:]
    for (position, node) in graph.nodes.enumerated() {
      for case .some(let input) in node.inputs { lastUse[input] = position }
    }
    if keepsOutputs { for output in graph.outputs { lastUse[output] = .max } }
    self.lastUse = lastUse
    hasWindowsOfOneAxis = graph.nodes.contains { node in
      let root = (node.op as? Fused)?.root ?? node.op
      let hasWindows =
        root is Conv || root is ConvTranspose || root is MaxPool || root is AveragePool
        || root is GlobalPool || root is BatchNormalization
      return hasWindows && node.inputs.first.map { graph.type($0)?.rank == 3 } ?? false
    }
    for (index, input) in graph.inputs.enumerated() {
      guard let type = graph[input].type, let shape = type.shape else {
        throw .unknownShape(value: graph[input].name, type: graph[input].type?.description ?? "?")
      }
      let bytes = type.elementType.byteCount(of: shape.reduce(1, *))
      buffers.append(Buffer(kind: .input(index), byteCount: bytes, lastUse: .max))
      placements[input] = Placement(
        buffer: buffers.count - 1, elementType: type.elementType, shape: shape,
        strides: Tensor.strides(of: shape))
    }
  }

  /// The element type in which real values of the network are kept.
  var realType: ElementType { precision == .bf16 ? .bfloat16 : .float32 }

  /// The static type of a value.
  func type(of value: ValueID) -> (elementType: ElementType, shape: [Int])? {
    guard let type = graph[value].type, let shape = type.shape else { return nil }
    return (type.elementType, shape)
  }

  func shape(of value: ValueID?) -> [Int]? { value.flatMap { type(of: $0)?.shape } }

  func add(_ step: Step) { steps.append(step) }

  /// A new buffer in the arena for a dense tensor.
  func allocate(_ elementType: ElementType, _ shape: [Int], _ layout: Layout) -> Placement {
    buffers.append(
      Buffer(
        kind: .arena, byteCount: elementType.byteCount(of: shape.reduce(1, *)), lastUse: position))
    return Placement(
      buffer: buffers.count - 1, elementType: elementType, shape: shape,
      strides: layout.strides(of: shape))
  }

  /// A new buffer of raw bytes in the arena.
  func allocateScratch(_ byteCount: Int) -> Placement {
    allocate(.uint8, [max(byteCount, 1)], .plain)
  }

  /// A buffer that is filled now and never changes.
  func addConstant(
    byteCount: Int, fill: (UnsafeMutableRawPointer) throws(OneDNNError) -> Void
  ) throws(OneDNNError) -> Placement {
    let block = ConstantBlock(byteCount: byteCount)
    try fill(block.address)
    buffers.append(Buffer(kind: .constant(block), byteCount: byteCount, lastUse: .max))
    return Placement(
      buffer: buffers.count - 1, elementType: .uint8, shape: [byteCount], strides: [1])
  }

  func addConstant<Scalar: BitwiseCopyable>(_ elements: [Scalar]) throws(OneDNNError) -> Placement {
    let bytes = elements.count * MemoryLayout<Scalar>.stride
    return try addConstant(byteCount: bytes) { address in
      elements.withUnsafeBytes { source in
        if let base = source.baseAddress { address.copyMemory(from: base, byteCount: bytes) }
      }
    }
  }

  /// The address of a constant buffer.
  func constantAddress(_ placement: Placement) -> UnsafeMutableRawPointer? {
    guard case .constant(let block) = buffers[placement.buffer].kind else { return nil }
    return block.address + placement.offset
  }

  func isInput(_ placement: Placement) -> Bool {
    if case .input = buffers[placement.buffer].kind { true } else { false }
  }

  /// Says where a value lies; its buffer lives as long as the value is used.
  func setPlacement(_ placement: Placement, of value: ValueID?) {
    guard let value else { return }
    placements[value] = placement
    let last = lastUse[value] ?? position
    buffers[placement.buffer].lastUse = max(buffers[placement.buffer].lastUse, last)
  }

  /// Lets values lie elsewhere while `body` lowers something.
  func withPlacements<Result>(
    _ overrides: [(value: ValueID, placement: Placement)],
    _ body: () throws(OneDNNError) -> Result
  ) throws(OneDNNError) -> Result {
    let savedPlacements = placements
    let savedForms = forms
    for (value, placement) in overrides {
      placements[value] = placement
      forms = forms.filter { $0.key.value != value }
    }
    defer {
      let made = placements.filter { savedPlacements[$0.key] == nil }
      placements = savedPlacements.merging(made) { old, _ in old }
      forms = savedForms
    }
    return try body()
  }

  /// Where a value lies now, in whatever form; constants are brought in as they are.
  func placement(of value: ValueID) throws(OneDNNError) -> Placement? {
    if let known = placements[value] { return known }
    guard let constant = graph[value].constant else { return nil }
    var placement = try addConstant(constant.bytes)
    placement.elementType = constant.elementType
    placement.shape = constant.shape
    placement.strides = Tensor.strides(of: constant.shape)
    placements[value] = placement
    return placement
  }

  /// The value as a dense tensor of the program's own memory in the given layout and type.
  func dense(
    _ value: ValueID, _ layout: Layout, as target: ElementType? = nil
  ) throws(OneDNNError) -> Placement? {
    guard let present = try placement(of: value) else { return nil }
    let type = target ?? present.elementType
    if present.elementType == type, present.isDense(layout), !isInput(present) { return present }
    let form = Form(value: value, layout: layout, type: type)
    if let known = forms[form] { return known }
    guard let made = try copied(present, layout, as: type) else { return nil }
    buffers[made.buffer].lastUse = max(buffers[made.buffer].lastUse, lastUse[value] ?? position)
    forms[form] = made
    return made
  }

  /// The layout for tensors that may lie in any: channels-last, but row-major for rank 3 where no
  /// operator slides windows along an axis, as rows are then what products read.
  func preferredLayout(rank: Int) -> Layout {
    rank == 3 && !hasWindowsOfOneAxis ? .plain : .channelsLast
  }

  /// The value as a dense tensor in whichever layout it has, the preferred one if it must be copied.
  func anyDense(
    _ value: ValueID, as target: ElementType? = nil
  ) throws(OneDNNError) -> (placement: Placement, layout: Layout)? {
    guard let present = try placement(of: value) else { return nil }
    let preferred = preferredLayout(rank: present.shape.count)
    let other: Layout = preferred == .plain ? .channelsLast : .plain
    let keepsOther = !isInput(present) && !present.isDense(preferred) && present.isDense(other)
    let layout = keepsOther ? other : preferred
    guard let dense = try dense(value, layout, as: target) else { return nil }
    return (dense, layout)
  }

  /// Adds a step that shows an output where it lies now, as single precision.
  func addObservation(of value: ValueID, at output: Int) throws(OneDNNError) {
    guard let (placement, layout) = try anyDense(value, as: .float32) else { return }
    observed[output] = ObservedOutput(layout: layout, count: placement.count)
    add(
      Step(
        label: StepLabel(nodes: [], kind: "observe", implementation: "", precision: "f32"),
        reads: [placement.buffer], writes: []
      ) { memory in
        let address = UnsafeRawPointer(memory.address(placement))
        return { inputs throws(OneDNNError) in inputs.observer?(output, address) }
      })
  }

  /// The memory of a dense value that this node may overwrite: no value in it is used later.
  func claim(_ value: ValueID, _ layout: Layout, as type: ElementType) throws(OneDNNError)
    -> Placement?
  {
    guard let placement = try dense(value, layout, as: type) else { return nil }
    let buffer = buffers[placement.buffer]
    guard case .arena = buffer.kind, buffer.lastUse <= position,
      buffer.byteCount == placement.byteCount
    else { return nil }
    return placement
  }
}

/// Aligned memory that a program owns.
///
/// A class because it owns memory.
final class ConstantBlock: @unchecked Sendable {
  // Safe to share: written only while the program is built, by one thread.
  let address: UnsafeMutableRawPointer

  init(byteCount: Int) {
    address = .allocate(byteCount: max(byteCount, 1), alignment: MemoryPlan.alignment)
  }

  deinit { address.deallocate() }
}

/// How an output lies in memory that runs show instead of returning it.
struct ObservedOutput: Sendable {
  let layout: Layout
  let count: Int
}
