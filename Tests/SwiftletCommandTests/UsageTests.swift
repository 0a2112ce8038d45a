// SPDX-License-Identifier: Apache-2.0
import SwiftletCommand
import Testing

@Suite("Usage: help, wrong arguments and exit statuses")
struct UsageTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  @Test("Help starts with three commands to copy and fits a screen", arguments: ["--help", "help"])
  func help(argument: String) {
    let result = session(argument)
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    #expect(lines.prefix(3).allSatisfy { $0.hasPrefix("  swiftlet ") })
    #expect(lines.count <= 45)
  }

  @Test("Without arguments there is help")
  func nothing() {
    let result = session()
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("  swiftlet "))
  }

  @Test(
    "Each command's help begins with an example",
    arguments: [
      "inspect", "check", "quantize", "evaluate", "bench", "run", "doctor", "demo", "zoo",
      "train", "distill", "qat", "apply", "compare", "convert", "methods",
    ])
  func commandHelp(name: String) {
    let result = session(name, "--help")
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("  swiftlet \(name)"))
    #expect(result.output.contains("--json"))
    for line in result.output.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
  }

  @Test(
    "Wrong usage has status 2 and says what is accepted",
    arguments: [
      ["bogus"], ["evaluate"], ["bench", "x.onnx", "--precision", "int7"],
      ["bench", "x.onnx", "--batch", "0"], ["bench", "x.onnx", "--threads", "0"],
      ["quantize", "x.onnx", "-o", "y.onnx"],
      ["quantize", "x.onnx", "-o", "y.onnx", "--data", "d", "--weights", "9"],
      ["quantize", "x.onnx", "-o", "y.onnx", "--data", "d", "--estimator", "guess"],
      ["quantize", "x.onnx", "-o", "y.onnx", "--data", "d", "--mode", "magic"],
      ["quantize", "x.onnx", "-o", "y.onnx", "--data", "d", "--keep-float", "("],
      ["quantize", "x.onnx", "-o", "y.onnx", "--data", "d", "--max-drop", "-1"],
      ["train", "--data", "d", "-o", "y.onnx"], ["train", "--arch", "resnet20", "-o", "y.onnx"],
      ["train", "--arch", "resnet20", "--model", "x.onnx", "--data", "d", "-o", "y.onnx"],
      ["train", "--model", "x.onnx", "--width", "2", "--data", "d", "-o", "y.onnx"],
      ["train", "--arch", "resnet20", "--input", "32x32", "--data", "d", "-o", "y.onnx"],
      ["train", "--arch", "resnet20", "--steps", "0", "--data", "d", "-o", "y.onnx"],
      ["distill", "--student", "resnet20", "--data", "d", "-o", "y.onnx"],
      ["distill", "--teacher", "t.onnx", "--student", "s", "--data", "d"],
      [
        "distill", "--teacher", "t.onnx", "--student", "s", "--data", "d", "-o", "y.onnx", "--loss",
        "kd:T=-1",
      ],
      ["compare", "x.onnx", "--data", "d"], ["compare", "x.onnx", "y.onnx"],
      ["zoo", "bogus"], ["zoo", "export", "resnet20"],
      ["convert", "x.onnx"], ["convert", "x.onnx", "-o", "y.onnx", "--opset", "6"],
      ["convert", "x.onnx", "-o", "y.onnx", "--opset", "29"],
      ["zoo", "export", "resnet21", "-o", "y.onnx"],
      ["zoo", "export", "resnet20", "-o", "y.onnx", "--input", "32x32"],
      ["zoo", "export", "resnet20", "-o", "y.onnx", "--width", "2"],
      ["zoo", "export", "lenet5", "-o", "y.onnx", "--input", "1x4x4"],
      ["zoo", "export", "resnet20", "-o", "y.onnx", "--classes", "0"],
    ])
  func wrongUsage(arguments: [String]) {
    let result = session(arguments)
    #expect(result.status == 2, "\(result.errors)")
    #expect(result.errors.hasPrefix("error: "))
    #expect(result.output.isEmpty)
  }

  @Test("The message of a wrong bit width")
  func bitWidth() {
    let result = session("quantize", "x.onnx", "-o", "y.onnx", "--data", "d", "--weights", "9")
    #expect(result.errors == "error: --weights 9: supported bit widths are 8 and 16\n")
  }

  @Test("A missing file has status 1 and is named", arguments: ["inspect", "check", "bench"])
  func missingFile(name: String) {
    let result = session(name, "/nowhere/net.onnx")
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("error: cannot read /nowhere/net.onnx: "))
  }
}
