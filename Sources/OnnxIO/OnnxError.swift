// SPDX-License-Identifier: Apache-2.0
public import GraphIR

/// Why an ONNX file could not be read or written.
public enum OnnxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be opened or read.
  case unreadable(file: String, reason: String)
  /// The file's contents are no model that can be read.
  case invalid(file: String, problem: OnnxProblem)
  /// The file, or one beside it, cannot be written; nothing is left behind.
  case unwritable(file: String, reason: String)
  /// The graph has no form in ONNX.
  case unexportable(file: String, problem: OnnxProblem)

  /// The file, where in it, what is wrong and what would be accepted.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "cannot read \(file): \(reason)"
    case .invalid(let file, let problem): "\(file): \(problem)"
    case .unwritable(let file, let reason): "cannot write \(file): \(reason)"
    case .unexportable(let file, let problem): "cannot write \(file): \(problem)"
    }
  }
}

/// What is wrong with a model, and where.
public enum OnnxProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case fileTooLarge(bytes: Int, limit: Int)
  case malformed(reason: String)
  case noGraph
  case tooMany(what: String, limit: Int)
  case invalidOpset(domain: String, version: Int64)
  case missingOpset(domain: String, node: String)
  case unsupportedValueType(value: String, found: String)
  case invalidDimensions(value: String, dimensions: [Int64])
  case tensor(name: String, problem: OnnxTensorProblem)
  case emptyOperator(node: String)
  case invalidNode(node: String, kind: String, error: OpError)
  case definedTwice(value: String)
  case undefinedValue(value: String, user: String)
  case cycle(nodes: [String])
  case recursiveFunction(name: String, depth: Int)
  case wrongFunctionArity(function: String, node: String, what: String, found: Int, limit: Int)
  case notConvertible(node: String, kind: String, reason: String)

  /// Where in the model, what is wrong and what would be accepted.
  public var description: String {
    switch self {
    case .fileTooLarge(let bytes, let limit):
      "the file has \(bytes) bytes (at most \(limit) are read; keep large tensors in external data)"
    case .malformed(let reason): "not an ONNX model, or damaged: \(reason)"
    case .noGraph: "not an ONNX model: it holds no graph"
    case .tooMany(let what, let limit): "more than \(limit) \(what)"
    case .invalidOpset(let domain, let version):
      "operator set \(OnnxProblem.named(domain)) has version \(version) (expected 1 or more)"
    case .missingOpset(let domain, let node):
      "node \"\(node)\" needs operator set \(OnnxProblem.named(domain)), which is not imported"
    case .unsupportedValueType(let value, let found):
      "\"\(value)\" is \(found), which is unsupported (expected a tensor of numbers)"
    case .invalidDimensions(let value, let dimensions):
      "\"\(value)\" has dimensions \(dimensions) (expected 0 or more each, 2⁴⁰ elements at most)"
    case .tensor(let name, let problem): "tensor \"\(name)\" \(problem)"
    case .emptyOperator(let node): "node \"\(node)\" names no operator"
    case .invalidNode(let node, let kind, let error): "node \"\(node)\" (\(kind)): \(error)"
    case .definedTwice(let value): "value \"\(value)\" is defined twice (expected once)"
    case .undefinedValue(let value, let user):
      "\(user) uses \"\(value)\", which nothing in the model defines"
    case .cycle(let nodes):
      "nodes wait for each other in a circle: \(nodes.prefix(6).joined(separator: " → "))"
    case .recursiveFunction(let name, let depth):
      "function \(name) is called more than \(depth) calls deep (functions must not recurse)"
    case .wrongFunctionArity(let function, let node, let what, let found, let limit):
      "node \"\(node)\" gives function \(function) \(found) \(what) (at most \(limit))"
    case .notConvertible(let node, let kind, let reason):
      "node \"\(node)\" (\(kind)) has no ONNX form: \(reason)"
    }
  }

  private static func named(_ domain: String) -> String { domain.isEmpty ? "ai.onnx" : domain }
}

/// What is wrong with a stored tensor.
public enum OnnxTensorProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case unsupportedElementType(code: Int)
  case invalidDimensions([Int64])
  case wrongByteCount(found: Int, expected: Int)
  case wrongElementCount(found: Int, expected: Int, field: String)
  case valueOutOfRange(Int64, elementType: String)
  case isSparse
  case noFolder(location: String)
  case outsideFolder(location: String)
  case unreadableData(location: String, reason: String)
  case dataTooShort(location: String, offset: Int, length: Int, available: Int)
  case invalidEntry(key: String, value: String)
  case tooMuchData(limit: Int)

  /// What is wrong and what would be accepted; reads on after the tensor's name.
  public var description: String {
    switch self {
    case .unsupportedElementType(let code):
      "has element type \(OnnxElementTypes.name(code)), which is unsupported"
        + " (expected float, double, float16, bfloat16, bool or an integer type)"
    case .invalidDimensions(let dimensions):
      "has dimensions \(dimensions) (expected 0 or more each, 2⁴⁰ elements at most)"
    case .wrongByteCount(let found, let expected):
      "stores \(found) bytes (its type and dimensions take \(expected))"
    case .wrongElementCount(let found, let expected, let field):
      "stores \(found) entries in \(field) (its type and dimensions take \(expected))"
    case .valueOutOfRange(let value, let elementType): "stores \(value), which is no \(elementType)"
    case .isSparse: "is sparse, which is unsupported (expected a dense tensor)"
    case .noFolder(let location):
      "is stored in \"\(location)\", but the model was not read from a folder"
    case .outsideFolder(let location):
      "is stored in \"\(location)\" (expected a path inside the model's folder)"
    case .unreadableData(let location, let reason):
      "is stored in \"\(location)\", which cannot be read: \(reason)"
    case .dataTooShort(let location, let offset, let length, let available):
      "is stored in \"\(location)\" at \(offset) with \(length) bytes;"
        + " the file has only \(available)"
    case .invalidEntry(let key, let value):
      "has external data entry \(key) = \"\(value)\" (expected a number of bytes, 0 or more)"
    case .tooMuchData(let limit): "brings the external data above \(limit) bytes"
    }
  }
}
