// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Shapes and text put together to one SVG picture.
///
/// Colours and fonts come from the page's style sheet through class names.
struct Drawing: Sendable {
  /// Where text stands relative to its point.
  enum Anchor: String, Sendable {
    case start, middle, end
  }

  let width: Double
  let height: Double
  private let title: String
  private var body = Markup.empty

  /// - Parameters:
  ///   - width: Width in pixels.
  ///   - height: Height in pixels.
  ///   - title: What the picture shows, for those who do not see it.
  init(width: Double, height: Double, title: String) {
    self.width = width
    self.height = height
    self.title = title
  }

  /// The whole picture.
  var markup: Markup {
    .element(
      "svg",
      [
        "viewBox": "0 0 \(Self.number(width)) \(Self.number(height))",
        "width": Self.number(width), "height": Self.number(height),
        "role": "img", "aria-label": title,
      ], body.isNull ? .element("g", [:]) : body)
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, class name: String, title: String = ""
  ) {
    body += .element(
      "rect",
      [
        "x": Self.number(x), "y": Self.number(y), "width": Self.number(max(0, width)),
        "height": Self.number(max(0, height)), "class": name,
      ], Self.tooltip(title))
  }

  mutating func line(
    fromX x1: Double, y y1: Double, toX x2: Double, y y2: Double, class name: String
  ) {
    body += .element(
      "line",
      [
        "x1": Self.number(x1), "y1": Self.number(y1), "x2": Self.number(x2),
        "y2": Self.number(y2), "class": name,
      ])
  }

  mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, class name: String = "label"
  ) {
    guard !text.isEmpty else { return }
    body += .element(
      "text",
      [
        "x": Self.number(x), "y": Self.number(y),
        "text-anchor": anchor == .start ? "" : anchor.rawValue, "class": name,
      ], Markup(text))
  }

  mutating func circle(
    x: Double, y: Double, radius: Double, class name: String, title: String = ""
  ) {
    body += .element(
      "circle",
      [
        "cx": Self.number(x), "cy": Self.number(y), "r": Self.number(radius),
        "class": name,
      ], Self.tooltip(title))
  }

  /// A line through points in straight pieces.
  mutating func polyline(_ points: [(x: Double, y: Double)], class name: String) {
    guard points.count > 1 else { return }
    let text = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }
    body += .element("polyline", ["points": text.joined(separator: " "), "class": name])
  }

  /// A coordinate to a hundredth of a pixel, without trailing zeros.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    var text = String(format: "%.2f", value)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text == "-0" ? "0" : text
  }

  /// Roughly how wide a label of 12 pixels is set.
  static func labelWidth(_ text: String) -> Double { Double(text.displayWidth) * 6.6 }

  private static func tooltip(_ text: String) -> Markup {
    text.isEmpty ? .empty : .element("title", [:], Markup(text))
  }
}
