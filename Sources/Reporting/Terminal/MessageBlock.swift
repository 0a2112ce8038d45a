// SPDX-License-Identifier: Apache-2.0

/// An error or warning as people see it: one line what and where, then indented lines why and what
/// to do.
///
/// ```
/// error: resnet20.onnx: node "Pad_17": pads has 6 values for a rank-4 input (expected 8)
///        the file breaks the ONNX rules for Pad; `swiftlet check resnet20.onnx` lists every such node
/// ```
package struct MessageBlock: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case error, warning
  }

  package var kind: Kind
  package var message: String
  package var reasons: [String]

  package init(kind: Kind, message: String, reasons: [String] = []) {
    self.kind = kind
    self.message = message
    self.reasons = reasons
  }

  /// The block with a line end after each line; long lines are left whole, so that paths and
  /// commands can be copied.
  package func text(for terminal: Terminal = .plain) -> String {
    let paint = Paint(isOn: terminal.hasColour)
    let label = paint("\(kind.rawValue):", kind == .error ? .bad : .strong)
    let indent = String(repeating: " ", count: kind.rawValue.count + 2)
    let messageLines = lines(of: message)
    let first = "\(label) \(messageLines.first ?? "")"
    let rest = (messageLines.dropFirst() + reasons.flatMap(lines(of:))).map { indent + $0 }
    return ([first] + rest).map { $0 + "\n" }.joined()
  }

  private func lines(of text: String) -> [String] {
    text.split(separator: "\n").map { String($0).printable }
  }
}
