// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// Chooses feature maps of a network.
///
/// Written as `stages` (the end of each stage), `last` or `middle` (the end of the last stage, or
/// of the one in the middle), `/regular expression/` (a match anywhere in the name), or names with
/// `+` between them.
public enum TapSelector: Sendable, Hashable {
  case stages, last, middle
  case pattern(String)
  case names([String])

  /// - Throws: `CompressionError.invalidPattern`.
  public init(_ text: String) throws(CompressionError) {
    switch text {
    case "stages": self = .stages
    case "last": self = .last
    case "middle": self = .middle
    default:
      guard text.count > 2, text.hasPrefix("/"), text.hasSuffix("/") else {
        self = .names(text.split(separator: "+").map(String.init))
        return
      }
      let pattern = String(text.dropFirst().dropLast())
      guard (try? Regex(pattern)) != nil else {
        throw .invalidPattern(pattern, reason: "it cannot be read")
      }
      self = .pattern(pattern)
    }
  }

  /// The maps that are chosen, in the order of the names given or in that of the network.
  ///
  /// - Parameter network: What messages call it.
  /// - Throws: `DistillationError` naming what is missing and what is there.
  public func chosen(
    from maps: FeatureMaps, of network: String
  ) throws(DistillationError) -> [FeatureMap] {
    let ends = maps.stages.map(\.name)
    let known = ends + maps.all.map(\.name).filter { !ends.contains($0) }
    switch self {
    case .stages, .last, .middle:
      guard let last = maps.stages.last else { throw .noStages(network: network, known: known) }
      switch self {
      case .last: return [last]
      case .middle: return [maps.stages[(maps.stages.count - 1) / 2]]
      default: return maps.stages
      }
    case .pattern(let pattern):
      let found = maps.all.filter { map in
        (try? Regex(pattern)).map { map.name.contains($0) } ?? false
      }
      guard !found.isEmpty else {
        throw .patternMatchesNothing(pattern, network: network, known: known)
      }
      return found
    case .names(let names):
      var found: [FeatureMap] = []
      for name in names {
        guard let map = maps.all.first(where: { $0.name == name }) else {
          throw .unknownTap(name, network: network, known: known)
        }
        found.append(map)
      }
      return found
    }
  }
}

/// Which maps of student and teacher a loss compares, pair by pair.
public struct FeatureTaps: Sendable, Equatable {
  public var student: TapSelector
  public var teacher: TapSelector

  public init(student: TapSelector, teacher: TapSelector) {
    self.student = student
    self.teacher = teacher
  }

  /// What the options `student` and `teacher` of a card say.
  init(_ options: MethodOptions) throws(CompressionError) {
    self.init(
      student: try TapSelector(options.text("student")),
      teacher: try TapSelector(options.text("teacher")))
  }

  /// The options by which taps are chosen.
  static func options(standard: String) -> [MethodOption] {
    ["student", "teacher"].map { network in
      MethodOption(
        network, standard: standard,
        accepted: "stages, last, middle, names with + between, or /regular expression/",
        summary: "feature maps of the \(network)")
    }
  }
}
