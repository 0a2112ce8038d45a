// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// Shows what the quantizer is doing, one bar for each kind of work.
///
/// A class because the quantizer's calls change which bar is shown.
final class QuantizeProgress {
  private let console: Console
  private var label = ""
  private var bar: Progress?

  init(console: Console) { self.console = console }

  /// Shows one step.
  func show(_ step: QuantizationProgress) throws {
    switch step {
    case .equalizing(let done, let total): update("Equalizing", done, total, unit: "images")
    case .calibrating(let done, let total): update("Calibrating", done, total, unit: "images")
    case .comparing(let done, let total): update("Comparing", done, total, unit: "images")
    case .ranking(let done, let total): update("Ranking", done, total, unit: "layers")
    case .budgeting(let restored, let widened, let drop):
      finish()
      let parts = [(restored, "in float"), (widened, "in 16 bits")].filter { $0.0 > 0 }
        .map { count, storage in "\(count) \(count == 1 ? "layer" : "layers") \(storage)" }
      let tried = parts.isEmpty ? "all layers in 8 bits" : parts.joined(separator: ", ")
      try console.say(
        "Tried", "\(tried): \(Format.fixed(max(drop, 0), decimals: 2)) points lost")
    }
  }

  /// Ends the bar that is shown.
  func finish() {
    bar?.finish()
    bar = nil
    label = ""
  }

  private func update(_ name: String, _ done: Int, _ total: Int, unit: String) {
    if label != name {
      finish()
      label = name
      bar = console.progress(name, total: total, unit: unit)
    }
    bar?.update(to: done)
    if done >= total { finish() }
  }
}
