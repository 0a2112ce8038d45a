// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import CompressionCore
import Distillation
import Foundation
import GraphIR
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Training a student with a teacher")
struct TeacherTrainingTests {
  private let student = ResidualPair.network(width: 4, seed: 5)
  private let wide = ResidualPair.network(width: 8, seed: 50)

  private func losses(_ texts: [String]) throws -> [any DistillationLoss] {
    try texts.map { try DistillationLosses.family.method(for: MethodChoice(parsing: $0)) }
  }

  private func trainer(
    _ texts: [String], teacher: Graph? = nil, recipe: TrainingRecipe = .waves(),
    backend: TrainingBackend = .compiled, options: TrainerOptions = TrainerOptions(threads: 2)
  ) throws -> Trainer {
    var trainer = try Trainer(student, recipe: recipe, options: options)
    trainer.backend = backend
    var distillation = try Distillation(
      teacher: try Teacher(teacher ?? wide, name: "wide.onnx"), losses: try losses(texts),
      for: trainer, classCount: 3)
    #expect(try distillation.prepare(on: Waves(), options: options))
    trainer.add(distillation)
    return trainer
  }

  @Test(
    "Every loss falls, in compiled steps that are those of the reference",
    arguments: DistillationLosses.family.cards.map(\.name))
  func falls(name: String) throws {
    let result = try trainer([name], recipe: .waves(epochs: 5)).train(on: Waves())
    let terms = result.history.map { $0.terms?[name] ?? .nan }
    #expect(terms.count == 5)
    #expect(terms[4] < terms[0])
    #expect(result.history[0].terms?["cross_entropy"] != nil)
    var short = TrainingRecipe.waves(epochs: 1)
    short.batchSize = 16
    var limited = TrainerOptions(threads: 2)
    limited.stepLimit = 2
    let found = try [TrainingBackend.compiled, .interpreted].map { backend in
      try trainer([name], recipe: short, backend: backend, options: limited).train(on: Waves())
    }
    let names = found[0].state.keys.filter { !$0.hasPrefix("paraphraser/") }
    for name in names {
      let pair = try found.map { try #require($0.state[name]).reals() }
      let unit = max(pair[1].map { abs($0) }.max() ?? 1, 1e-3)
      // Two updates of sums of some thousand terms, each rounded to 2⁻²⁴ of itself.
      let worst = zip(pair[0], pair[1]).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 2e-3 * unit, "\(name)")
    }
  }

  @Test("Several losses work together; only the student, translator and regressor are trained")
  func together() throws {
    let trainer = try trainer(["kd:alpha=0.7", "at", "sp", "ft:epochs=1", "hint"])
    let plan = try trainer.plan(classCount: 3)
    #expect(
      plan.termOutputs.map(\.term) == ["cross_entropy", "kd", "at", "sp", "ft", "hint"])
    let trained = plan.update.variables.filter { $0.output != nil }.map(\.name)
    #expect(trained.contains("stem.weight"))
    #expect(trained.contains("ft/0/translator/0/weight"))
    #expect(trained.contains("hint/0/regressor/weight"))
    #expect(!trained.contains { $0.hasPrefix("teacher/") || $0.hasPrefix("paraphraser/") })
    #expect(!plan.networkVariables.contains { $0.hasPrefix("teacher/") })
    let result = try trainer.train(on: Waves())
    // The file has the student alone.
    #expect(result.network.nodes.count == student.nodes.count)
    #expect(result.deployed.nodes.allSatisfy { !$0.name.hasPrefix("teacher/") })
  }

  @Test(
    "No operator of a step runs on its reference, but for scalars", arguments: ["fp32", "bf16"])
  func lowered(precision: String) throws {
    let trainer = try trainer(["kd", "at", "sp", "ft:epochs=1", "hint", "at:p=1"])
    let plan = try trainer.plan(classCount: 3)
    let program = try TrainingProgram(
      plan.update, store: VariableStore(),
      options: TrainingOptions(threads: 2, precision: precision == "bf16" ? .bf16 : .fp32))
    // Nodes of a gradient may share a name: as many of a name may be slow as have one element.
    var scalars: [String: Int] = [:]
    for node in plan.update.graph.nodes {
      let counts = node.outputs.map { plan.update.graph.type($0)?.shape?.reduce(1, *) ?? .max }
      if counts.allSatisfy({ $0 <= 1 }) { scalars[node.name, default: 0] += 1 }
    }
    for step in program.steps where step.implementation == "reference" {
      for name in step.nodes { scalars[name, default: 0] -= 1 }
    }
    #expect(scalars.filter { $0.value < 0 }.isEmpty)
  }

  @Test("α = 1 leaves nothing to the labels; the student's scores come to be the teacher's")
  func softTargets() throws {
    let trainer = try trainer(["kd:alpha=1,T=2"], recipe: .waves(epochs: 1))
    let weights = trainer.builder.lossTerms.map(\.weight)
    #expect(weights == [0, 1])
  }

  @Test("A teacher whose batch norm cannot be folded answers as its file does")
  func preactivated() throws {
    let network = ResidualPair.network(width: 4, seed: 9, isPreactivated: true)
    let teacher = try Teacher(network, name: "pre.onnx")
    #expect(!teacher.network.nodes.contains { $0.op is BatchNormalization })
    let x = drawn([2, 3, 8, 8], seed: 4)
    let wanted = try Interpreter(network).run(["input": x])[0].floats()
    let found = try Interpreter(teacher.network).run(["input": x])[0].floats()
    for (a, b) in zip(wanted, found) { #expect(abs(a - b) <= 1e-4 * max(1, abs(a))) }
  }

  @Test("A teacher for other samples or classes is refused by name")
  func unfit() throws {
    let trainer = try Trainer(student, recipe: .waves())
    for (teacher, word) in [
      (ResidualPair.network(width: 4, classes: 5), "5"), (SmallNetwork.identity(width: 3), "N×3"),
    ] {
      let error = #expect(throws: DistillationError.self) {
        try Distillation(
          teacher: try Teacher(teacher, name: "other.onnx"), losses: try losses(["kd"]),
          for: trainer, classCount: 3)
      }
      let words = error.map { "\($0)" } ?? ""
      #expect(words.contains("other.onnx"))
      #expect(words.contains(word))
    }
    #expect(throws: DistillationError.self) {
      try Distillation(
        teacher: try Teacher(wide, name: "wide"), losses: try losses(["at:student=stem.relu"]),
        for: trainer, classCount: 3)
    }
    #expect(throws: DistillationError.self) {
      try Distillation(
        teacher: try Teacher(wide, name: "wide"), losses: [], for: trainer, classCount: 3)
    }
  }

  @Test("Stopped and resumed, the paraphraser among it, the weights are the same")
  func resumed() throws {
    let folder = try ScratchFolder()
    func options(_ name: String, limit: Int?, resumes: Bool) -> TrainerOptions {
      var options = TrainerOptions(
        threads: 2,
        checkpoints: CheckpointOptions(path: folder.file("\(name).onnx"), resumes: resumes))
      options.stepLimit = limit
      return options
    }
    let texts = ["kd", "ft:epochs=2"]
    let whole = try trainer(texts, options: options("whole", limit: nil, resumes: false))
      .train(on: Waves())
    _ = try trainer(texts, options: options("parts", limit: 3, resumes: false)).train(on: Waves())
    #expect(FileManager.default.fileExists(atPath: folder.file("parts.ft.onnx")))
    let parts = try trainer(texts, options: options("parts", limit: nil, resumes: true))
      .train(on: Waves())
    #expect(parts.steps == whole.steps)
    #expect(parts.state == whole.state)
  }
}
