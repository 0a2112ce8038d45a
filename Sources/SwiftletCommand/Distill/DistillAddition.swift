// SPDX-License-Identifier: Apache-2.0
import Distillation
import Reporting
import Swiftlet
import Training

/// Lets a teacher take part in training.
struct DistillAddition: TrainAddition {
  let teacher: ModelFile
  let choices: [MethodChoice]

  var files: [String] { [teacher.path] }
  var model: ModelFile? { teacher }

  func add(to trainer: inout Trainer, _ data: TrainData, _ run: TrainRun) throws -> TrainNotes {
    try checkPreprocessing(data, run.console)
    let losses = try choices.map { (choice) throws in
      try DistillationLosses.family.method(for: choice)
    }
    var distillation: Distillation
    do {
      distillation = try Distillation(
        teacher: try Teacher(teacher.graph, name: teacher.name), losses: losses, for: trainer,
        classCount: data.training.classCount)
    } catch {
      throw error is DistillationError
        ? CommandError(describing: error) : CommandError.naming(data.name, error)
    }
    let summary = try NetworkSummary(of: teacher.graph)
    try run.console.say(
      "Teacher",
      "\(teacher.name) · \(Format.count(summary.parameters)) parameters · "
        + "\(Format.count(summary.macs)) MACs")
    let score = try score(distillation.teacher, data, run)
    let taps = taps(of: distillation)
    if !taps.rows.isEmpty { try run.console.show(table(taps)) }
    try prepare(&distillation, trainer, data, run)
    trainer.add(distillation)
    return notes(score, summary, taps)
  }

  /// The teacher's score on what is measured.
  private func score(_ teacher: Teacher, _ data: TrainData, _ run: TrainRun) throws -> Score? {
    guard let test = data.test else { return nil }
    let progress = run.console.progress("Measuring", total: nil)
    let score = try Trainer.score(of: teacher.network, on: test, threads: run.common.threads)
    progress.finish("top-1 \(Format.percent(score.top1)), the teacher's")
    return score
  }

  /// Trains what must be there before the student is trained.
  private func prepare(
    _ distillation: inout Distillation, _ trainer: Trainer, _ data: TrainData, _ run: TrainRun
  ) throws {
    let waiting = distillation.unprepared
    guard !waiting.isEmpty else { return }
    let epochs = waiting.map { $0.preparation(for: data.recipe).epochs }
    try run.console.say(
      "Preparing",
      waiting.map(\.name).joined(separator: ", ")
        + ": a part of it is trained on the teacher alone, without labels")
    let progress = TrainProgress(
      console: run.console, epochs: epochs.max() ?? 0,
      imagesPerStep: data.recipe.batchSize * data.recipe.accumulation)
    let isDone = try distillation.prepare(
      on: data.training, options: trainer.options, report: progress.show)
    if !isDone { throw try run.interrupted(steps: 0) }
  }

  /// - Throws: `CommandError` if the student's file stores another preprocessing than the teacher's.
  private func checkPreprocessing(_ data: TrainData, _ console: Console) throws {
    let stored = try Preprocessing.resolve(
      metadata: teacher.graph.metadata.properties, modelPath: teacher.path,
      kind: data.dataset.kind)
    let used = data.resolution.preprocessing
    switch stored.origin {
    case .metadata, .sidecar: break
    default: return
    }
    guard stored.preprocessing != used else { return }
    let kind = data.dataset.kind
    let words = [
      "the teacher's file: \(stored.preprocessing.description(of: kind))",
      "the student gets: \(used.description(of: kind))",
    ]
    if case .options = data.resolution.origin {
      return console.warn(
        "\(teacher.name): its file stores another preprocessing than the options say",
        words.joined(separator: "\n"))
    }
    throw CommandError(
      "\(teacher.name): its file stores another preprocessing than the student's",
      reasons: words + ["--preprocess or --mean and --std say which is right for both"])
  }

  private func taps(of distillation: Distillation) -> HTMLReport.Listing {
    HTMLReport.Listing(
      title: "What is compared", headings: ["loss", "student", "", "teacher", ""],
      rows: distillation.parts.flatMap { part in
        part.pairs.map { pair in
          [
            part.loss.name, pair.student.name, Self.words(pair.student.shape), pair.teacher.name,
            Self.words(pair.teacher.shape),
          ]
        }
      })
  }

  private static func words(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: "×")
  }

  private func table(_ taps: HTMLReport.Listing) -> Table {
    var table = Table(
      columns: taps.headings.enumerated().map { index, heading in
        Table.Column(heading, fit: index % 2 == 0 ? .keep : .truncate)
      })
    for row in taps.rows { table.rows.append(row.map { Table.Cell($0) }) }
    return table
  }

  private func notes(
    _ score: Score?, _ summary: NetworkSummary, _ taps: HTMLReport.Listing
  ) -> TrainNotes {
    var notes = TrainNotes()
    notes.rows = { own in
      guard let score else { return [] }
      let difference = own.map { "; the student \(Format.points($0.top1 - score.top1)) points" }
      return [
        ("Top-1, teacher", Format.percent(score.top1), "\(teacher.name)" + (difference ?? ""))
      ]
    }
    let losses = choices.map(\.description)
    notes.json = [
      (
        "teacher",
        [
          "network": .string(teacher.name), "parameters": .integer(summary.parameters),
          "macs": .integer(summary.macs),
          "top1": .optional(score.map { JSONValue.percent($0.top1) }),
        ]
      ), ("losses", .array(losses.map { .string($0) })),
      (
        "taps",
        .array(
          taps.rows.map { row in
            [
              "loss": .string(row[0]), "student": .string(row[1]),
              "student_shape": .string(row[2]), "teacher": .string(row[3]),
              "teacher_shape": .string(row[4]),
            ]
          })
      ),
    ]
    if !taps.rows.isEmpty { notes.listings = [taps] }
    notes.facts = [
      HTMLReport.Fact("Teacher", teacher.name),
      HTMLReport.Fact("Losses", losses.joined(separator: ", ")),
    ]
    notes.metadata = [
      "swiftlet.distill": "\(teacher.name): \(losses.joined(separator: ", "))"
    ]
    return notes
  }
}
