// SPDX-License-Identifier: Apache-2.0

/// Networks by cost and quality, each named, with the Pareto front drawn.
package struct ScatterPlot: Chart, Equatable {
  /// One network.
  package struct Point: Sendable, Equatable {
    package var name: String
    package var x: Double
    package var y: Double

    package init(name: String, x: Double, y: Double) {
      self.name = name
      self.x = x
      self.y = y
    }
  }

  package var title: String
  /// The cost: less is better.
  package var xTitle: String
  /// The quality: more is better.
  package var yTitle: String
  package var points: [Point]
  /// Whether equal factors of the cost take equal lengths.
  package var isLogarithmic: Bool

  package init(
    title: String, xTitle: String, yTitle: String, points: [Point], isLogarithmic: Bool = false
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.points = points
    self.isLogarithmic = isLogarithmic
  }

  /// Indices of the points that no other beats in cost and quality at once, by rising cost.
  ///
  /// Of equal points the first counts. Points that are not finite are left out.
  ///
  /// - Complexity: O(*n* log *n*).
  package var front: [Int] {
    let order = points.indices
      .filter { points[$0].x.isFinite && points[$0].y.isFinite }
      .sorted {
        let (a, b) = (points[$0], points[$1])
        return a.x != b.x ? a.x < b.x : a.y != b.y ? a.y > b.y : $0 < $1
      }
    var best = -Double.infinity
    return order.filter { index in
      guard points[index].y > best else { return false }
      best = points[index].y
      return true
    }
  }

  package func svg(width: Double) -> String {
    let shown = points.indices.filter { points[$0].x.isFinite && points[$0].y.isFinite }
    let plot = plotArea(shown, width: width)
    var drawing = Drawing(width: width, height: plot.bottom + 44, title: title)
    plot.drawAxes(in: &drawing, xTitle: xTitle, yTitle: yTitle)
    let front = front
    drawing.polyline(steps(front, plot), class: "front")
    for index in shown {
      let point = points[index]
      drawing.circle(
        x: plot.x(point.x), y: plot.y(point.y), radius: 5,
        class: front.contains(index) ? "point best" : "point",
        title: "\(point.name): \(Format.trimmed(point.x)), \(Format.trimmed(point.y, digits: 4))")
    }
    drawNames(shown, front: Set(front), in: &drawing, plot)
    return drawing.markup.source
  }

  private func plotArea(_ shown: [Int], width: Double) -> PlotArea {
    let xs = shown.map { points[$0].x }
    let ys = shown.map { points[$0].y }
    let (low, high) = (xs.min() ?? 0, xs.max() ?? 1)
    let (bottom, top) = (ys.min() ?? 0, ys.max() ?? 1)
    let vertical = Axis(from: bottom - (top - bottom) * 0.05, to: top + (top - bottom) * 0.05)
    let horizontal =
      isLogarithmic && low > 0
      ? Axis(from: low / 1.3, to: high * 1.5, count: 6, isLogarithmic: true)
      : Axis(from: min(0, low), to: high + (high - low) * 0.1, count: width > 600 ? 8 : 5)
    let left = PlotArea.margin(for: vertical)
    return PlotArea(
      left: left, top: 28, width: width - left - 14, height: width > 600 ? 320 : 280,
      horizontal: horizontal, vertical: vertical)
  }

  /// The border of what is dominated: level from each point to the next one's cost, then up.
  private func steps(_ front: [Int], _ plot: PlotArea) -> [(x: Double, y: Double)] {
    var steps: [(x: Double, y: Double)] = []
    for index in front {
      let (x, y) = (plot.x(points[index].x), plot.y(points[index].y))
      if let last = steps.last { steps.append((x, last.y)) }
      steps.append((x, y))
    }
    if let last = steps.last { steps.append((plot.right, last.y)) }
    return steps
  }

  /// Puts each name at the first of several places where it covers least of other names and
  /// points, those on the front first.
  private func drawNames(
    _ shown: [Int], front: Set<Int>, in drawing: inout Drawing, _ plot: PlotArea
  ) {
    var taken = shown.map { index in
      Box(x: plot.x(points[index].x) - 5, y: plot.y(points[index].y) - 5, width: 10, height: 10)
    }
    let order = shown.filter(front.contains) + shown.filter { !front.contains($0) }
    for index in order {
      let name = points[index].name.printable.truncatedInMiddle(to: 28)
      let (x, y) = (plot.x(points[index].x), plot.y(points[index].y))
      let width = Drawing.labelWidth(name) * (front.contains(index) ? 1.1 : 1)
      let places = [
        (x + 7, y + 17), (x + 9, y + 4), (x - width / 2, y - 10), (x - 9 - width, y + 4),
        (x - width / 2, y + 20), (x + 7, y - 9), (x - width - 6, y - 9), (x + 4, y + 30),
        (x - width / 2, y + 34), (x - width / 2, y + 48), (x - width / 2, y - 24),
      ].map { Box(x: $0.0, y: $0.1 - 11, width: width, height: 14) }
      let covered = places.map { place in
        let isInside = place.x >= plot.left && place.x + width <= plot.right + 12
        return taken.map { $0.overlap(place) }.reduce(isInside ? 0 : 1e9, +)
      }
      let place = places[covered.firstIndex(of: covered.min() ?? 0) ?? 0]
      drawing.text(
        name, x: place.x, y: place.y + 11, class: front.contains(index) ? "mark" : "label")
      taken.append(place)
    }
  }

  private struct Box {
    var x, y, width, height: Double

    /// Area in common with `other`, which is kept clear a few pixels to both sides.
    func overlap(_ other: Box) -> Double {
      let across = min(x + width, other.x + other.width + 4) - max(x, other.x - 4)
      let down = min(y + height, other.y + other.height) - max(y, other.y)
      return max(0, across) * max(0, down)
    }
  }
}
