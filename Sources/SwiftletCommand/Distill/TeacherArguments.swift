// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Distillation
import Swiftlet

/// Which network is learnt from, and how.
package struct TeacherArguments: ParsableArguments {
  @Option(help: ArgumentHelp("The network to learn from.", valueName: "model.onnx"))
  package var teacher: String?

  @Option(
    name: .customLong("loss"), parsing: .singleValue,
    help: ArgumentHelp(
      "How student and teacher are compared: kd, at, sp, ft or hint, with options; may be repeated "
        + "(default: kd).", valueName: "name:option=value,…"))
  package var losses: [String] = []

  package init() {}

  package func validate() throws {
    if teacher == nil, let loss = losses.first {
      throw ValidationError("--loss \(loss): it takes a --teacher to compare with")
    }
    for text in chosen {
      do { _ = try DistillationLosses.family.method(for: MethodChoice(parsing: text)) } catch {
        throw ValidationError("--loss \(text): \(error)")
      }
    }
  }

  private var chosen: [String] { losses.isEmpty ? ["kd"] : losses }

  /// The teacher's part in training; `nil` without one.
  func addition() throws -> (any TrainAddition)? {
    guard let teacher else { return nil }
    return DistillAddition(
      teacher: try ModelFile(teacher), choices: try chosen.map { try MethodChoice(parsing: $0) })
  }
}
