// SPDX-License-Identifier: Apache-2.0
import Swiftlet
import SwiftletCommand
import Testing

@Suite("`swiftlet methods` lists what there is")
struct MethodsCommandTests {
  @Test("The list has a row for every method, and JSON every card")
  func list() throws {
    let session = try CommandSession()("methods")
    #expect(session.status == 0)
    for card in MethodCatalog.groups.flatMap(\.cards) {
      #expect(session.output.contains(card.name))
    }
    let json = try CommandSession()("methods", "--json")
    #expect(json.status == 0)
    #expect(json.output.contains("\"chosen_by\""))
  }

  @Test("Every method can be asked for", arguments: MethodCatalog.groups.flatMap(\.cards))
  func one(card: MethodCard) throws {
    let session = try CommandSession()("methods", card.name)
    #expect(session.status == 0)
    #expect(session.output.contains(card.name))
    for option in card.options { #expect(session.output.contains(option.name)) }
  }

  @Test("An unknown method is wrong usage that names those there are")
  func unknown() throws {
    let session = try CommandSession()("methods", "none")
    #expect(session.status == 2)
    #expect(session.errors.contains("minmax"))
  }
}
