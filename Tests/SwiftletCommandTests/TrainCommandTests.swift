// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet
import SwiftletCommand
import Testing

@Suite("The command train")
struct TrainCommandTests {
  private let session: CommandSession

  init() throws { session = try CommandSession() }

  /// A command that trains the small classifier on 96 samples, 12 batches of 8 an epoch.
  private func command(_ output: String, _ others: String...) throws -> [String] {
    [
      "train", "--model", try session.model(), "--data", try session.data(count: 96), "-o",
      session.folder.file(output), "--batch", "8", "--epochs", "2",
    ] + others
  }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: session.folder.file(name)))
  }

  @Test("It says what it will do, shows epochs, writes a network and a page")
  func words() throws {
    let page = session.folder.file("page.html")
    let result = session(try command("tuned.onnx", "--report", page, "--validation", "0.25"))
    #expect(result.status == 0, "\(result.errors)")
    for label in [
      "Data", "Preprocessing", "Recipe", "This machine", "Training", "Top-1", "Written", "Next",
    ] {
      #expect(result.output.contains("\n\(label)"), "\(label)")
    }
    let words = result.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    #expect(words.contains("read back: identical outputs"))
    #expect(result.errors.contains("Epoch 2/2"))
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("<svg"))
    let graph = try OnnxModel.read(
      contentsOf: URL(fileURLWithPath: session.folder.file("tuned.onnx")))
    let original = try OnnxModel.read(contentsOf: URL(fileURLWithPath: try session.model()))
    #expect(graph.nodes.map(\.name) == original.nodes.map(\.name))
    #expect(graph.metadata.properties["swiftlet.recipe"]?.contains("batch_size: 8") == true)
  }

  @Test("With --json there is one object with scores and history")
  func json() throws {
    let result = session(
      try command(
        "tuned.onnx", "--evaluate-on", session.folder.file("data.npz"), "--json", "--quiet"))
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.object["steps"] as? Int == 24)
    #expect((result.object["history"] as? [Any])?.count == 2)
    let before = result.object["before"] as? [String: Any] ?? [:]
    let test = result.object["test"] as? [String: Any] ?? [:]
    // The labels are those that the network gives, so it starts with all of them right.
    #expect(before["top1"] as? Double == 100)
    #expect(test["top1"] as? Double ?? 0 >= 90)
    #expect(test["count"] as? Int == 96)
  }

  @Test("Stopped and resumed it writes the same bytes, with any number of threads")
  func resumed() throws {
    let whole = session(try command("a.onnx", "--quiet", "--threads", "1"))
    #expect(whole.status == 0, "\(whole.errors)")
    let log = session.folder.file("log.csv")
    let options = ["--quiet", "--threads", "2", "--log", log]
    let first = session(try command("b.onnx") + options + ["--steps", "17"])
    #expect(first.status == 0, "\(first.errors)")
    #expect(try bytes("a.onnx") != bytes("b.onnx"))
    let second = session(try command("b.onnx") + options + ["--resume"])
    #expect(second.status == 0, "\(second.errors)")
    #expect(try bytes("a.onnx") == bytes("b.onnx"))
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.last?.hasPrefix("2,24,") == true)
  }

  @Test("Without a checkpoint --resume warns and begins")
  func nothingToResume() throws {
    let result = session(try command("d.onnx", "--resume", "--steps", "1", "--quiet"))
    #expect(result.status == 0)
    #expect(result.errors.contains("no checkpoint to go on from"))
  }

  @Test("Event files grow in the folder that is named")
  func tensorBoard() throws {
    let folder = session.folder.file("runs/one")
    let result = session(try command("c.onnx", "--quiet", "--tensorboard", folder))
    #expect(result.status == 0, "\(result.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(files.count == 1 && files[0].hasPrefix("events.out.tfevents."))
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + files[0]))
    // The version, the start, a record for each of 24 steps and 2 epochs.
    #expect(data.range(of: Data("top1/training".utf8)) != nil)
    var records = 0
    var place = data.startIndex
    while place < data.endIndex {
      let length = data[place..<place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      place += length + 16
      records += 1
    }
    #expect(records == 2 + 24 + 2)
  }

  @Test("A network of the zoo takes its shape and classes from the data")
  func zoo() throws {
    let folder = session.folder.file("shapes")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try DrawnShapes.write(trainingCount: 40, testCount: 10, seed: 1, to: folder)
    let output = session.folder.file("lenet.onnx")
    let result = session(
      "train", "--arch", "lenet5", "--data", folder, "-o", output, "--batch", "20", "--steps", "1",
      "--epochs", "1", "--json", "--quiet")
    #expect(result.status == 0, "\(result.errors)")
    #expect((result.object["test"] as? [String: Any])?["count"] as? Int == 10)
    let graph = try OnnxModel.read(contentsOf: URL(fileURLWithPath: output))
    let interface = try NetworkInterface(of: graph)
    #expect(interface.sampleShape == [3, 32, 32])
    #expect(interface.classCount == 10)
    #expect(try Preprocessing(metadata: graph.metadata.properties) == .cifar10)
  }

  @Test("What cannot be done is said before the work")
  func errors() throws {
    let data = try session.data(count: 20)
    let model = try session.model()
    let output = session.folder.file("x.onnx")
    func message(_ arguments: String...) -> String {
      let result = session(["train"] + arguments)
      #expect(result.status != 0)
      #expect(!FileManager.default.fileExists(atPath: output))
      return result.errors
    }
    #expect(message("--arch", "resnt20", "--data", data, "-o", output).contains("resnet20"))
    #expect(
      message("--model", model, "--data", data, "-o", output)
        .contains("20 samples do not fill one batch of 128"))
    #expect(
      message("--model", model, "--data", data, "-o", model).contains("the network that is given"))
    #expect(
      message("--model", model, "--data", data, "-o", output, "--lr=-1").contains("learning_rate"))
    #expect(
      message(
        "--model", model, "--data", data, "-o", output, "--batch", "4", "--augment", "mixup=x"
      )
      .contains("--augment mixup=x"))
    #expect(
      message("--model", model, "--data", data, "-o", output, "--batch", "4", "--log", "/nowhere/a")
        .contains("/nowhere/a: its folder does not exist"))
  }
}

@Suite("The command demo")
struct DemoCommandTests {
  @Test("It can draw its data set and stop")
  func dataOnly() throws {
    let session = try CommandSession()
    let folder = session.folder.file("demo")
    let result = session(
      "demo", "--output-dir", folder, "--samples", "100", "--test-samples", "10", "--data-only",
      "--json", "--seed", "3")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.object["samples"] as? Int == 100)
    let set = try Dataset.open(folder + "/data", split: .train)
    #expect(set.count == 100)
    #expect(try set.sample(at: 5) == .image(DrawnShapes.picture(at: 5, seed: 3)))
  }
}
