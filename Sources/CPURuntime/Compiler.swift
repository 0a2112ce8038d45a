// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR
import TensorCore

/// An op that the runtime has a faster way for than its reference meaning.
///
/// Implementers add steps to the builder and say where the outputs lie, or return `false`
/// without having added anything; then the next way is tried, at last the reference.
protocol Lowerable: Op {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool
}

/// Turns graphs into programs.
enum Compiler {
  /// - Parameter observes: Whether runs show the outputs where they lie instead of returning them.
  static func compile(
    _ graph: Graph, options: CompileOptions, observes: Bool = false
  ) throws(CompileError) -> Program {
    let engine: Engine
    do throws(OneDNNError) { engine = try Engine() } catch {
      throw .kernelFailure(node: "", call: error.call, status: error.status)
    }
    ThreadTeam.use(options.threads)
    let builder = try ProgramBuilder(
      graph: graph, engine: engine, threads: options.threads, precision: options.precision,
      keepsOutputs: !observes)
    let shown =
      observes
      ? Dictionary(grouping: graph.outputs.indices, by: { graph.outputs[$0] }) : [:]
    for (position, node) in graph.nodes.enumerated() {
      builder.position = position
      do {
        let lowered = try (node.op as? any Lowerable)?.lower(node, into: builder) ?? false
        if !lowered { try builder.addReference(node) }
        for case .some(let value) in node.outputs {
          for output in shown[value] ?? [] { try builder.addObservation(of: value, at: output) }
        }
      } catch let error as OneDNNError {
        throw .kernelFailure(node: node.name, call: error.call, status: error.status)
      } catch let error as CompileError {
        throw error
      } catch {
        throw .unsupported(node: node.name, kind: node.op.kind, reason: "\(error)")
      }
    }
    builder.position = graph.nodes.count
    if observes { return Program(builder, outputs: []) }
    var outputs: [(name: String, placement: Placement, shape: [Int], type: ElementType)] = []
    for id in graph.outputs {
      do {
        guard let type = builder.type(of: id),
          let placement = try builder.dense(id, .plain, as: type.elementType)
        else {
          throw CompileError.unknownShape(
            value: graph[id].name, type: graph[id].type?.description ?? "?")
        }
        outputs.append((graph[id].name, placement, type.shape, type.elementType))
      } catch let error as CompileError {
        throw error
      } catch let error as OneDNNError {
        throw .kernelFailure(node: graph[id].name, call: error.call, status: error.status)
      } catch {
        throw .unsupported(node: graph[id].name, kind: "output", reason: "\(error)")
      }
    }
    return Program(builder, outputs: outputs)
  }
}

extension ProgramBuilder {
  /// Why the shape of a node's output is not known: the node breaks its operator's rules, or the
  /// shape depends on data.
  private func reasonWithoutShape(of output: ValueID, _ node: Node) -> CompileError {
    let operands = node.inputs.map { input in
      input.map { Operand(type: graph[$0].type, constant: graph[$0].constant) }
    }
    do {
      _ = try node.op.inferTypes(operands, outputCount: node.outputs.count)
    } catch {
      return .invalidNode(node: node.name, kind: node.op.kind, error: error)
    }
    return .unknownShape(
      value: graph[output].name, type: graph[output].type?.description ?? "?")
  }

  /// Runs a node on its reference meaning: row-major tensors in, row-major tensors out.
  func addReference(_ node: Node) throws {
    if let opaque = node.op as? Opaque {
      throw CompileError.unsupported(
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
        let placement = try dense(input, .plain, as: type.elementType)
      else {
        throw CompileError.unknownShape(
          value: graph[input].name, type: graph[input].type?.description ?? "?")
      }
      operands.append((placement, type.elementType, type.shape))
    }
    var results: [Placement?] = []
    for output in node.outputs {
      guard let output else {
        results.append(nil)
        continue
      }
      guard let type = type(of: output) else { throw reasonWithoutShape(of: output, node) }
      let placement = allocate(type.elementType, type.shape, .plain)
      setPlacement(placement, of: output)
      results.append(placement)
    }
    let op = node.op
    let sources = operands
    let targets = results
    let precision = targets.compactMap { $0?.elementType.shortName }.first ?? ""
    add(
      Step(
        label: label(node, implementation: "reference", precision: precision),
        reads: sources.compactMap { $0?.placement.buffer },
        writes: targets.compactMap { $0?.buffer }
      ) { memory in
        { _ throws(OneDNNError) in
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
