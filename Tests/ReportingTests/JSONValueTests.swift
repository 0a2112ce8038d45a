// SPDX-License-Identifier: Apache-2.0

import Foundation
import Reporting
import Testing

@Suite("JSON objects keep their order and are always valid")
struct JSONValueTests {
  @Test("A worked case")
  func worked() {
    let value: JSONValue = [
      "zeta": 1, "alpha": [1, 2.5, nil], "layers": [["name": "conv"]], "empty": [], "none": [:],
    ]
    #expect(
      value.text() == """
        {
          "zeta": 1,
          "alpha": [1, 2.5, null],
          "layers": [
            {
              "name": "conv"
            }
          ],
          "empty": [],
          "none": {}
        }
        """)
    #expect(
      value.text(isIndented: false)
        == #"{"zeta":1,"alpha":[1,2.5,null],"layers":[{"name":"conv"}],"empty":[],"none":{}}"#)
  }

  @Test(
    "Strings are escaped",
    arguments: [
      ("a\"b\\c", #""a\"b\\c""#), ("\n\t\r", #""\n\t\r""#), ("\u{0}\u{1b}", #""\u0000\u001b""#),
      ("\u{2028}", #""\u2028""#), ("層🙂", "\"層🙂\""),
    ])
  func strings(_ string: String, _ text: String) {
    #expect(JSONValue.string(string).text() == text)
  }

  @Test(
    "Values that JSON has no number for are null", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(_ value: Double) { #expect(JSONValue.number(value).text() == "null") }

  @Test("Numbers read back as the same value", arguments: [0.1, 1e-300, 1e22, -0.0, 92.6, 1.0 / 3])
  func numbers(_ value: Double) { #expect(Double(JSONValue.number(value).text()) == value) }

  @Test("Setting a member replaces it in place, nil removes it")
  func members() {
    var value: JSONValue = ["a": 1, "b": 2]
    value["a"] = "x"
    value["c"] = nil
    value["d"] = true
    value["b"] = nil
    #expect(value.text(isIndented: false) == #"{"a":"x","d":true}"#)
    #expect(value["a"] == "x")
    #expect(value["b"] == nil)
  }

  @Test("Another reader accepts hostile names")
  func foreignReader() throws {
    let name = "conv\"\\\u{0}\u{1b}</script>\u{2029}"
    let text = JSONValue.object([.init(name, .string(name))]).text()
    let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String]
    #expect(read == [name: name])
  }
}
