// SPDX-License-Identifier: Apache-2.0

/// The range of each channel's values beside that of the others, in the order of the channels.
///
/// Shows at a glance what one scale for all channels would cost.
package struct ChannelRanges: Chart, Equatable {
  package var title: String
  /// One range per channel.
  package var lower: [Double]
  package var upper: [Double]

  /// - Parameters:
  ///   - title: What is shown.
  ///   - lower: The smallest value of each channel.
  ///   - upper: The largest value of each channel; as many.
  package init(title: String, lower: [Double], upper: [Double]) {
    self.title = title
    self.lower = lower
    self.upper = upper
  }

  /// The channel with the largest magnitude; nil without channels.
  package var widest: Int? {
    zip(lower, upper).enumerated()
      .max { magnitude($0.element) < magnitude($1.element) }?.offset
  }

  private func magnitude(_ range: (Double, Double)) -> Double { max(abs(range.0), abs(range.1)) }

  package func svg(width: Double) -> String {
    let count = min(lower.count, upper.count)
    let vertical = Axis(from: lower.min() ?? 0, to: upper.max() ?? 1, count: 4)
    let left = PlotArea.margin(for: vertical)
    let horizontal = Axis(
      from: 0, to: Double(max(1, count)), count: width > 400 ? 7 : 5, isLoose: false)
    let plot = PlotArea(
      left: left, top: 24, width: width - left - 14, height: 110, horizontal: horizontal,
      vertical: vertical)
    var drawing = Drawing(width: width, height: plot.bottom + 44, title: title)
    plot.drawAxes(in: &drawing, xTitle: "channel", yTitle: "range of each channel's weights")
    let pitch = plot.width / Double(max(1, count))
    for channel in 0..<count {
      let top = plot.y(upper[channel])
      let height = max(1, plot.y(lower[channel]) - top)
      drawing.rectangle(
        x: plot.left + (Double(channel) + 0.5) * pitch - max(0.8, pitch * 0.6) / 2, y: top,
        width: max(0.8, pitch * 0.6), height: height,
        class: channel == widest ? "bin cut" : "bin",
        title: "channel \(channel): \(Format.trimmed(lower[channel])) to "
          + Format.trimmed(upper[channel]))
    }
    if let widest, count > 1 {
      let x = plot.left + (Double(widest) + 0.5) * pitch
      let isRight = x > plot.left + plot.width / 2
      drawing.text(
        "channel \(widest)", x: x + (isRight ? -1 : 1) * (pitch * 0.3 + 5),
        y: plot.y(upper[widest]) + 10,
        anchor: isRight ? .end : .start, class: "range-label")
    }
    return drawing.markup.source
  }
}
