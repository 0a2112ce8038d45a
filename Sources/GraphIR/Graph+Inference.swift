// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// What type inference could not do, node by node.
public struct InferenceIssue: Sendable, Equatable, CustomStringConvertible {
  public let node: String
  public let kind: String
  public let error: OpError

  public var description: String { "node \"\(node)\" (\(kind)): \(error)" }
}

extension Graph {
  /// Infers the type of every value from the inputs on.
  ///
  /// Degrades by node: where a node breaks its operator's rules or its op says nothing, declared
  /// types stay as they are and inference goes on behind it.
  ///
  /// - Returns: The nodes that break their operator's rules.
  @discardableResult
  public mutating func inferTypes() -> [InferenceIssue] { inferTypesAndContents().issues }

  /// The elements of values that describe shapes, as far as they follow from the types.
  public func inferredContents() -> [ValueID: [Dimension]] {
    var copy = self
    return copy.inferTypesAndContents().contents
  }

  /// Infers the type of every value, as `inferTypes()` does, and what values that describe shapes
  /// hold.
  public mutating func inferTypesAndContents() -> (
    issues: [InferenceIssue], contents: [ValueID: [Dimension]]
  ) {
    var contents: [ValueID: [Dimension]] = [:]
    var issues: [InferenceIssue] = []
    for node in nodes {
      let operands = node.inputs.map { id -> Operand? in
        guard let id else { return nil }
        let value = self[id]
        return Operand(
          type: value.type, constant: value.constant,
          contents: contents[id] ?? Graph.contents(of: value.constant))
      }
      do throws(OpError) {
        let types = try node.op.inferTypes(operands, outputCount: node.outputs.count)
        for (output, type) in zip(node.outputs, types) {
          guard let output, let type else { continue }
          let merged = Graph.merged(type, declared: self[output].type)
          guard merged.isWithinBounds else {
            throw OpError.tooLarge(shape: merged.dimensions?.map { $0.value ?? -1 } ?? [])
          }
          setType(merged, of: output)
        }
      } catch {
        issues.append(InferenceIssue(node: node.name, kind: node.op.kind, error: error))
      }
      if let first = node.outputs.first.flatMap({ $0 }) {
        contents[first] = node.op.inferContents(operands)
      }
    }
    return (issues, contents)
  }

  /// The elements of small integer constants as extents.
  private static func contents(of constant: Tensor?) -> [Dimension]? {
    guard let constant, constant.elementType.isInteger, constant.count <= 1024 else { return nil }
    return constant.integers().map { .fixed(Int($0)) }
  }

  /// The inferred type with extents that only the declaration knows.
  private static func merged(_ inferred: TensorType, declared: TensorType?) -> TensorType {
    guard let declared, declared.elementType == inferred.elementType else { return inferred }
    guard let known = inferred.dimensions else { return declared }
    guard let stated = declared.dimensions, stated.count == known.count else { return inferred }
    let dimensions = zip(known, stated).map { $0 == .unknown ? $1 : $0 }
    return TensorType(inferred.elementType, dimensions)
  }

  /// The graph with input shapes fixed and all types inferred anew from them.
  ///
  /// - Parameter shapes: A shape per input name; inputs that are not named keep their types.
  /// - Throws: `GraphError` if a name is no input or a shape contradicts the declared extents.
  public func specialized(to shapes: [String: [Int]]) throws(GraphError) -> Graph {
    var result = self
    let expected = inputs.map { self[$0].name }
    if let unknown = shapes.keys.sorted().first(where: { !expected.contains($0) }) {
      throw .unknownInput(name: unknown, expected: expected)
    }
    for node in nodes {
      for case .some(let output) in node.outputs {
        guard let type = self[output].type else { continue }
        result.setType(TensorType(type.elementType, nil), of: output)
      }
    }
    for input in inputs {
      guard let shape = shapes[self[input].name] else { continue }
      let type = self[input].type ?? TensorType(.float32, nil)
      if let declared = type.dimensions {
        let fits =
          declared.count == shape.count
          && zip(declared, shape).allSatisfy { $0.value == nil || $0.value == $1 }
        guard fits else {
          throw .invalidInput(
            name: self[input].name, found: "\(TensorType(type.elementType, shape: shape))",
            expected: "\(type)")
        }
      }
      result.setType(TensorType(type.elementType, shape: shape), of: input)
    }
    result.inferTypes()
    return result
  }

  /// Whether the first extent of every input is free, so that batches may be of any size.
  package var hasFreeBatch: Bool {
    inputs.allSatisfy {
      type($0)?.dimensions.map { $0.first?.value == nil && !$0.isEmpty } ?? false
    }
  }

  /// The graph for one batch size: unknown first extents of inputs become `batch`, other unknown
  /// extents what `shapes` says, or else the first of a few numbers with which no node breaks its
  /// operator's rules: 1, powers of two, and those that targets of reshapes state; 1 if there is
  /// none.
  public func specialized(batch: Int, shapes: [String: [Int]] = [:]) throws(GraphError) -> Graph {
    let plain = try specialized(batch: batch, shapes: shapes, otherwise: 1)
    let isFree = inputs.contains { input in
      shapes[self[input].name] == nil
        && (self[input].type?.dimensions?.dropFirst().contains { $0.value == nil } ?? false)
    }
    var checked = plain
    guard isFree, !checked.inferTypes().isEmpty else { return plain }
    for extent in [8, 32, 128, 512, 2048] + statedExtents {
      var larger = try specialized(batch: batch, shapes: shapes, otherwise: extent)
      if larger.inferTypes().isEmpty { return larger }
    }
    return plain
  }

  /// Extents that targets of reshapes and other short lists of integers state, the least first:
  /// exporters write the extents of their sample there.
  private var statedExtents: [Int] {
    var found: Set<Int> = []
    for node in nodes {
      for case .some(let input) in node.inputs {
        guard let constant = self[input].constant, constant.elementType == .int64,
          constant.rank == 1, constant.count <= 8
        else { continue }
        found.formUnion(constant.integers().filter { (2...4096).contains($0) }.map { Int($0) })
      }
    }
    return Array(found.sorted().prefix(64))
  }

  private func specialized(
    batch: Int, shapes: [String: [Int]], otherwise extent: Int
  ) throws(GraphError) -> Graph {
    var all = shapes
    for input in inputs where all[self[input].name] == nil {
      guard let dimensions = self[input].type?.dimensions else { continue }
      all[self[input].name] = dimensions.enumerated().map { axis, dimension in
        dimension.value ?? (axis == 0 ? batch : extent)
      }
    }
    return try specialized(to: all)
  }
}
