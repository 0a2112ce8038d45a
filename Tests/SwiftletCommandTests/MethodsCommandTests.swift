// SPDX-License-Identifier: Apache-2.0
import Foundation
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

  private static let documentation = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Documentation")

  /// Texts of all files in a folder, by path.
  private static func texts(in folder: URL) throws -> [String: String] {
    let prefix = folder.path + "/"
    var texts: [String: String] = [:]
    for case let file as URL in FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: nil) ?? .init()
    where !file.hasDirectoryPath {
      texts[String(file.path.dropFirst(prefix.count))] = try String(
        contentsOf: file, encoding: .utf8)
    }
    return texts
  }

  /// If this fails: `swiftlet methods --pages Documentation/methods --figures \
  /// Documentation/results/methods.csv`.
  @Test("The pages of the documentation are those of the registry and of what was measured")
  func pages() throws {
    let session = try CommandSession()
    let folder = session.folder.file("methods")
    let figures = Self.documentation.appending(path: "results/methods.csv").path
    let result = session("methods", "--pages", folder, "--figures", figures)
    #expect(result.status == 0, "\(result.errors)")
    let made = try Self.texts(in: URL(fileURLWithPath: folder))
    #expect(made.count == MethodCatalog.groups.flatMap(\.cards).count + 1)
    let stored = try Self.texts(in: Self.documentation.appending(path: "methods"))
    #expect(Set(made.keys) == Set(stored.keys))
    for (path, text) in made { #expect(stored[path] == text, "\(path)") }
  }

  @Test("A page shows the figures of its method, with the file that says how they came about")
  func figures() throws {
    let session = try CommandSession()
    let path = session.folder.file("figures.csv")
    let folder = session.folder.file("methods")
    try Data(
      """
      command,method,network,samples,setting,without,with,from
      qat,lsq+,net,10,W4A4,91.5,91.25,x.md

      """.utf8
    ).write(to: URL(fileURLWithPath: path))
    let result = session("methods", "--pages", folder, "--figures", path, "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect((result.object["pages"] as? [Any])?.isEmpty == false)
    let texts = try Self.texts(in: URL(fileURLWithPath: folder))
    let row = "| net | 10 | W4A4 | 91.5 | 91.25 | [x.md](../../results/x.md) |"
    #expect(texts["qat/lsq-plus.md"]?.contains(row) == true)
    #expect(texts["qat/lsq.md"]?.contains("No figures yet.") == true)
    for (_, text) in texts where !text.contains("# lsq+") { #expect(!text.contains("W4A4")) }
  }

  @Test(
    "Figures that cannot be right are named with their line",
    arguments: [
      ("a,b", ":1"), ("qat,lsq,net,10,W4A4,91.5", ":2"), ("qat,lsr,net,10,W4A4,1,2,x.md", "lsr"),
      ("qat,lsq,net,10,W4A4,91.5,good,x.md", "good"),
    ])
  func wrongFigures(line: String, named: String) throws {
    let session = try CommandSession()
    let path = session.folder.file("figures.csv")
    let heading = line == "a,b" ? "" : "command,method,network,samples,setting,without,with,from\n"
    try Data((heading + line + "\n").utf8).write(to: URL(fileURLWithPath: path))
    let folder = session.folder.file("methods")
    let result = session("methods", "--pages", folder, "--figures", path)
    #expect(result.status == 1)
    #expect(result.errors.contains(named), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test("Pages are of all methods, and figures for pages")
  func wrongUsage() throws {
    let session = try CommandSession()
    #expect(session("methods", "lsq", "--pages", "x").status == 2)
    #expect(session("methods", "--figures", "x.csv").status == 2)
  }
}
