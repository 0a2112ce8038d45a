// SPDX-License-Identifier: Apache-2.0

/// Bytes of a protocol buffer message, written field by field.
struct WireMessage {
  private(set) var bytes: [UInt8] = []

  init(_ fill: (inout WireMessage) -> Void = { _ in }) { fill(&self) }

  mutating func varint(_ field: Int, _ value: Int64) {
    append(UInt64(field << 3))
    append(UInt64(bitPattern: value))
  }

  mutating func float(_ field: Int, _ value: Float) {
    append(UInt64(field << 3 | 5))
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func data(_ field: Int, _ content: [UInt8]) {
    append(UInt64(field << 3 | 2))
    append(UInt64(content.count))
    bytes += content
  }

  mutating func string(_ field: Int, _ text: String) { data(field, [UInt8](text.utf8)) }

  mutating func message(_ field: Int, _ message: WireMessage) { data(field, message.bytes) }

  mutating func message(_ field: Int, _ fill: (inout WireMessage) -> Void) {
    message(field, WireMessage(fill))
  }

  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

// Parts of ONNX models, by their field numbers.
extension WireMessage {
  /// A model with one graph, of a given operator set.
  static func model(
    opset: Int64 = 17, functions: [WireMessage] = [], domains: [(String, Int64)] = [],
    graph: (inout WireMessage) -> Void
  ) -> [UInt8] {
    WireMessage { model in
      model.varint(1, 8)
      model.message(7) { proto in
        proto.string(2, "g")
        graph(&proto)
      }
      model.message(8) { $0.varint(2, opset) }
      for (domain, version) in domains {
        model.message(8) {
          $0.string(1, domain)
          $0.varint(2, version)
        }
      }
      for function in functions { model.message(25, function) }
    }.bytes
  }

  static func node(
    _ kind: String, _ inputs: [String], _ outputs: [String], name: String = "",
    domain: String = "", attributes: [WireMessage] = []
  ) -> WireMessage {
    WireMessage { node in
      for input in inputs { node.string(1, input) }
      for output in outputs { node.string(2, output) }
      if !name.isEmpty { node.string(3, name) }
      node.string(4, kind)
      for attribute in attributes { node.message(5, attribute) }
      if !domain.isEmpty { node.string(7, domain) }
    }
  }

  static func attribute(_ name: String, int value: Int64) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      $0.varint(3, value)
      $0.varint(20, 2)
    }
  }

  static func attribute(_ name: String, float value: Float) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      $0.float(2, value)
      $0.varint(20, 1)
    }
  }

  static func attribute(_ name: String, ints values: [Int64]) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      for value in values { $0.varint(8, value) }
      $0.varint(20, 7)
    }
  }

  static func attribute(_ name: String, floats values: [Float]) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      for value in values { $0.float(7, value) }
      $0.varint(20, 6)
    }
  }

  static func attribute(_ name: String, string value: String) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      $0.string(4, value)
      $0.varint(20, 3)
    }
  }

  static func attribute(_ name: String, tensor value: WireMessage) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      $0.message(5, value)
      $0.varint(20, 4)
    }
  }

  static func attribute(_ name: String, graph value: WireMessage) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      $0.message(6, value)
      $0.varint(20, 5)
    }
  }

  /// An attribute inside a function that takes the value of an attribute of the call.
  static func attribute(_ name: String, reference: String, type: Int64) -> WireMessage {
    WireMessage {
      $0.string(1, name)
      $0.varint(20, type)
      $0.string(21, reference)
    }
  }

  static func tensor(
    _ name: String, type: Int64, dims: [Int64], fill: (inout WireMessage) -> Void
  ) -> WireMessage {
    WireMessage { tensor in
      for dim in dims { tensor.varint(1, dim) }
      tensor.varint(2, type)
      tensor.string(8, name)
      fill(&tensor)
    }
  }

  /// A declared value; `nil` dimensions are unknown, text ones symbolic.
  static func value(_ name: String, type: Int64 = 1, dims: [Any?] = []) -> WireMessage {
    WireMessage { value in
      value.string(1, name)
      value.message(2) { proto in
        proto.message(1) { tensor in
          tensor.varint(1, type)
          tensor.message(2) { shape in
            for dim in dims {
              shape.message(1) { entry in
                if let extent = dim as? Int { entry.varint(1, Int64(extent)) }
                if let symbol = dim as? String { entry.string(2, symbol) }
              }
            }
          }
        }
      }
    }
  }
}

// Parts of graphs.
extension WireMessage {
  mutating func add(node: WireMessage) { message(1, node) }
  mutating func add(initializer: WireMessage) { message(5, initializer) }
  mutating func add(input: WireMessage) { message(11, input) }
  mutating func add(output: WireMessage) { message(12, output) }

  /// A graph input and output of four floats around the given nodes.
  mutating func between(_ input: String, _ output: String, _ nodes: [WireMessage]) {
    add(input: .value(input, dims: [4]))
    for node in nodes { add(node: node) }
    add(output: .value(output, dims: [4]))
  }
}
