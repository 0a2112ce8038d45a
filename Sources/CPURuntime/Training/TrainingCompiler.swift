// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

/// Turns the graphs of training steps into programs.
enum TrainingCompiler {
  /// A lowered step: tasks, buffers, and where its outputs lie.
  struct Lowered {
    let builder: TrainingBuilder
    let outputs: [(name: String, placement: Placement, shape: [Int])]
  }

  static func lower(
    _ step: TrainingStep, store: VariableStore, options: TrainingOptions
  ) throws(CompileError) -> Lowered {
    var step = step
    if let issue = step.graph.inferTypes().first {
      throw .invalidNode(node: issue.node, kind: issue.kind, error: issue.error)
    }
    let blocks = try blocks(of: step, in: store)
    let engine: Engine
    do throws(OneDNNError) { engine = try Engine() } catch {
      throw .kernelFailure(node: "", call: error.call, status: error.status)
    }
    let realType = options.precision == .bf16 ? ElementType.bfloat16 : .float32
    let batch = batchExtent(of: step)
    let shards = ShardPlan(batch: batch, load: load(of: step.graph, batch: batch, in: realType))
    let builder = try TrainingBuilder(
      step, blocks: blocks, engine: engine, shards: shards, realType: realType)
    let graph = step.graph
    for (position, node) in graph.nodes.enumerated() {
      builder.position = position
      do throws(OneDNNError) {
        let lowered = try (node.op as? any TrainingLowerable)?.lower(node, into: builder) ?? false
        if lowered { continue }
      } catch {
        throw .kernelFailure(node: node.name, call: error.call, status: error.status)
      }
      try builder.addReference(node)
    }
    builder.position = graph.nodes.count
    let outputs = try outputPlacements(of: graph, builder)
    try commitVariables(step, blocks, builder)
    return Lowered(builder: builder, outputs: outputs)
  }

  private static func blocks(
    of step: TrainingStep, in store: VariableStore
  ) throws(CompileError) -> [VariableStore.Block] {
    var blocks: [VariableStore.Block] = []
    for variable in step.variables {
      let name = variable.name
      guard step.graph.inputs.contains(variable.input) else {
        throw .invalidVariable(name: name, reason: "it stands for no input of the graph")
      }
      let type = TensorType(variable.initial.elementType, shape: variable.initial.shape)
      for value in [variable.input, variable.output] {
        guard let value, let declared = step.graph[value].type, declared != type else { continue }
        throw .invalidVariable(
          name: name,
          reason: "\"\(step.graph[value].name)\" is \(declared), its initial value \(type)")
      }
      blocks.append(try store.block(named: name, initial: variable.initial))
    }
    return blocks
  }

  /// The extent of the batch axis: the first one of the inputs that are neither scalars nor
  /// variables; 0 where they differ.
  private static func batchExtent(of step: TrainingStep) -> Int {
    let variables = Set(step.variables.map(\.input))
    let extents = Set(
      step.graph.inputs.filter { !variables.contains($0) }
        .compactMap { step.graph[$0].type?.shape?.first })
    return extents.count == 1 ? extents.first ?? 0 : 0
  }

  private static func load(of graph: Graph, batch: Int, in type: ElementType) -> ShardPlan.Load {
    var load = ShardPlan.Load()
    for node in graph.nodes where node.op is Conv && batch > 0 {
      guard let output = node.outputs[0].flatMap({ graph.type($0)?.shape }),
        let weight = node.inputs[1].flatMap({ graph.type($0)?.shape })
      else { continue }
      let sample = type.byteCount(of: output.reduce(1, *) / batch)
      load.greatestResult = max(load.greatestResult, sample)
      load.allResults += sample
      load.weightGradients += ElementType.float32.byteCount(of: weight.reduce(1, *))
    }
    return load
  }

  private static func outputPlacements(
    of graph: Graph, _ builder: TrainingBuilder
  ) throws(CompileError) -> [(name: String, placement: Placement, shape: [Int])] {
    var outputs: [(name: String, placement: Placement, shape: [Int])] = []
    for id in graph.outputs {
      guard let type = builder.type(of: id),
        var placement = builder.dense(id, .plain, as: type.elementType)
      else {
        throw CompileError.unknownShape(
          value: graph[id].name, type: graph[id].type?.description ?? "?")
      }
      if builder.isVariable(placement) {
        let copy = builder.allocate(type.elementType, type.shape, .plain)
        builder.addCopy(from: placement, to: copy)
        placement = copy
      }
      outputs.append((graph[id].name, placement, type.shape))
    }
    return outputs
  }

  /// Copies new values into the variables that no node has updated in place.
  private static func commitVariables(
    _ step: TrainingStep, _ blocks: [VariableStore.Block], _ builder: TrainingBuilder
  ) throws(CompileError) {
    var copies: [(from: Placement, to: Placement)] = []
    for variable in step.variables {
      guard let output = variable.output, output != variable.input,
        let target = builder.placement(of: variable.input)
      else { continue }
      guard let type = builder.type(of: output),
        var source = builder.dense(output, .plain, as: type.elementType)
      else {
        throw .invalidVariable(name: variable.name, reason: "its new value is never computed")
      }
      if source.buffer == target.buffer { continue }
      if builder.isVariable(source) {
        let copy = builder.allocate(type.elementType, type.shape, .plain)
        builder.addCopy(from: source, to: copy)
        source = copy
      }
      copies.append((source, target))
    }
    for copy in copies { builder.addCopy(from: copy.from, to: copy.to) }
  }
}

extension TrainingBuilder {
  /// Runs a node on its reference meaning: row-major tensors of the whole batch in and out.
  func addReference(_ node: Node) throws(CompileError) {
    if let opaque = node.op as? Opaque {
      throw .unsupported(
        node: node.name, kind: opaque.kind,
        reason: opaque.domain.isEmpty ? "not known here" : "domain \(opaque.domain) is not known")
    }
    var operands: [(placement: Placement, type: ElementType, shape: [Int])?] = []
    for input in node.inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      guard let type = type(of: input),
        let placement = dense(input, .plain, as: type.elementType)
      else {
        throw .unknownShape(value: graph[input].name, type: graph[input].type?.description ?? "?")
      }
      operands.append((placement, type.elementType, type.shape))
    }
    var results: [Placement?] = []
    for output in node.outputs {
      guard let output else {
        results.append(nil)
        continue
      }
      guard let type = type(of: output) else {
        throw .unknownShape(
          value: graph[output].name, type: graph[output].type?.description ?? "?")
      }
      let placement = allocate(type.elementType, type.shape, .plain)
      setPlacement(placement, of: output)
      results.append(placement)
    }
    let op = node.op
    let sources = operands
    let targets = results
    let scope = TrainingTask.Scope.single(nextChain())
    add(
      TrainingTask(
        label: label(
          node, implementation: "reference",
          precision: targets.compactMap { $0?.elementType }.first ?? .float32),
        scope: scope,
        accesses: accesses(
          reads: sources.compactMap { $0?.placement }, writes: targets.compactMap { $0 },
          in: scope)
      ) { memory, _ in
        { () throws(OneDNNError) in
          let inputs = sources.map { source -> Tensor? in
            guard let source else { return nil }
            let bytes = UnsafeRawBufferPointer(
              start: memory.address(source.placement), count: source.placement.byteCount)
            return Tensor(
              uncheckedElementType: source.type, shape: source.shape, bytes: [UInt8](bytes))
          }
          guard let outputs = try? op.evaluate(inputs, outputCount: targets.count) else {
            throw OneDNNError(call: op.kind, status: dnnl_invalid_arguments.rawValue)
          }
          for (tensor, target) in zip(outputs, targets) {
            guard let target else { continue }
            guard tensor.bytes.count == target.byteCount else {
              throw OneDNNError(call: op.kind, status: dnnl_invalid_arguments.rawValue)
            }
            tensor.bytes.withUnsafeBytes { bytes in
              if let base = bytes.baseAddress {
                memory.address(target).copyMemory(from: base, byteCount: bytes.count)
              }
            }
          }
        }
      })
  }
}
