// SPDX-License-Identifier: Apache-2.0
public import CompressionCore

/// Which network a step of a recipe learns from, and how: `{teacher: FILE, losses: […]}`.
public struct DistillationOptions: Sendable, Equatable {
  /// The teacher's file, unless it is given otherwise.
  public var teacher: String?

  /// How student and teacher are compared; the losses add up.
  public var losses = [MethodChoice("kd")]

  public init(teacher: String? = nil, losses: [MethodChoice] = [MethodChoice("kd")]) {
    self.teacher = teacher
    self.losses = losses
  }

  /// Checks the losses and their options.
  ///
  /// - Throws: `CompressionError`.
  public func validate() throws(CompressionError) {
    guard !losses.isEmpty else {
      throw .invalidOption(
        "losses", method: "distillation", found: "[]",
        accepted: "a list of "
          + DistillationLosses.family.cards.map(\.name).joined(separator: ", "))
    }
    for loss in losses { _ = try DistillationLosses.family.method(for: loss) }
  }
}

extension DistillationOptions: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case teacher, losses }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }

  /// Reads options of which any may be left out; those have their defaults.
  public init(from decoder: any Decoder) throws {
    let known = CodingKeys.allCases.map(\.rawValue)
    let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    if let unknown = given.sorted().first(where: { !known.contains($0) }) {
      throw CompressionError.unknownOption(unknown, method: "distillation", accepted: known)
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      teacher: try container.decodeIfPresent(String.self, forKey: .teacher),
      losses: try container.decodeIfPresent([MethodChoice].self, forKey: .losses)
        ?? [MethodChoice("kd")])
    try validate()
  }
}
