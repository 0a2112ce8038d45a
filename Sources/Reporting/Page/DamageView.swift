// SPDX-License-Identifier: Apache-2.0

/// Damage by layer as the template reads it: the sortable list, and the details it links to.
struct DamageView: Sendable {
  let layers: [PageView.Layer]
  let details: [PageView.Detail]

  init(_ damage: [HTMLReport.LayerDamage]) {
    let finite = damage.compactMap(\.signalToNoise).filter(\.isFinite)
    let axis = Axis(from: min(0, finite.min() ?? 0), to: max(10, finite.max() ?? 0))
    layers = damage.enumerated().map { index, layer in
      PageView.Layer(
        name: Markup(name: layer.name), nameKey: Markup(layer.name),
        path: Markup(name: layer.path), kind: Markup(layer.kind),
        storage: Markup(layer.storage),
        signalToNoise: Markup(layer.signalToNoise.map(Format.decibels) ?? Format.missing),
        signalToNoiseKey: Markup(Self.key(layer.signalToNoise)),
        dot: Self.dot(layer.signalToNoise, axis),
        rangeKept: Markup(layer.rangeKept.map(Format.share) ?? Format.missing),
        rangeKeptKey: Markup(Self.key(layer.rangeKept)), cause: Markup(layer.cause),
        anchor: Markup(layer.detail == nil ? "" : Self.anchor(index)))
    }
    details = damage.enumerated().compactMap { index, layer in
      layer.detail.map { Self.detail($0, of: layer, anchor: Self.anchor(index)) }
    }
  }

  // Numbers, never names: a name from a file could collide or carry markup.
  private static func anchor(_ index: Int) -> String { "layer-\(index + 1)" }

  /// What the script sorts by; not measured sorts last.
  private static func key(_ value: Double?) -> String {
    guard let value, !value.isNaN else { return "" }
    return value.isFinite ? value.description : value > 0 ? "1e308" : "-1e308"
  }

  private static func dot(_ value: Double?, _ axis: Axis) -> Markup {
    guard let value, value.isFinite else { return .empty }
    let position = Drawing.number(4 + 92 * min(1, max(0, axis.position(value)))) + "%"
    let rail = Markup.element(
      "line", ["x1": "4%", "y1": "7", "x2": "96%", "y2": "7", "class": "rail"])
    let mark = Markup.element("circle", ["cx": position, "cy": "7", "r": "3.5", "class": "dot"])
    return .element(
      "svg", ["class": "dots", "width": "72", "height": "14", "aria-hidden": "true"], rail + mark)
  }

  private static func detail(
    _ detail: HTMLReport.LayerDetail, of layer: HTMLReport.LayerDamage, anchor: String
  ) -> PageView.Detail {
    let histograms = [detail.weights, detail.activations].compactMap { $0 }
    return PageView.Detail(
      anchor: Markup(anchor), name: Markup(name: layer.name), path: Markup(name: layer.path),
      cause: Markup(detail.cause), suggestion: Markup(detail.suggestion),
      command: Markup(detail.command),
      pictures: histograms.map {
        PageView.Picture(title: caption($0), figure: $0.figure(isHalf: true))
      },
      wide: [detail.channels].compactMap { $0 }.map {
        PageView.Picture(title: Markup($0.title), figure: $0.figure())
      })
  }

  private static func caption(_ histogram: Histogram) -> Markup {
    guard let grid = histogram.grid else { return Markup(histogram.title) }
    let step = grid.step > 0 ? ", step \(Format.significant(grid.step))" : ""
    return Markup(
      "\(histogram.title): range \(Format.trimmed(grid.lower)) to \(Format.trimmed(grid.upper))"
        + step)
  }
}
