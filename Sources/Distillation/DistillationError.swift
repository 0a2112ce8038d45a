// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with a teacher, or with what is compared of teacher and student.
public enum DistillationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The teacher cannot answer for the student's samples and classes.
  case unfitTeacher(name: String, reason: String)
  case noLoss(known: [String])
  case unknownTap(String, network: String, known: [String])
  case patternMatchesNothing(String, network: String, known: [String])
  case noStages(network: String, known: [String])
  case unevenTaps(loss: String, student: [String], teacher: [String])
  /// A tap is no longer in the graph that is trained.
  case lostTap(String)
  case unprepared(loss: String)

  public var description: String {
    switch self {
    case .unfitTeacher(let name, let reason): "teacher \(name): \(reason)"
    case .noLoss(let known):
      "no loss compares student and teacher (accepted: \(known.joined(separator: ", ")))"
    case .unknownTap(let tap, let network, let known):
      "the \(network) has no feature map \"\(tap)\" (there are \(Self.list(known)))"
    case .patternMatchesNothing(let pattern, let network, let known):
      "/\(pattern)/ matches no feature map of the \(network) (there are \(Self.list(known)))"
    case .noStages(let network, let known):
      "the \(network) has no value through which everything passes before its maps shrink; "
        + "name what to compare (there are \(Self.list(known)))"
    case .unevenTaps(let loss, let student, let teacher):
      "\(loss) compares pairs, but the student's are \(Self.list(student)) and the teacher's "
        + "\(Self.list(teacher)) (accepted: as many of each, as student=A+B and teacher=C+D)"
    case .lostTap(let tap): "the graph that is trained has no value \"\(tap)\""
    case .unprepared(let loss):
      "\(loss) has a part that must be trained on the teacher before the student"
    }
  }

  private static func list(_ names: [String]) -> String {
    if names.isEmpty { return "none" }
    return names.count <= 12
      ? names.joined(separator: ", ")
      : names.prefix(12).joined(separator: ", ") + " and \(names.count - 12) more"
  }
}
