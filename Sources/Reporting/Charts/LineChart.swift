// SPDX-License-Identifier: Apache-2.0

/// Curves over a common axis, such as accuracy over epochs, with the best point marked.
package struct LineChart: Chart, Equatable {
  /// Which point of a curve is marked.
  package enum Best: Sendable, Equatable {
    case highest, lowest, none
  }

  /// One curve; points whose values are not finite interrupt it.
  package struct Series: Sendable, Equatable {
    package var name: String
    package var x: [Double]
    package var y: [Double]
    package var best: Best

    /// - Parameters:
    ///   - name: Stands in the legend.
    ///   - x: Ascending; as many as `y`.
    ///   - y: Values.
    ///   - best: Which point is marked.
    package init(name: String, x: [Double], y: [Double], best: Best = .none) {
      self.name = name
      self.x = x
      self.y = y
      self.best = best
    }

    /// A curve over 1, 2, 3, ….
    package init(name: String, values: [Double], best: Best = .none) {
      self.init(name: name, x: values.indices.map { Double($0 + 1) }, y: values, best: best)
    }

    /// The marked point: the first of the best ones.
    package var bestIndex: Int? {
      let candidates = zip(x, y).enumerated().filter {
        $0.element.0.isFinite && $0.element.1.isFinite
      }
      switch best {
      case .none: return nil
      case .highest: return candidates.max { $0.element.1 < $1.element.1 }?.offset
      case .lowest: return candidates.min { $0.element.1 < $1.element.1 }?.offset
      }
    }
  }

  package var title: String
  package var xTitle: String
  package var yTitle: String
  package var series: [Series]

  package init(title: String, xTitle: String, yTitle: String, series: [Series]) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.series = series
  }

  package func svg(width: Double) -> String {
    let xs = series.flatMap(\.x).filter(\.isFinite)
    let ys = series.flatMap(\.y).filter(\.isFinite)
    let vertical = Axis(from: ys.min() ?? 0, to: ys.max() ?? 1)
    let horizontal = Axis(
      from: xs.min() ?? 0, to: xs.max() ?? 1, count: width > 600 ? 9 : 5, isLoose: false)
    let left = PlotArea.margin(for: vertical)
    let legend = Legend(series.map(\.name), width: width)
    let plot = PlotArea(
      left: left, top: 24 + legend.height, width: width - left - 14,
      height: width > 600 ? 260 : 200, horizontal: horizontal, vertical: vertical)
    var drawing = Drawing(width: width, height: plot.bottom + 44, title: title)
    plot.drawAxes(in: &drawing, xTitle: xTitle, yTitle: yTitle)
    legend.draw(in: &drawing, top: 30)
    for (index, curve) in series.enumerated() {
      for run in runs(of: curve) {
        let points = run.map { (x: plot.x($0.x), y: plot.y($0.y)) }
        drawing.polyline(points, class: "curve c\(index % Palette.count)")
      }
    }
    for (index, curve) in series.enumerated() {
      if let best = curve.bestIndex { mark(best, of: curve, index: index, in: &drawing, plot) }
    }
    return drawing.markup.source
  }

  private func mark(
    _ best: Int, of curve: Series, index: Int, in drawing: inout Drawing, _ plot: PlotArea
  ) {
    let (x, y) = (plot.x(curve.x[best]), plot.y(curve.y[best]))
    let words =
      "best \(Format.trimmed(curve.y[best], digits: 4)) at \(Format.trimmed(curve.x[best]))"
    let half = Drawing.labelWidth(words) / 2
    let centre = min(max(x, plot.left + half), plot.right + 10 - half)
    let crowd = [y - 14, y + 16].map { height in
      let crossing = series.flatMap { zip($0.x, $0.y) }.filter { point in
        abs(plot.x(point.0) - centre) < half && abs(plot.y(point.1) - height) < 8
      }
      let isOutside = height < plot.top + 6 || height > plot.bottom - 6
      return crossing.count + (isOutside ? 1_000_000 : 0)
    }
    let below = crowd[1] < crowd[0]
    drawing.circle(x: x, y: y, radius: 5, class: "best c\(index % Palette.count)", title: words)
    drawing.text(words, x: centre, y: y + (below ? 20 : -10), anchor: .middle, class: "mark")
  }

  private func runs(of curve: Series) -> [[(x: Double, y: Double)]] {
    var runs: [[(x: Double, y: Double)]] = [[]]
    for (x, y) in zip(curve.x, curve.y) {
      if x.isFinite && y.isFinite {
        runs[runs.count - 1].append((x, y))
      } else if !runs[runs.count - 1].isEmpty {
        runs.append([])
      }
    }
    return runs
  }
}

/// Names of curves, each behind a piece of its line, in as many rows as they need.
struct Legend: Sendable {
  private var entries: [(name: String, x: Double, row: Int)] = []

  /// Charts with one curve need none.
  init(_ names: [String], width: Double) {
    guard names.count > 1 else { return }
    var (x, row) = (0.0, 0)
    for name in names {
      let fitted = name.printable.truncatedInMiddle(to: Int((width - 40) / 6.6))
      let length = Drawing.labelWidth(fitted) + 48
      if x > 0, x + length > width { (x, row) = (0, row + 1) }
      entries.append((fitted, x, row))
      x += length
    }
  }

  var height: Double { entries.last.map { Double($0.row + 1) * 20 } ?? 0 }

  func draw(in drawing: inout Drawing, top: Double) {
    for (index, entry) in entries.enumerated() {
      let y = top + Double(entry.row) * 20
      drawing.polyline(
        [(entry.x, y - 4), (entry.x + 24, y - 4)], class: "curve c\(index % Palette.count)")
      drawing.text(entry.name, x: entry.x + 30, y: y)
    }
  }
}

/// The colours that curves and groups take in turn; the style sheet defines them.
enum Palette {
  static let count = 7
}
