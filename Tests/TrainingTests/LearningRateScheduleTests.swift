// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import Training

/// A schedule, a step of 10 epochs of 10 steps, and the factor worked out by hand.
struct ScheduleCase: Sendable, CustomTestStringConvertible {
  let name: String
  let schedule: LearningRateSchedule
  let step: Int
  let factor: Double
  var testDescription: String { "\(name) at \(step)" }

  static let all: [ScheduleCase] = [
    ScheduleCase(name: "constant", schedule: .init(), step: 0, factor: 1),
    ScheduleCase(name: "constant", schedule: .init(), step: 99, factor: 1),
    ScheduleCase(
      name: "step", schedule: .init(.step(epochs: 3, factor: 0.1)), step: 29, factor: 1),
    ScheduleCase(
      name: "step", schedule: .init(.step(epochs: 3, factor: 0.1)), step: 30, factor: 0.1),
    ScheduleCase(
      name: "step", schedule: .init(.step(epochs: 3, factor: 0.1)), step: 60, factor: 0.01),
    ScheduleCase(
      name: "multi-step", schedule: .init(.multiStep(epochs: [5, 7.5], factor: 0.5)), step: 49,
      factor: 1),
    ScheduleCase(
      name: "multi-step", schedule: .init(.multiStep(epochs: [5, 7.5], factor: 0.5)), step: 50,
      factor: 0.5),
    ScheduleCase(
      name: "multi-step", schedule: .init(.multiStep(epochs: [5, 7.5], factor: 0.5)), step: 75,
      factor: 0.25),
    ScheduleCase(name: "linear", schedule: .init(.linear(end: 0)), step: 25, factor: 0.75),
    ScheduleCase(name: "linear", schedule: .init(.linear(end: 0.2)), step: 50, factor: 0.6),
    ScheduleCase(
      name: "polynomial", schedule: .init(.polynomial(power: 2, end: 0)), step: 50, factor: 0.25),
    ScheduleCase(
      name: "polynomial", schedule: .init(.polynomial(power: 2, end: 0.5)), step: 50,
      factor: 0.625),
    ScheduleCase(name: "cosine", schedule: .init(.cosine(end: 0)), step: 0, factor: 1),
    ScheduleCase(name: "cosine", schedule: .init(.cosine(end: 0)), step: 50, factor: 0.5),
    // (1 + cos(π/4)) / 2
    ScheduleCase(
      name: "cosine", schedule: .init(.cosine(end: 0)), step: 25, factor: 0.853_553_390_593_273_7),
    ScheduleCase(name: "cosine", schedule: .init(.cosine(end: 0.1)), step: 50, factor: 0.55),
    ScheduleCase(
      name: "warm-up", schedule: .init(.cosine(end: 0), warmUpEpochs: 2), step: 0, factor: 0.05),
    ScheduleCase(
      name: "warm-up", schedule: .init(.cosine(end: 0), warmUpEpochs: 2), step: 19, factor: 1),
    ScheduleCase(
      name: "warm-up", schedule: .init(.cosine(end: 0), warmUpEpochs: 2), step: 20, factor: 1),
    ScheduleCase(
      name: "behind a warm-up", schedule: .init(.cosine(end: 0), warmUpEpochs: 2), step: 60,
      factor: 0.5),
    ScheduleCase(
      name: "warm-up from half", schedule: .init(.constant, warmUpEpochs: 1, warmUpStart: 0.5),
      step: 4, factor: 0.75),
    // Rises until step 0.3 · 100 − 1 = 29, falls until step 99.
    ScheduleCase(
      name: "one cycle", schedule: .init(.oneCycle(rise: 0.3, divisor: 25, finalDivisor: 1e4)),
      step: 0, factor: 0.04),
    ScheduleCase(
      name: "one cycle", schedule: .init(.oneCycle(rise: 0.3, divisor: 25, finalDivisor: 1e4)),
      step: 29, factor: 1),
    ScheduleCase(
      name: "one cycle", schedule: .init(.oneCycle(rise: 0.3, divisor: 25, finalDivisor: 1e4)),
      step: 64, factor: 0.500_002),
    ScheduleCase(
      name: "one cycle", schedule: .init(.oneCycle(rise: 0.3, divisor: 25, finalDivisor: 1e4)),
      step: 99, factor: 0.000_004),
  ]
}

@Suite("A schedule of the learning rate")
struct LearningRateScheduleTests {
  @Test("gives the factor worked out by hand", arguments: ScheduleCase.all)
  func factors(_ example: ScheduleCase) {
    let position = StepPosition(step: example.step, totalSteps: 100, stepsPerEpoch: 10)
    // A few roundings of numbers near 1.
    #expect(abs(example.schedule.factor(at: position) - example.factor) < 1e-15 * 20)
  }

  @Test("never leaves 0 to 1", arguments: ScheduleCase.all)
  func bounds(_ example: ScheduleCase) {
    for step in 0..<100 {
      let factor = example.schedule.factor(
        at: StepPosition(step: step, totalSteps: 100, stepsPerEpoch: 10))
      #expect((0...1).contains(factor), "step \(step)")
    }
  }

  @Test("comes back from its encoding", arguments: ScheduleCase.all)
  func coding(_ example: ScheduleCase) throws {
    let data = try JSONEncoder().encode(example.schedule)
    #expect(try JSONDecoder().decode(LearningRateSchedule.self, from: data) == example.schedule)
  }
}
