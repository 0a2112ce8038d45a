// SPDX-License-Identifier: Apache-2.0
package import GraphIR

/// Nodes chosen by regular expressions on their names.
struct NodeSelector {
  private let patterns: [(text: String, regex: Regex<AnyRegexOutput>)]

  /// - Throws: `QuantizationError.invalidPattern`.
  init(_ patterns: [String]) throws(QuantizationError) {
    var compiled: [(String, Regex<AnyRegexOutput>)] = []
    for pattern in patterns {
      do {
        compiled.append((pattern, try Regex(pattern)))
      } catch {
        throw .invalidPattern(pattern, reason: "\(error)")
      }
    }
    self.patterns = compiled
  }

  func selects(_ name: String) -> Bool { patterns.contains { name.contains($0.regex) } }

  /// - Throws: `QuantizationError.patternMatchesNothing` if a pattern chooses none of the names.
  func check(against names: [String]) throws(QuantizationError) {
    for pattern in patterns where !names.contains(where: { $0.contains(pattern.regex) }) {
      throw .patternMatchesNothing(pattern.text, examples: Array(names.prefix(3)))
    }
  }
}

extension Graph {
  /// The name of a node as reports and options use it: its own, or that of its first output.
  package func label(of node: Node) -> String {
    if !node.name.isEmpty { return node.name }
    return node.outputs.compactMap { $0 }.first.map { self[$0].name } ?? node.op.kind
  }
}
