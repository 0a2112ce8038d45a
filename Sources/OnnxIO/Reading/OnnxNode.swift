// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// An input of an ONNX node on its way into a graph.
enum OnnxInput {
  case absent
  case value(ValueID)
  /// A new constant, named after the node's first output with a suffix.
  case constant(Tensor, suffix: String)
}

/// An ONNX node as converters see it: attributes to take, inputs to complete.
struct OnnxNode {
  let kind: String
  let opset: Int
  var inputs: [OnnxInput]
  let inputTypes: [TensorType?]

  /// The inputs that are constants.
  let inputConstants: [Tensor?]
  private(set) var outputCount: Int

  private let usesOutputs: [Bool]
  private var attributes: [String: OnnxAttributeProto]
  private let decoder: TensorDecoder

  /// The values that the node's subgraphs take from the graph around them.
  private let captured: [OnnxInput]
  private let readSubgraph: (OnnxGraphProto) throws(ConversionError) -> Graph

  /// - Parameters:
  ///   - captured: What the subgraphs take from around.
  ///   - readSubgraph: Reads a subgraph, which has these values as its last inputs.
  init(
    _ proto: OnnxNodeProto, opset: Int, inputs: [ValueID?], inputTypes: [TensorType?],
    inputConstants: [Tensor?], usesOutputs: [Bool], decoder: TensorDecoder,
    captured: [ValueID?] = [],
    readSubgraph: @escaping (OnnxGraphProto) throws(ConversionError) -> Graph
  ) throws(ConversionError) {
    self.captured = captured.map { $0.map(OnnxInput.value) ?? .absent }
    self.readSubgraph = readSubgraph
    kind = proto.opType
    self.opset = opset
    self.inputs = inputs.map { $0.map(OnnxInput.value) ?? .absent }
    self.inputTypes = inputTypes
    self.inputConstants = inputConstants
    self.usesOutputs = usesOutputs
    outputCount = usesOutputs.count
    self.decoder = decoder
    attributes = [:]
    for attribute in proto.attribute {
      guard attributes.updateValue(attribute, forKey: attribute.name) == nil else {
        throw .invalid(
          .invalidAttribute(name: attribute.name, found: "given twice", expected: "once"))
      }
    }
  }

  /// The names of attributes that no converter has taken.
  var remainingAttributes: [String] { attributes.keys.sorted() }

  func has(_ name: String) -> Bool { attributes[name] != nil }

  /// Drops attributes that have no bearing on the result.
  mutating func ignore(_ names: String...) {
    for name in names { attributes[name] = nil }
  }

  /// Whether an input is there.
  func hasInput(_ index: Int) -> Bool {
    guard index < inputs.count else { return false }
    if case .absent = inputs[index] { return false }
    return true
  }

  /// Whether nothing uses an output.
  func leavesOut(output index: Int) -> Bool { index >= usesOutputs.count || !usesOutputs[index] }

  /// Drops the outputs from an index on; `false`, without effect, if one of them is used.
  mutating func dropUnusedOutputs(from index: Int) -> Bool {
    guard !usesOutputs.dropFirst(index).contains(true) else { return false }
    outputCount = min(outputCount, index)
    return true
  }

  /// Makes a tensor the input at an index, behind what is left out before it.
  mutating func setInput(_ index: Int, to tensor: Tensor, suffix: String) {
    while inputs.count <= index { inputs.append(.absent) }
    inputs[index] = .constant(tensor, suffix: suffix)
  }

  /// Makes integers the input at an index, as a list of `int64`.
  mutating func setInput(_ index: Int, to integers: [Int], suffix: String) {
    setInput(
      index, to: Tensor(integers.map { Int64($0) }, shape: [integers.count]), suffix: suffix)
  }

  /// Makes a number the input at an index, as a scalar of the element type of the first input.
  mutating func setInput(_ index: Int, toScalar value: Float, suffix: String) {
    let elementType = inputTypes.first.flatMap { $0 }?.elementType ?? .float32
    let scalar = Tensor(reals: [Double(value)], shape: [], elementType: elementType)
    setInput(index, to: scalar, suffix: suffix)
  }
}

// Attributes. Each can be taken once; what is never taken makes the node unsupported.
extension OnnxNode {
  private mutating func take(_ name: String) -> OnnxAttributeProto? {
    attributes.removeValue(forKey: name)
  }

  private func mismatch(
    _ attribute: OnnxAttributeProto, expected: String
  ) -> ConversionError {
    .invalid(
      .invalidAttribute(
        name: attribute.name, found: "of type \(attribute.type)", expected: expected))
  }

  mutating func int(_ name: String) throws(ConversionError) -> Int? {
    guard let attribute = take(name) else { return nil }
    guard attribute.type == .int || (attribute.type == .undefined && attribute.hasI) else {
      throw mismatch(attribute, expected: "an integer")
    }
    return Int(attribute.i)
  }

  mutating func int(_ name: String, default value: Int) throws(ConversionError) -> Int {
    try int(name) ?? value
  }

  /// A small integer, such as an axis or the number of groups.
  mutating func int(
    _ name: String, default value: Int, in range: ClosedRange<Int>
  ) throws(ConversionError) -> Int {
    let found = try int(name) ?? value
    guard range.contains(found) else {
      throw .invalid(
        .invalidAttribute(
          name: name, found: "\(found)", expected: "\(range.lowerBound)…\(range.upperBound)"))
    }
    return found
  }

  mutating func bool(_ name: String, default value: Bool) throws(ConversionError) -> Bool {
    try int(name).map { $0 != 0 } ?? value
  }

  mutating func axis(default value: Int) throws(ConversionError) -> Int {
    try int("axis", default: value, in: -64...64)
  }

  mutating func axis() throws(ConversionError) -> Int {
    guard has("axis") else { throw .invalid(.missingAttribute("axis", expected: "an axis")) }
    return try axis(default: 0)
  }

  mutating func float(_ name: String) throws(ConversionError) -> Float? {
    guard let attribute = take(name) else { return nil }
    guard attribute.type == .float || (attribute.type == .undefined && attribute.hasF) else {
      throw mismatch(attribute, expected: "a number")
    }
    guard !attribute.f.isNaN else {
      throw .invalid(.invalidAttribute(name: name, found: "NaN", expected: "a number"))
    }
    return attribute.f
  }

  mutating func float(_ name: String, default value: Float) throws(ConversionError) -> Float {
    try float(name) ?? value
  }

  mutating func string(_ name: String) throws(ConversionError) -> String? {
    guard let attribute = take(name) else { return nil }
    guard attribute.type == .string || (attribute.type == .undefined && attribute.hasS) else {
      throw mismatch(attribute, expected: "a string")
    }
    guard let text = String(bytes: attribute.s, encoding: .utf8) else {
      throw .invalid(
        .invalidAttribute(name: name, found: "\([UInt8](attribute.s))", expected: "UTF-8"))
    }
    return text
  }

  mutating func string(_ name: String, default value: String) throws(ConversionError) -> String {
    try string(name) ?? value
  }

  mutating func ints(_ name: String) throws(ConversionError) -> [Int]? {
    guard let attribute = take(name) else { return nil }
    guard attribute.type == .ints || attribute.type == .undefined else {
      throw mismatch(attribute, expected: "a list of integers")
    }
    return attribute.ints.map { Int($0) }
  }

  mutating func floats(_ name: String) throws(ConversionError) -> [Float]? {
    guard let attribute = take(name) else { return nil }
    guard attribute.type == .floats || attribute.type == .undefined else {
      throw mismatch(attribute, expected: "a list of numbers")
    }
    return attribute.floats
  }

  mutating func tensor(_ name: String) throws(ConversionError) -> Tensor? {
    guard let attribute = take(name) else { return nil }
    guard attribute.type == .tensor || (attribute.type == .undefined && attribute.hasT) else {
      throw mismatch(attribute, expected: "a tensor")
    }
    do { return try decoder.tensor(attribute.t) } catch {
      if case .tensor(_, .unsupportedElementType(let code)) = error {
        throw .unsupported("\(name) is a tensor of \(OnnxElementTypes.name(code))")
      }
      throw .invalid(.invalidAttribute(name: name, found: "\(error)", expected: "a whole tensor"))
    }
  }

  mutating func strings(_ name: String) throws(ConversionError) -> [String]? {
    guard let attribute = take(name) else { return nil }
    guard attribute.type == .strings || attribute.type == .undefined else {
      throw mismatch(attribute, expected: "a list of strings")
    }
    var result: [String] = []
    for bytes in attribute.strings {
      guard let text = String(bytes: bytes, encoding: .utf8) else {
        throw .invalid(
          .invalidAttribute(name: name, found: "\([UInt8](bytes))", expected: "UTF-8"))
      }
      result.append(text)
    }
    return result
  }

  /// A graph inside the node; an unknown operator in it makes the node unknown.
  mutating func subgraph(_ name: String) throws(ConversionError) -> Subgraph {
    guard let attribute = take(name) else {
      throw .invalid(.missingAttribute(name, expected: "a graph"))
    }
    guard attribute.hasG else { throw mismatch(attribute, expected: "a graph") }
    let graph = try readSubgraph(attribute.g)
    for node in graph.nodes {
      guard let opaque = node.op as? Opaque else { continue }
      let kind = Domains.operatorName(opaque.kind, in: opaque.domain)
      throw .unsupported(
        "operator \(kind) inside it is unsupported"
          + (opaque.reason.isEmpty ? "" : ": \(opaque.reason)"))
    }
    return Subgraph(graph)
  }

  /// Puts what the subgraphs take from around behind the given number of inputs.
  mutating func appendCaptured(behind count: Int) {
    while inputs.count < count { inputs.append(.absent) }
    inputs += captured
  }

  /// An attribute that numbers an element type.
  mutating func elementType(_ name: String) throws(ConversionError) -> ElementType? {
    guard let code = try int(name) else { return nil }
    guard let type = OnnxElementTypes.type(code) else {
      throw .unsupported("\(name) is \(OnnxElementTypes.name(code))")
    }
    return type
  }
}

extension OpError {
  /// An attribute that must be given and is not.
  static func missingAttribute(_ name: String, expected: String) -> OpError {
    .invalidAttribute(name: name, found: "missing", expected: expected)
  }
}
