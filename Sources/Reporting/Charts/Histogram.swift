// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The values that a quantized tensor can take.
package struct QuantizationGrid: Sendable, Equatable {
  /// The smallest and the largest value that are kept; what lies outside is clipped to them.
  package var lower: Double
  package var upper: Double
  /// How many values there are between them, both included.
  package var levels: Int

  package init(lower: Double, upper: Double, levels: Int) {
    self.lower = lower
    self.upper = upper
    self.levels = levels
  }

  /// The distance between neighbouring values; 0 if there is only one.
  package var step: Double { levels > 1 ? (upper - lower) / Double(levels - 1) : 0 }
}

/// How often values occur, with the quantization range and grid drawn over them.
///
/// Heights are logarithmic, so that single outliers show. Bins with values that the range cuts off
/// are drawn in another colour and hatched by an outline.
package struct Histogram: Chart, Equatable {
  package var title: String
  /// The ends of the first and the last bin.
  package var lower: Double
  package var upper: Double
  /// Values per bin; bins are equally wide.
  package var counts: [Int]
  package var grid: QuantizationGrid?
  /// What the values are: `weight`, `activation`.
  package var valueTitle: String

  package init(
    title: String, lower: Double, upper: Double, counts: [Int], grid: QuantizationGrid? = nil,
    valueTitle: String = "value"
  ) {
    self.title = title
    self.lower = lower
    self.upper = upper
    self.counts = counts
    self.grid = grid
    self.valueTitle = valueTitle
  }

  /// Every how many levels a tick is drawn so that ticks stand at least `spacing` pixels apart:
  /// a power of two.
  static func stride(of grid: QuantizationGrid, pixelsPerUnit: Double, spacing: Double = 5) -> Int {
    var stride = 1
    let pixels = grid.step * pixelsPerUnit
    guard pixels > 0 else { return max(1, grid.levels) }
    while Double(stride) * pixels < spacing, stride < grid.levels { stride *= 2 }
    return stride
  }

  package func svg(width: Double) -> String {
    let plot = plotArea(width: width)
    var drawing = Drawing(width: width, height: plot.bottom + 44, title: title)
    if let grid {
      let (left, right) = clamped(grid, plot)
      drawing.rectangle(
        x: left, y: plot.top, width: right - left, height: plot.height, class: "kept")
    }
    plot.drawAxes(in: &drawing, xTitle: valueTitle, yTitle: "values per bin, logarithmic")
    drawBars(in: &drawing, plot)
    if let grid { draw(grid, in: &drawing, plot) }
    return drawing.markup.source
  }

  private func plotArea(width: Double) -> PlotArea {
    let low = grid.map { min($0.lower, lower) } ?? lower
    let high = grid.map { max($0.upper, upper) } ?? upper
    let most = Double(max(10, counts.max() ?? 0))
    let vertical = Axis(from: 0.7, to: most * 1.15, count: 4, isLogarithmic: true)
    let left = PlotArea.margin(for: vertical)
    let horizontal = Axis(
      from: low, to: high, count: width > 400 ? 6 : 4, isLoose: false)
    return PlotArea(
      left: left, top: grid == nil ? 24 : 42, width: width - left - 14, height: 150,
      horizontal: horizontal, vertical: vertical)
  }

  private func drawBars(in drawing: inout Drawing, _ plot: PlotArea) {
    guard !counts.isEmpty, upper > lower else { return }
    let binWidth = (upper - lower) / Double(counts.count)
    for (index, count) in counts.enumerated() where count > 0 {
      let start = lower + Double(index) * binWidth
      let middle = start + binWidth / 2
      let isCut = grid.map { middle < $0.lower || middle > $0.upper } ?? false
      let x = plot.x(start)
      let top = plot.y(Double(count))
      let span = plot.x(start + binWidth) - x
      drawing.rectangle(
        x: x, y: top, width: max(0.6, span - (span > 4 ? 1 : 0)), height: plot.bottom - top,
        class: isCut ? "bin cut" : "bin",
        title: "\(Format.trimmed(start)) to \(Format.trimmed(start + binWidth)): "
          + Format.integer(count) + (isCut ? ", clipped" : ""))
    }
  }

  private func clamped(_ grid: QuantizationGrid, _ plot: PlotArea) -> (Double, Double) {
    (max(plot.left, plot.x(grid.lower)), min(plot.right, plot.x(grid.upper)))
  }

  private func draw(_ grid: QuantizationGrid, in drawing: inout Drawing, _ plot: PlotArea) {
    let (left, right) = clamped(grid, plot)
    for x in [left, right] {
      drawing.line(fromX: x, y: plot.top - 6, toX: x, y: plot.bottom, class: "range")
    }
    let labels = [Format.trimmed(grid.lower), Format.trimmed(grid.upper)]
    let widths = labels.map(Drawing.labelWidth)
    let isTight = right - left < widths[0] / 2 + widths[1] / 2 + 12
    let ends: [(Double, Drawing.Anchor)] =
      isTight
      ? [(left - 4, .end), (right + 4, .start)]
      : [
        (max(left, plot.left + widths[0] / 2), .middle),
        (min(right, plot.right + 12 - widths[1] / 2), .middle),
      ]
    for (label, (x, anchor)) in zip(labels, ends) {
      drawing.text(label, x: x, y: plot.top - 11, anchor: anchor, class: "range-label")
    }
    guard grid.levels > 1, grid.step > 0 else { return }
    let pixelsPerUnit = plot.width / (plot.horizontal.upper - plot.horizontal.lower)
    let every = Self.stride(of: grid, pixelsPerUnit: pixelsPerUnit)
    for level in Swift.stride(from: 0, to: grid.levels, by: every) {
      let x = plot.x(grid.lower + Double(level) * grid.step)
      drawing.line(fromX: x, y: plot.bottom - 7, toX: x, y: plot.bottom, class: "level")
    }
    let ordinal = every == 1 ? "each" : every == 2 ? "every 2nd" : "every \(every)th"
    drawing.text(
      "┃ \(ordinal) of \(Format.integer(grid.levels)) levels", x: 0, y: plot.bottom + 36,
      class: "range-label")
  }
}
