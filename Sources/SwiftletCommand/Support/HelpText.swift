// SPDX-License-Identifier: Apache-2.0

/// Help as people read it: examples first, then what the command is for and its options.
enum HelpText {
  /// The generated text with its usage, which holds examples, moved to the top.
  ///
  /// Text without both sections, such as a version, stays as it is.
  static func examplesFirst(_ text: String) -> String {
    let sections = text.split(separator: "\n\n", omittingEmptySubsequences: true).map(String.init)
    guard let usage = sections.firstIndex(where: { $0.hasPrefix(usageTitle) }),
      let overview = sections.first, overview.hasPrefix(overviewTitle), usage > 0
    else { return text }
    let examples = sections[usage].dropFirst(usageTitle.count).split(separator: "\n").map {
      "  " + $0.drop { $0 == " " }
    }
    let abstract = String(overview.dropFirst(overviewTitle.count))
    let rest = sections[1..<usage] + sections[(usage + 1)...]
    return ([examples.joined(separator: "\n"), abstract] + rest).joined(separator: "\n\n")
  }

  private static let usageTitle = "USAGE: "
  private static let overviewTitle = "OVERVIEW: "
}
