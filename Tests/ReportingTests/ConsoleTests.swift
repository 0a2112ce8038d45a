// SPDX-License-Identifier: Apache-2.0

import Reporting
import Testing

@Suite("The console keeps words and the JSON object apart")
struct ConsoleTests {
  private let output = TextBuffer()
  private let errors = TextBuffer()

  private func console(
    _ options: Console.Options, errorTerminal: Terminal = .plain
  ) -> Console {
    Console(
      options: options, output: .init(sink: output.sink, terminal: .plain),
      errors: .init(sink: errors.sink, terminal: errorTerminal), clock: { 0 })
  }

  private func speak(_ console: Console) throws {
    try console.say("Recipe", "static int8")
    try console.detail("detail")
    try console.show("result")
    try console.object(["a": 1])
    console.warn("few samples")
  }

  @Test("Words go to standard output")
  func plain() throws {
    try speak(console(.init()))
    #expect(output.text == "Recipe          static int8\nresult\n")
    #expect(errors.text == "warning: few samples\n")
  }

  @Test("With JSON only the object goes to standard output")
  func json() throws {
    try speak(console(.init(isJSON: true, isVerbose: true)))
    #expect(output.text == "{\n  \"a\": 1\n}\n")
    #expect(
      errors.text == "Recipe          static int8\ndetail\nresult\nwarning: few samples\n")
  }

  @Test("Quiet leaves the result and the warnings")
  func quiet() throws {
    try speak(console(.init(isQuiet: true)))
    #expect(output.text == "result\n")
    #expect(errors.text == "warning: few samples\n")
  }

  @Test("Labelled words wrap under themselves")
  func labelled() throws {
    let long = Array(repeating: "activations uint8", count: 9).joined(separator: " · ")
    try console(.init()).say("Recipe", long)
    let lines = output.text.split(separator: "\n").map(String.init)
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { $0.displayWidth <= 100 })
    #expect(lines[1].hasPrefix(String(repeating: " ", count: 16)))
  }

  @Test("An error is what and where, then why and what to do")
  func errorBlock() {
    console(.init()).error("a.onnx: node \"x\u{1b}\": bad", "the rule", "what to do")
    #expect(
      errors.text == """
        error: a.onnx: node "x\\u{1b}": bad
               the rule
               what to do

        """)
  }

  @Test("Words appear above a bar that is being drawn")
  func interleaved() throws {
    let terminal = Terminal(isInteractive: true, hasColour: false)
    let console = console(.init(), errorTerminal: terminal)
    let progress = console.progress("Calibrating", total: 10)
    console.warn("w")
    let erase = "\r\u{1b}[2K"
    let bar = "Calibrating     \(String(repeating: "░", count: 32))  0/10"
    #expect(errors.text == erase + bar + erase + "warning: w\n" + bar)
    progress.finish("done")
    #expect(errors.text.hasSuffix(erase + "Calibrating     done\n"))
  }

  @Test("A full disk is an error, not silence")
  func fullDisk() {
    struct Full: Error {}
    let sink = TextSink { _ in throw Full() }
    let console = Console(
      options: .init(isJSON: true), output: .init(sink: sink, terminal: .plain),
      errors: .init(sink: errors.sink, terminal: .plain))
    #expect(throws: ReportingError.self) { try console.object(["a": 1]) }
  }

  @Test("Colour needs a capable terminal and no NO_COLOR")
  func terminals() {
    func detect(_ isTerminal: Bool, _ environment: [String: String]) -> Terminal {
      Terminal(isTerminal: isTerminal, columns: 120, environment: environment)
    }
    #expect(detect(true, ["TERM": "xterm"]).hasColour)
    #expect(!detect(true, ["NO_COLOR": "1"]).hasColour)
    #expect(detect(true, ["NO_COLOR": ""]).hasColour)
    #expect(!detect(false, [:]).hasColour)
    #expect(!detect(true, ["TERM": "dumb"]).isInteractive)
    #expect(detect(true, [:]).width == 100)
  }
}
