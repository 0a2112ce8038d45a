// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import GraphIR

/// Finds the fewest layers to restore, measuring as it goes.
struct BudgetSearch {
  private let calibrated: CalibratedNetwork
  private let reference: Double
  private let budget: AccuracyBudget
  private let hooks: BudgetHooks
  private let measure: (QuantizedNetwork) throws -> QuantizationResult
  private var steps: [BudgetStep] = []
  private var best: (restored: [NodeID], network: QuantizedNetwork, score: Double)?
  private var scores: [Set<NodeID>: Double] = [:]

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
    if try !meets([]) {
      ranked = try ranking()
      try search(ranked.map(\.node))
    }
    guard let best else { throw QuantizationError.nothingToQuantize(reason: "nothing was tried") }
    let final = try measure(best.network)
    let drop = reference - best.score
    return BudgetResult(
      result: final, referenceScore: reference, score: best.score, steps: steps,
      ranking: ranked.map(\.layer), restored: names(of: best.restored),
      gap: max(drop - budget.maximumDrop, 0))
  }

  private mutating func search(_ order: [NodeID]) throws {
    // At least one layer stays quantized: without any there is no quantized network.
    let most = order.count - 1
    guard most > 0 else { return }
    var (missed, met) = (0, most + 1)
    var count = 1
    while count < met && mayMeasure {
      if try meets(Array(order.prefix(count))) {
        met = count
      } else {
        missed = count
        count = min(count * 2, most)
        if missed == most { return }
      }
    }
    while met - missed > 1 && met <= most && mayMeasure {
      let middle = (missed + met) / 2
      if try meets(Array(order.prefix(middle))) { met = middle } else { missed = middle }
    }
    guard met <= most else { return }
    var kept = Array(order.prefix(met))
    // The last one is needed: without it the budget was missed.
    for node in kept.dropLast().reversed() where mayMeasure {
      let fewer = kept.filter { $0 != node }
      if try meets(fewer) { kept = fewer }
    }
  }

  private var mayMeasure: Bool { steps.count < budget.measurementLimit }

  private mutating func meets(_ restored: [NodeID]) throws -> Bool {
    let key = Set(restored)
    if let known = scores[key] { return reference - known <= budget.maximumDrop }
    let network = try calibrated.quantized(keeping: key)
    let score = try hooks.evaluate(network.graph)
    scores[key] = score
    let drop = reference - score
    steps.append(BudgetStep(restored: names(of: restored), score: score, drop: drop))
    try hooks.progress(.budgeting(restored: restored.count, drop: drop))
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
  private func isBetter(_ restored: [NodeID], _ score: Double) -> Bool {
    guard let best else { return true }
    let isWithin = reference - score <= budget.maximumDrop
    let wasWithin = reference - best.score <= budget.maximumDrop
    if isWithin != wasWithin { return isWithin }
    if !isWithin { return score > best.score }
    return restored.count == best.restored.count
      ? score > best.score : restored.count < best.restored.count
  }

  private func names(of nodes: [NodeID]) -> [String] {
    let labels = Dictionary(uniqueKeysWithValues: calibrated.plan.sites.map { ($0.node, $0.label) })
    return nodes.compactMap { labels[$0] }
  }
}
