// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet

/// An error as a person reads it: what and where, then why and what to do.
package struct CommandError: Error, Equatable, Sendable {
  package var message: String
  package var reasons: [String]
  package var status: ExitStatus

  package init(_ message: String, reasons: [String] = [], status: ExitStatus = .failed) {
    self.message = message
    self.reasons = reasons
    self.status = status
  }

  /// Any error of the modules below, its further lines as reasons and paths as the user gave them.
  package init(describing error: any Error) {
    if let own = error as? CommandError {
      self = own
      return
    }
    var lines = "\(error)".split(separator: "\n").map {
      Self.relative($0.trimmingCharacters(in: .whitespaces))
    }
    let first = lines.isEmpty ? "unknown error" : lines.removeFirst()
    self.init(first, reasons: lines + Self.advice(for: error))
    if case DataError.invalidOption(let option, _, _) = error, option.hasPrefix("--") {
      status = .wrongUsage
    }
    if error is CompressionError || error is QuantizationError, Self.isUsage(error) {
      status = .wrongUsage
    }
  }

  /// The error with the model's file in front, unless it names the file itself.
  package static func naming(_ file: String, _ error: any Error) -> CommandError {
    if error is OnnxError || error is DataError || error is CommandError
      || error is ReportingError
    {
      return CommandError(describing: error)
    }
    var result = CommandError(describing: error)
    if result.status == .failed { result.message = "\(file): \(result.message)" }
    return result
  }

  private static func isUsage(_ error: any Error) -> Bool {
    if error is CompressionError { return true }
    return switch error as? QuantizationError {
    case .unsupportedType, .unsupportedBits, .unknownEstimator, .invalidPattern,
      .patternMatchesNothing:
      true
    default: false
    }
  }

  private static func advice(for error: any Error) -> [String] {
    switch error {
    case CompileError.unsupported:
      ["`swiftlet check` lists every operator of the network and how it runs"]
    default: []
    }
  }

  /// Absolute paths below the current folder as relative ones.
  private static func relative(_ text: String) -> String {
    let folder = FileManager.default.currentDirectoryPath
    return folder == "/" ? text : text.replacing(folder + "/", with: "")
  }
}

extension Console {
  /// Shows a label and its text, also with `--quiet`.
  func showLabelled(_ label: String, _ text: String) throws(ReportingError) {
    if !options.isQuiet { return try say(label, text) }
    try show("\(label)  \(text)")
  }

  func report(_ error: CommandError) {
    switch error.reasons.count {
    case 0: self.error(error.message)
    default: self.error(error.message, error.reasons.joined(separator: "\n"))
    }
  }
}
