// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

/// An argument of a primitive that runs shard by shard.
struct ShardArgument: Sendable {
  /// What of the placement one call sees.
  enum Cut: Sendable {
    /// The shard's samples.
    case batch
    /// The shard's entry along the first axis: its partial result.
    case partial
    /// All of it.
    case shared
    /// All of it, which only tasks of the same chain touch in this phase.
    case owned
  }

  var argument: Int32
  /// Of what one call sees.
  var descriptor: MemoryDescriptor
  var placement: Placement
  var cut: Cut
  var isWrite: Bool = false
}

extension TrainingBuilder {
  /// A tensor as one call of a step by shards sees it.
  func shardShape(_ placement: Placement) -> Placement { shards.part(0, of: placement) }

  /// A part of a tensor with the batch axis, as an argument.
  func batchArgument(
    _ argument: Int32, _ placement: Placement, isWrite: Bool = false
  ) throws(OneDNNError) -> ShardArgument {
    ShardArgument(
      argument: argument, descriptor: try descriptor(shardShape(placement)),
      placement: placement, cut: .batch, isWrite: isWrite)
  }

  /// Adds the execution of a primitive, its scratch memory included: shard by shard where
  /// `isSharded`, else once; `prelude` comes right before it.
  func addPrimitive(
    _ primitive: Primitive, _ arguments: [ShardArgument], isSharded: Bool, label: StepLabel,
    chain: Int? = nil, floats: Bool = false, after prelude: TaskPrelude? = nil
  ) throws(OneDNNError) {
    let scope: TrainingTask.Scope = isSharded ? .shards : .single(chain ?? nextChain())
    var all = arguments
    let scratch = try primitive.layout(of: DNNL_ARG_SCRATCHPAD)
    var accesses = prelude?.accesses ?? []
    for argument in arguments {
      let extent: TrainingTask.Extent =
        switch argument.cut {
        case .batch: extent(of: argument.placement, in: scope)
        case .partial: isSharded ? .own : .whole
        case .owned: .own
        case .shared: hasThreadCopies(argument.placement) ? .own : .whole
        }
      accesses.append(
        TrainingTask.Access(
          buffer: argument.placement.buffer, extent: extent, isWrite: argument.isWrite))
    }
    if scratch.byteCount > 0 {
      let memory = allocateThreadCopies(.uint8, [scratch.byteCount])
      accesses.append(.writes(memory, .own))
      all.append(
        ShardArgument(
          argument: DNNL_ARG_SCRATCHPAD, descriptor: scratch, placement: memory, cut: .shared))
    }
    let bound = all
    let engine = engine
    let shards = shards
    add(
      TrainingTask(label: label, scope: scope, accesses: accesses, floats: floats) {
        memory, part throws(OneDNNError) in
        let call = try BoundPrimitive(
          primitive,
          bound.map { argument in
            let place =
              switch argument.cut {
              case .batch:
                isSharded ? shards.part(part, of: argument.placement) : argument.placement
              case .partial:
                argument.placement.sliced(axis: 0, start: isSharded ? part : 0, extent: 1)
              case .shared, .owned: argument.placement
              }
            return (argument.argument, argument.descriptor, memory.address(place))
          }, engine: engine)
        guard let first = prelude?.bind(memory, part) else {
          return { () throws(OneDNNError) in try call.run() }
        }
        return { () throws(OneDNNError) in
          first()
          try call.run()
        }
      })
  }

  /// A primitive from what a call of oneDNN makes: the first implementation that there is, or the
  /// first whose name begins with `preferred`.
  func primitive(
    _ call: String, preferring preferred: String? = nil,
    _ make: (UnsafeMutablePointer<dnnl_primitive_desc_t?>) -> dnnl_status_t
  ) throws(OneDNNError) -> Primitive {
    func first() throws(OneDNNError) -> dnnl_primitive_desc_t {
      var made: dnnl_primitive_desc_t?
      try check(make(&made), call)
      guard let made else { throw OneDNNError(call: call, status: dnnl_runtime_error.rawValue) }
      return made
    }
    if let preferred {
      let descriptor = try first()
      repeat {
        if Primitive.implementation(of: descriptor).hasPrefix(preferred) {
          return try Primitive(owning: descriptor)
        }
      } while dnnl_primitive_desc_next_impl(descriptor) == dnnl_success
      dnnl_primitive_desc_destroy(descriptor)
    }
    return try Primitive(owning: first())
  }

  /// A primitive that copies between two layouts or types.
  func reorderPrimitive(
    from source: MemoryDescriptor, to target: MemoryDescriptor
  ) throws(OneDNNError) -> Primitive {
    let attributes = try PrimitiveAttributes()
    return try primitive("reorder") {
      dnnl_reorder_primitive_desc_create(
        $0, source.handle, engine.handle, target.handle, engine.handle, attributes.handle)
    }
  }
}
