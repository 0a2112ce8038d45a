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

extension Latency {
  /// Latencies of several networks, measured in turn in rounds, so that a drift of the machine's
  /// speed touches all alike.
  ///
  /// - Parameters:
  ///   - models: Compiled networks.
  ///   - rounds: How often each has its turn.
  ///   - seconds: About how long all runs of one network may take, in which as many as fit are
  ///     made, at least one and at most ten in a round.
  ///   - seed: Of the random inputs.
  /// - Throws: What running throws.
  public static func alternating(
    _ models: [CompiledModel], rounds: Int = 7, seconds: Double = 1, seed: UInt64 = 0
  ) throws -> [Latency] {
    let inputs = models.map { RandomInputs.tensors(for: $0.inputs, seed: seed) }
    var runs: [Int] = []
    for (model, input) in zip(models, inputs) {
      let warm = try model.latencies(input, runs: 3, warmups: 2).min() ?? 1
      runs.append(min(10, max(1, Int(seconds / Double(rounds) / max(warm, 1e-6)))))
    }
    var series = models.map { _ in [Double]() }
    for _ in 0..<max(rounds, 1) {
      for index in models.indices {
        series[index] += try models[index].latencies(
          inputs[index], runs: runs[index], warmups: 1)
      }
    }
    return series.map { Latency(seconds: $0) }
  }
}
