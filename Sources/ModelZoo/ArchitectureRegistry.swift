// SPDX-License-Identifier: Apache-2.0

/// Every network of the zoo.
public enum ArchitectureRegistry {
  /// The networks, family by family.
  public static let all: [Architecture] = [
    ResidualNetwork.architectures, SmallResidualNetwork.architectures,
    WideResidualNetwork.architectures, DenseNetwork.architectures, SqueezeNetwork.architectures,
    MobileNetworkV1.architectures, MobileNetworkV2.architectures, MobileNetworkV3.architectures,
    ShuffleNetworkV1.architectures, ShuffleNetworkV2.architectures, MnasNetwork.architectures,
    VGGNetwork.architectures, SmallVGGNetwork.architectures, NetworkInNetwork.architectures,
    LeNetwork.architectures, AdderNetwork.architectures,
  ].flatMap { $0 }

  /// The network with a name.
  ///
  /// - Throws: `ZooError.unknownArchitecture` with the names that are most like it.
  public static func architecture(named name: String) throws(ZooError) -> Architecture {
    if let found = all.first(where: { $0.name == name }) { return found }
    throw .unknownArchitecture(name: name, near: names(near: name))
  }

  /// Up to five names that contain the text, or differ from it in few characters, nearest first.
  private static func names(near text: String) -> [String] {
    let wanted = plain(text)
    guard !wanted.isEmpty else { return [] }
    let ranked = all.enumerated().compactMap { place, architecture -> (Int, Int, String)? in
      let name = plain(architecture.name)
      let distance = editDistance(name, wanted)
      guard distance <= max(2, wanted.count / 3) || name.contains(wanted) else { return nil }
      return (distance, place, architecture.name)
    }
    return ranked.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(5).map(\.2)
  }

  /// Letters and digits, in lower case.
  private static func plain(_ text: String) -> String {
    text.lowercased().filter { $0.isLetter || $0.isNumber }
  }

  /// Levenshtein's distance: insertions, removals and replacements of one character.
  private static func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, character) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for position in right.indices {
        let replaced = diagonal + (character == right[position] ? 0 : 1)
        diagonal = row[position + 1]
        row[position + 1] = min(replaced, diagonal + 1, row[position] + 1)
      }
    }
    return row[right.count]
  }
}
