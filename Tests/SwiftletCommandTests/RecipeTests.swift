// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet
import SwiftletCommand
import TestSupport
import Testing
import Training

@Suite("Recipes of training")
struct RecipeTests {
  private func arguments(_ words: String...) throws -> RecipeArguments {
    try RecipeArguments.parse(words)
  }

  private static let shipped: [String] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let folder = root.appending(path: "Recipes")
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
      .map { folder.appending(path: $0).path }
  }()

  @Test("Every recipe that comes with the package is read and written back as it is")
  func shipped() throws {
    #expect(Self.shipped.count >= 4)
    for path in Self.shipped {
      if try String(contentsOfFile: path, encoding: .utf8).contains("\nsteps:") {
        let plan = try RecipeFile(path: path).decoded(as: CompressionRecipe.self)
        #expect(!plan.steps.isEmpty, "\(path)")
        continue
      }
      let recipe = try RecipeFile(path: path).recipe()
      var again = RecipeFile()
      for line in try recipe.lines() {
        let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
        try again.set([parts[0]], to: parts[1], option: line)
      }
      #expect(try again.recipe() == recipe, "\(path)")
    }
  }

  @Test("Options override the fields of the file, and what nobody says suits the data")
  func precedence() throws {
    let folder = try ScratchFolder()
    let path = folder.file("r.yaml")
    try Data("epochs: 7\nlearning_rate: 0.5\nschedule: {kind: linear}\n".utf8)
      .write(to: URL(fileURLWithPath: path))
    let recipe = try arguments(
      "--recipe", path, "--lr", "0.25", "--batch", "32", "--optimizer", "adamw", "--set",
      "schedule.end=0.125", "--ema", "0.99"
    ).resolved(seed: 9, standardRate: nil, kind: .cifar)
    #expect(recipe.epochs == 7 && recipe.learningRate == 0.25 && recipe.batchSize == 32)
    #expect(recipe.optimizer == .adamW() && recipe.seed == 9)
    #expect(recipe.schedule == LearningRateSchedule(.linear(end: 0.125)))
    #expect(recipe.averaging?.decay == 0.99)
    #expect(recipe.augmentation == .cifar)
    let plain = try arguments().resolved(seed: nil, standardRate: "0.001", kind: .idx)
    #expect(plain.learningRate == 0.001 && plain.augmentation.isNone)
    #expect(plain.seed == TrainingRecipe().seed)
    let tuned = try arguments("--recipe", path)
      .resolved(seed: nil, standardRate: "0.001", kind: .idx)
    #expect(tuned.learningRate == 0.5)
  }

  @Test("Augmentation in words")
  func augmentation() throws {
    let words = "pad-crop=2,flip,cutout,mixup=0.5,random-resized-crop=0.25,color-jitter=0.1"
    let recipe = try arguments("--augment", words + ",random-erasing")
      .resolved(seed: nil, standardRate: nil, kind: .cifar)
    var expected = AugmentationOptions()
    expected.padCrop = 2
    expected.horizontalFlip = true
    expected.cutout = 16
    expected.mixup = 0.5
    expected.randomResizedCrop = .init(scale: [0.25, 1])
    expected.colorJitter = .init(brightness: 0.1, contrast: 0.1, saturation: 0.1)
    expected.randomErasing = .init()
    #expect(recipe.augmentation == expected)
    let none = try arguments("--augment", "none")
      .resolved(seed: nil, standardRate: nil, kind: .images)
    #expect(none.augmentation.isNone)
  }

  @Test("A broken file is named, with the field and what it takes")
  func broken() throws {
    let folder = try ScratchFolder()
    for (text, word) in [
      ("epochs: many", "epochs"), ("epocs: 3", "epocs"), ("- 1\n- 2", "mapping"),
      ("epochs: [", "YAML"), ("a: &a 1", "anchors"), ("optimizer: {kind: sdg}", "adamw"),
      ("augmentation: {pad: 4}", "pad_crop"), ("learning_rate: 0", "above 0"),
    ] {
      let path = folder.file("broken.yaml")
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: CommandError.self) { try RecipeFile(path: path).recipe() }
      #expect(error?.message.contains("broken.yaml") == true)
      let words = ([error?.message ?? ""] + (error?.reasons ?? [])).joined()
      #expect(words.contains(word), "\(text): \(words)")
    }
    #expect(throws: CommandError.self) { try RecipeFile(path: folder.file("missing.yaml")) }
  }
}
