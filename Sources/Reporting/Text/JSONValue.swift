// SPDX-License-Identifier: Apache-2.0

/// A JSON value whose objects keep their members in the order they were added.
package enum JSONValue: Sendable, Equatable {
  /// One name and its value.
  package struct Member: Sendable, Equatable {
    package var name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  case null
  case bool(Bool)
  case integer(Int)
  /// Not-a-number and infinities are written as `null`.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// `number`, or `null` if there is none.
  package static func optional(_ number: Double?) -> JSONValue { number.map(Self.number) ?? .null }

  /// `integer`, or `null` if there is none.
  package static func optional(_ integer: Int?) -> JSONValue {
    integer.map(Self.integer) ?? .null
  }

  /// `string`, or `null` if there is none.
  package static func optional(_ string: String?) -> JSONValue {
    string.map(Self.string) ?? .null
  }

  /// The member `name` of an object.
  ///
  /// Setting replaces it where it stands or adds it at the end; setting nil removes it. A value
  /// that is no object becomes one.
  package subscript(name: String) -> JSONValue? {
    get {
      guard case .object(let members) = self else { return nil }
      return members.first { $0.name == name }?.value
    }
    set {
      var members: [Member] = if case .object(let existing) = self { existing } else { [] }
      let index = members.firstIndex { $0.name == name }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(name, value))
      case (nil, nil): break
      }
      self = .object(members)
    }
  }

  /// The value as JSON text without a line end.
  ///
  /// Numbers are the shortest decimals that read back as the same value. Control characters are
  /// escaped, so the text is safe on a terminal.
  ///
  /// - Parameter isIndented: Whether each member stands on its own line; arrays of plain values
  ///   stay on one.
  package func text(isIndented: Bool = true) -> String {
    var result = ""
    write(to: &result, indent: isIndented ? 0 : nil)
    return result
  }

  private func write(to text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let value): text += value.isFinite ? value.description : "null"
    case .string(let value): text += Self.quoted(value)
    case .array(let values):
      let inner = values.contains(where: \.isContainer) ? indent : nil
      Self.list(values, in: ("[", "]"), to: &text, indent: inner, isSpaced: indent != nil) {
        $1.write(to: &$0, indent: inner.map { $0 + 2 })
      }
    case .object(let members):
      Self.list(members, in: ("{", "}"), to: &text, indent: indent, isSpaced: indent != nil) {
        $0 += Self.quoted($1.name) + (indent == nil ? ":" : ": ")
        $1.value.write(to: &$0, indent: indent.map { $0 + 2 })
      }
    }
  }

  private var isContainer: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  private static func list<Element>(
    _ elements: [Element], in brackets: (open: String, close: String), to text: inout String,
    indent: Int?, isSpaced: Bool, element write: (inout String, Element) -> Void
  ) {
    text += brackets.open
    let margin = indent.map { "\n" + String(repeating: " ", count: $0) } ?? ""
    for (index, element) in elements.enumerated() {
      if index > 0 { text += indent == nil && isSpaced ? ", " : "," }
      if indent != nil { text += margin + "  " }
      write(&text, element)
    }
    if !elements.isEmpty { text += margin }
    text += brackets.close
  }

  private static func quoted(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.isHostile: result += escaped(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(nilLiteral: ()) { self = .null }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
