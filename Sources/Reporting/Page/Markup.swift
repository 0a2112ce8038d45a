// SPDX-License-Identifier: Apache-2.0

import Mustache

/// A piece of HTML or SVG that is safe to put into a page.
///
/// Text becomes markup only by being escaped, scalar by scalar: a quotation mark followed by a
/// combining mark is one character in Swift but still ends an attribute in a browser. The template
/// is given markup only, so nothing can be put into a page unescaped by mistake.
struct Markup: Sendable, Equatable, MustacheCustomRenderable {
  private(set) var source: String

  /// Markup written in this module, with nothing from outside in it.
  init(trusted source: String) { self.source = source }

  /// Escaped text on one line.
  init(_ text: String) {
    source = ""
    for scalar in text.printable.unicodeScalars {
      switch scalar {
      case "&": source += "&amp;"
      case "<": source += "&lt;"
      case ">": source += "&gt;"
      case "\"": source += "&quot;"
      case "'": source += "&#39;"
      default: source.unicodeScalars.append(scalar)
      }
    }
  }

  /// Escaped text that keeps its line ends.
  init(lines text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    source = lines.map { Markup(String($0)).source }.joined(separator: "\n")
  }

  /// An escaped name that may break after the separators in it, as paths of modules do.
  init(name: String) {
    self.init("")
    for character in name.printable {
      self += Markup(String(character))
      if "/._:".contains(character) { source += "<wbr>" }
    }
  }

  static let empty = Markup(trusted: "")

  var renderText: String { source }
  var isNull: Bool { source.isEmpty }

  static func + (left: Markup, right: Markup) -> Markup {
    Markup(trusted: left.source + right.source)
  }

  static func += (left: inout Markup, right: Markup) { left.source += right.source }

  /// An element around `content`, or a void SVG element if there is none.
  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>,
    _ content: Markup = .empty
  ) -> Markup {
    var text = "<\(name)"
    for (attribute, value) in attributes where !value.isEmpty {
      text += " \(attribute)=\"\(Markup(value).source)\""
    }
    return Markup(trusted: content.isNull ? text + "/>" : "\(text)>\(content.source)</\(name)>")
  }
}

extension Sequence<Markup> {
  func joined() -> Markup { reduce(into: .empty) { $0 += $1 } }
}
