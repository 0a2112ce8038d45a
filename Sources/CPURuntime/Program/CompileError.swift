// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// Why a graph cannot be compiled or run.
public enum CompileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A value's shape does not follow from the input shapes.
  case unknownShape(value: String, type: String)
  /// A node's operator has no implementation here.
  case unsupported(node: String, kind: String, reason: String)
  /// A node breaks its operator's rules.
  case invalidNode(node: String, kind: String, error: OpError)
  /// The kernel library refused what it was asked.
  case kernelFailure(node: String, call: String, status: UInt32)
  /// An 8-bit program was asked of a graph without quantized nodes.
  case notQuantized
  case outOfMemory(byteCount: Int)
  /// A variable's element type or shape differs from that of the store's.
  case variableMismatch(name: String, found: String, expected: String)
  /// A variable or its new value does not fit the graph of a training step.
  case invalidVariable(name: String, reason: String)

  public var description: String {
    switch self {
    case .unknownShape(let value, let type):
      "the shape of \"\(value)\" (\(type)) does not follow from the input shapes; "
        + "give a shape for each free input extent"
    case .unsupported(let node, let kind, let reason):
      "node \"\(node)\": operator \(kind) is unsupported: \(reason)"
    case .invalidNode(let node, let kind, let error): "node \"\(node)\" (\(kind)): \(error)"
    case .kernelFailure(let node, let call, let status):
      "node \"\(node)\": the kernel library failed at \(call) with status \(status)"
    case .notQuantized:
      "the network has no quantized nodes; precision int8 needs a quantized network "
        + "(`swiftlet quantize` writes one)"
    case .outOfMemory(let byteCount): "\(byteCount) bytes of memory are not to be had"
    case .variableMismatch(let name, let found, let expected):
      "variable \"\(name)\" is \(found) (expected \(expected), as it is in the store)"
    case .invalidVariable(let name, let reason): "variable \"\(name)\": \(reason)"
    }
  }
}
