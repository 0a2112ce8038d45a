// SPDX-License-Identifier: Apache-2.0
public import CPURuntime
import TensorCore

/// How long a network takes for one run, measured several times.
public struct Latency: Sendable, Equatable {
  /// Milliseconds of each run, in ascending order.
  public let milliseconds: [Double]

  /// - Parameter seconds: One per run, at least one.
  public init(seconds: [Double]) {
    precondition(!seconds.isEmpty, "a latency needs at least one run")
    milliseconds = seconds.map { $0 * 1e3 }.sorted()
  }

  public var minimum: Double { milliseconds[0] }
  public var median: Double { quantile(0.5) }
  public var p95: Double { quantile(0.95) }

  /// Half the distance between the quartiles as a fraction of the median.
  public var spread: Double {
    median > 0 ? (quantile(0.75) - quantile(0.25)) / 2 / median : 0
  }

  /// Between two runs, the value is interpolated.
  private func quantile(_ fraction: Double) -> Double {
    let place = fraction * Double(milliseconds.count - 1)
    let below = Int(place)
    let above = min(below + 1, milliseconds.count - 1)
    let part = place - Double(below)
    return milliseconds[below] * (1 - part) + milliseconds[above] * part
  }

  /// Runs of a compiled network on random inputs, after a warm-up.
  ///
  /// - Parameters:
  ///   - runs: Runs that count.
  ///   - seed: Of the random inputs (see `RandomInputs`).
  ///   - warmup: Seconds that runs go on before any counts, three runs at least.
  /// - Throws: What running throws.
  public static func measured(
    _ model: CompiledModel, runs: Int, seed: UInt64 = 0, warmup: Double = 0.2
  ) throws -> Latency {
    let inputs = RandomInputs.tensors(for: model.inputs, seed: seed)
    let clock = ContinuousClock()
    let start = clock.now
    var warmed = 0
    while warmed < 3 || clock.now - start < .seconds(warmup) {
      _ = try model.latencies(inputs, runs: 1, warmups: 0)
      warmed += 1
    }
    return Latency(seconds: try model.latencies(inputs, runs: max(runs, 1), warmups: 1))
  }
}
