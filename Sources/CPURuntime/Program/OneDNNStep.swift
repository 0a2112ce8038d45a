// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

/// An argument of a primitive: which one, how it is described, where it lies.
struct PrimitiveArgument: Sendable {
  var argument: Int32
  var descriptor: MemoryDescriptor
  var placement: Placement
}

extension ProgramBuilder {
  /// Adds the execution of a primitive, its scratch memory included.
  func addPrimitive(
    _ primitive: Primitive, _ arguments: [PrimitiveArgument], writes written: Set<Int32>,
    label: StepLabel
  ) throws(OneDNNError) {
    var all = arguments
    let scratch = try primitive.layout(of: DNNL_ARG_SCRATCHPAD)
    var writes = arguments.filter { written.contains($0.argument) }.map(\.placement.buffer)
    if scratch.byteCount > 0 {
      let placement = allocateScratch(scratch.byteCount)
      all.append(
        PrimitiveArgument(
          argument: DNNL_ARG_SCRATCHPAD, descriptor: scratch, placement: placement))
      writes.append(placement.buffer)
    }
    let bound = all
    let engine = engine
    add(
      Step(
        label: label,
        reads: arguments.filter { !written.contains($0.argument) }.map(\.placement.buffer),
        writes: writes
      ) { memory throws(OneDNNError) in
        let call = try BoundPrimitive(
          primitive, bound.map { ($0.argument, $0.descriptor, memory.address($0.placement)) },
          engine: engine)
        return { _ throws(OneDNNError) in try call.run() }
      })
  }

  /// A label for a step that does the work of nodes.
  func label(_ node: Node, kind: String? = nil, implementation: String, precision: String)
    -> StepLabel
  {
    StepLabel(
      nodes: node.name.isEmpty ? [] : [node.name], kind: kind ?? node.op.kind,
      implementation: implementation, precision: precision)
  }

  /// A dense tensor as oneDNN describes it.
  func descriptor(
    _ placement: Placement, shape: [Int]? = nil, strides: [Int]? = nil
  ) throws(OneDNNError) -> MemoryDescriptor {
    guard let type = placement.elementType.oneDNN else {
      throw OneDNNError(call: "element type", status: dnnl_unimplemented.rawValue)
    }
    return try MemoryDescriptor(
      type, shape: shape ?? placement.shape, strides: strides ?? placement.strides)
  }

  /// Constant data brought into the layout that a primitive wants.
  func reordered<Scalar: BitwiseCopyable>(
    _ elements: [Scalar], from source: MemoryDescriptor, to target: MemoryDescriptor
  ) throws(OneDNNError) -> Placement {
    if source.isEqual(to: target) { return try addConstant(elements) }
    let engine = engine
    return try addConstant(byteCount: target.byteCount) { address throws(OneDNNError) in
      var copy = elements
      var status: Result<Void, OneDNNError> = .success(())
      copy.withUnsafeMutableBytes { bytes in
        do throws(OneDNNError) {
          try ProgramBuilder.reorder(
            bytes.baseAddress, source, to: address, target, on: engine)
        } catch {
          status = .failure(error)
        }
      }
      try status.get()
    }
  }

  private static func reorder(
    _ input: UnsafeMutableRawPointer?, _ source: MemoryDescriptor,
    to output: UnsafeMutableRawPointer, _ target: MemoryDescriptor, on engine: Engine
  ) throws(OneDNNError) {
    var made: dnnl_primitive_desc_t?
    try check(
      dnnl_reorder_primitive_desc_create(
        &made, source.handle, engine.handle, target.handle, engine.handle, nil), "reorder")
    guard let made else { throw OneDNNError(call: "reorder", status: dnnl_runtime_error.rawValue) }
    let primitive = try Primitive(owning: made)
    let from = try MemoryHandle(source, at: input, on: engine)
    let to = try MemoryHandle(target, at: output, on: engine)
    let arguments = [
      dnnl_exec_arg_t(arg: DNNL_ARG_FROM, memory: from.handle),
      dnnl_exec_arg_t(arg: DNNL_ARG_TO, memory: to.handle),
    ]
    try check(
      dnnl_primitive_execute(primitive.handle, engine.stream, Int32(arguments.count), arguments),
      "reorder")
    try check(dnnl_stream_wait(engine.stream), "reorder")
    withExtendedLifetime((from, to)) {}
  }
}

/// A primitive with the memory of one caller.
///
/// A class because it owns the argument list that oneDNN reads.
final class BoundPrimitive {
  private let primitive: Primitive
  private let engine: Engine
  private let handles: [MemoryHandle]
  private let arguments: UnsafeMutableBufferPointer<dnnl_exec_arg_t>

  init(
    _ primitive: Primitive,
    _ bound: [(argument: Int32, descriptor: MemoryDescriptor, address: UnsafeMutableRawPointer)],
    engine: Engine
  ) throws(OneDNNError) {
    self.primitive = primitive
    self.engine = engine
    var handles: [MemoryHandle] = []
    for argument in bound {
      handles.append(try MemoryHandle(argument.descriptor, at: argument.address, on: engine))
    }
    self.handles = handles
    arguments = .allocate(capacity: bound.count)
    for (index, argument) in bound.enumerated() {
      arguments[index] = dnnl_exec_arg_t(arg: argument.argument, memory: handles[index].handle)
    }
  }

  deinit { arguments.deallocate() }

  func run() throws(OneDNNError) {
    try check(
      dnnl_primitive_execute(
        primitive.handle, engine.stream, Int32(arguments.count), arguments.baseAddress), "execute")
  }
}
