// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Foundation
import Testing

@Suite("Methods are chosen by name and options")
struct MethodTests {
  struct Softening: Sendable, Equatable {
    var temperature: Double
    var isHard: Bool
  }

  static let card = MethodCard(
    name: "soft", summary: "Softens.", paper: "nobody", shrinks: "nothing", speedsUp: "nothing",
    options: [
      MethodOption("T", standard: "4", accepted: "1…20", summary: "temperature"),
      MethodOption("hard", standard: "false", accepted: "true, false", summary: "adds labels"),
    ])
  static let family = MethodFamily<Softening>(
    "softening",
    [
      .init(card) { (options) throws(CompressionError) in
        Softening(
          temperature: try options.number("T", in: 1...20), isHard: try options.flag("hard"))
      }
    ])

  @Test("Text on the command line and mappings in recipes mean the same")
  func forms() throws {
    let text = try MethodChoice(parsing: "soft:T=2.5,hard=true")
    let json = Data(#"[{"kind":"soft","T":2.5,"hard":true},"soft:hard=true,T=2.5"]"#.utf8)
    let decoded = try JSONDecoder().decode([MethodChoice].self, from: json)
    #expect(decoded == [text, text])
    #expect(try Self.family.method(for: text) == Softening(temperature: 2.5, isHard: true))
    #expect(text.description == "soft:T=2.5,hard=true")
    #expect(try MethodChoice(parsing: text.description) == text)
  }

  @Test("Options that are left out have the card's defaults")
  func defaults() throws {
    #expect(
      try Self.family.method(for: MethodChoice("soft")) == Softening(temperature: 4, isHard: false))
  }

  @Test(
    "Wrong choices are errors that say what is accepted",
    arguments: [
      ("hard", "no softening is named \"hard\" (known: soft)"),
      ("soft:t=2", "soft has no option \"t\" (accepted: T, hard)"),
      ("soft:T=0", "soft: T=0 (accepted: 1…20)"), ("soft:T=nan", "soft: T=nan (accepted: 1…20)"),
      ("soft:hard=yes", "soft: hard=yes (accepted: true, false)"),
    ])
  func errors(text: String, message: String) throws {
    let choice = try MethodChoice(parsing: text)
    let error = #expect(throws: CompressionError.self) { try Self.family.method(for: choice) }
    #expect(error?.description == message)
  }

  @Test("Malformed text is refused", arguments: ["", ":T=1", "soft:T", "soft:T=1,T=2", "soft:,"])
  func malformed(text: String) {
    #expect(throws: CompressionError.malformedChoice(text)) { try MethodChoice(parsing: text) }
  }
}

@Suite("Layers are selected by name, pattern, operator and place")
struct LayerSelectorTests {
  private let layers = [("stem", "Conv"), ("layer1.conv1", "Conv"), ("layer1.fc", "Gemm")]
    .enumerated().map {
      LayerPosition(name: $0.element.0, kind: $0.element.1, index: $0.offset, count: 3)
    }

  @Test(
    "Each form selects what it says",
    arguments: [
      ("all", [0, 1, 2]), ("first", [0]), ("last", [2]), ("op:Conv", [0, 1]), ("/layer1/", [1, 2]),
      ("stem", [0]), ("layer1", []),
    ])
  func forms(text: String, wanted: [Int]) throws {
    let selector = try LayerSelector(text)
    #expect(layers.filter(selector.selects).map(\.index) == wanted)
    #expect(selector.description == text)
  }

  @Test("A selector of nothing and a wrong pattern are errors")
  func errors() throws {
    #expect(throws: CompressionError.self) { try LayerSelector("/(/") }
    let selector = try LayerSelector("op:MatMul")
    #expect(throws: CompressionError.self) { try selector.check(against: layers) }
  }
}
