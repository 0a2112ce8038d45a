// SPDX-License-Identifier: Apache-2.0

/// A picture with axes that can be drawn at any width.
///
/// Pages hold it twice, drawn for a wide window and for a phone, so that its text has the same size
/// on both; the style sheet shows the one that fits.
package protocol Chart: Sendable {
  /// What is shown, in a few words.
  var title: String { get }

  /// The picture as SVG text, `width` pixels wide; classes refer to the page's style sheet.
  func svg(width: Double) -> String
}

extension Chart {
  /// The picture for a page whose text column has the given share of the page's width.
  func figure(isHalf: Bool = false) -> Markup {
    let wide = Markup.element(
      "div", ["class": "wide"], Markup(trusted: svg(width: isHalf ? 448 : 920)))
    let narrow = Markup.element("div", ["class": "narrow"], Markup(trusted: svg(width: 348)))
    return wide + narrow
  }
}

/// The rectangle inside a chart's axes, and the axes drawn around it.
struct PlotArea: Sendable {
  let left: Double
  let top: Double
  let width: Double
  let height: Double
  let horizontal: Axis
  let vertical: Axis

  func x(_ value: Double) -> Double { left + width * horizontal.position(value) }
  func y(_ value: Double) -> Double { top + height * (1 - vertical.position(value)) }

  var right: Double { left + width }
  var bottom: Double { top + height }

  /// Draws grid lines, tick labels and the axes' titles.
  ///
  /// - Parameters:
  ///   - drawing: Drawn into.
  ///   - xTitle: Stands below the horizontal axis, at its right end.
  ///   - yTitle: Stands above the vertical axis.
  func drawAxes(in drawing: inout Drawing, xTitle: String, yTitle: String) {
    for tick in vertical.ticks {
      drawing.line(fromX: left, y: y(tick), toX: right, y: y(tick), class: "grid")
      drawing.text(vertical.label(tick), x: left - 8, y: y(tick) + 4, anchor: .end)
    }
    drawing.line(fromX: left, y: bottom, toX: right, y: bottom, class: "axis")
    var taken = -Double.infinity
    for tick in horizontal.ticks {
      let label = horizontal.label(tick)
      let half = Drawing.labelWidth(label) / 2
      drawing.line(fromX: x(tick), y: bottom, toX: x(tick), y: bottom + 4, class: "axis")
      guard x(tick) - half > taken + 6 else { continue }
      drawing.text(label, x: x(tick), y: bottom + 18, anchor: .middle)
      taken = x(tick) + half
    }
    drawing.text(xTitle, x: right, y: bottom + 36, anchor: .end, class: "axis-title")
    drawing.text(yTitle, x: 0, y: 12, class: "axis-title")
  }

  /// Pixels that the labels of `axis` need to the left of it.
  static func margin(for axis: Axis) -> Double {
    axis.ticks.map { Drawing.labelWidth(axis.label($0)) }.reduce(18, max) + 10
  }
}
