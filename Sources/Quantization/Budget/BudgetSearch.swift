// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR

/// How the layers that do not keep their 8 bits are stored.
private struct Restoration: Hashable {
  var float: Set<NodeID> = []
  var wide: Set<NodeID> = []

  /// Float costs more than any number of layers of 16 bits.
  var cost: (Int, Int) { (float.count, wide.count) }
}

/// Finds the fewest layers to restore, measuring as it goes.
struct BudgetSearch {
  private let calibrated: CalibratedNetwork
  private let reference: Double
  private let budget: AccuracyBudget
  private let hooks: BudgetHooks
  private let measure: (QuantizedNetwork) throws -> QuantizationResult
  private var steps: [BudgetStep] = []
  private var best: (restored: Restoration, network: QuantizedNetwork, score: Double)?
  private var scores: [Restoration: Double] = [:]

  init(
    calibrated: CalibratedNetwork, reference: Double, budget: AccuracyBudget, hooks: BudgetHooks,
    measure: @escaping (QuantizedNetwork) throws -> QuantizationResult
  ) {
    self.calibrated = calibrated
    self.reference = reference
    self.budget = budget
    self.hooks = hooks
    self.measure = measure
  }

  /// - Parameter ranking: Called if the fully quantized network misses the budget.
  mutating func run(
    ranking: () throws -> [(node: NodeID, layer: RankedLayer)]
  ) throws -> BudgetResult {
    var ranked: [(node: NodeID, layer: RankedLayer)] = []
    if try !meets(Restoration()) {
      ranked = try ranking()
      try search(ranked.map(\.node))
    }
    guard let best else { throw QuantizationError.nothingToQuantize(reason: "nothing was tried") }
    let final = try measure(best.network)
    let drop = reference - best.score
    return BudgetResult(
      result: final, referenceScore: reference, score: best.score, steps: steps,
      ranking: ranked.map(\.layer), restored: names(of: best.restored.float),
      widened: names(of: best.restored.wide), gap: max(drop - budget.maximumDrop, 0))
  }

  private mutating func search(_ order: [NodeID]) throws {
    let options = calibrated.options
    let mayWiden =
      options.activationType.bitWidth == 8 || options.weights.elementType.bitWidth == 8
    if mayWiden, mayMeasure, try meets(Restoration(wide: Set(order))) {
      return try search(order, atMost: order.count) { Restoration(wide: Set($0)) }
    }
    // At least one layer stays quantized: without any there is no quantized network.
    let most = order.count - 1
    guard most > 0 else { return }
    try search(order, atMost: most) { Restoration(float: Set($0)) }
    let all = Restoration(float: Set(order.prefix(most)), wide: Set(order.suffix(1)))
    if mayWiden, mayMeasure, let best, reference - best.score > budget.maximumDrop {
      _ = try meets(all)
    }
  }

  /// Finds the shortest beginning of `order`, of `most` layers at most, that meets the budget.
  private mutating func search(
    _ order: [NodeID], atMost most: Int, _ restoration: ([NodeID]) -> Restoration
  ) throws {
    var (missed, met) = (0, most + 1)
    var count = 1
    while count < met && mayMeasure {
      if try meets(restoration(Array(order.prefix(count)))) {
        met = count
      } else {
        missed = count
        count = min(count * 2, most)
        if missed == most { return }
      }
    }
    while met - missed > 1 && met <= most && mayMeasure {
      let middle = (missed + met) / 2
      if try meets(restoration(Array(order.prefix(middle)))) {
        met = middle
      } else {
        missed = middle
      }
    }
    guard met <= most else { return }
    var kept = Array(order.prefix(met))
    // The last one is needed: without it the budget was missed.
    for node in kept.dropLast().reversed() where mayMeasure {
      let fewer = kept.filter { $0 != node }
      if try meets(restoration(fewer)) { kept = fewer }
    }
  }

  private var mayMeasure: Bool { steps.count < budget.measurementLimit }

  private mutating func meets(_ restored: Restoration) throws -> Bool {
    if let known = scores[restored] { return reference - known <= budget.maximumDrop }
    let network = try calibrated.quantized(keeping: restored.float, widening: restored.wide)
    let score = try hooks.evaluate(network.graph)
    scores[restored] = score
    let drop = reference - score
    steps.append(
      BudgetStep(
        restored: names(of: restored.float), widened: names(of: restored.wide), score: score,
        drop: drop))
    try hooks.progress(
      .budgeting(restored: restored.float.count, widened: restored.wide.count, drop: drop))
    if isBetter(restored, score) {
      best = (restored, network, score)
      try hooks.keepBest(
        QuantizationResult(
          graph: network.graph,
          report: ReportWriter(calibrated: calibrated, network: network, comparison: nil).report()
        ))
    }
    return drop <= budget.maximumDrop
  }

  /// Within the budget fewer restored layers win, then the score; outside of it the score.
  private func isBetter(_ restored: Restoration, _ score: Double) -> Bool {
    guard let best else { return true }
    let isWithin = reference - score <= budget.maximumDrop
    let wasWithin = reference - best.score <= budget.maximumDrop
    if isWithin != wasWithin { return isWithin }
    if !isWithin { return score > best.score }
    return restored.cost == best.restored.cost
      ? score > best.score : restored.cost < best.restored.cost
  }

  private func names(of nodes: Set<NodeID>) -> [String] {
    calibrated.plan.sites.filter { nodes.contains($0.node) }.map(\.label)
  }
}
