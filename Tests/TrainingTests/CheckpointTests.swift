// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import GraphIR
import OnnxIO
import TensorCore
import TestSupport
import Testing
import Training

@Suite("A checkpoint")
struct CheckpointTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private var path: String { folder.file("net.onnx") }
  private var files: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) ?? []
  }

  /// A recipe that uses everything with a state.
  private var recipe: TrainingRecipe {
    var recipe = TrainingRecipe.small(epochs: 3)
    recipe.averaging = WeightAveraging(decay: 0.9)
    recipe.optimizer = .adam()
    recipe.learningRate = 0.01
    recipe.reestimationBatches = 2
    return recipe
  }

  private func options(resumes: Bool = false, everyStep: Bool = false) -> TrainerOptions {
    TrainerOptions(
      checkpoints: CheckpointOptions(
        path: path, secondInterval: everyStep ? 0 : nil, resumes: resumes))
  }

  /// Trains until so many updates are made, as if Ctrl-C had been pressed then.
  @discardableResult
  private func train(
    _ recipe: TrainingRecipe, _ options: TrainerOptions, stoppingAfter steps: Int? = nil
  ) throws -> TrainingResult {
    var options = options
    let flag = InterruptFlag()
    options.interrupt = flag
    return try Trainer.interpreted(SmallNetwork.classifier(), recipe, options).train(
      on: MadeBatches(), validation: MadeBatches(seed: 99)
    ) { event in
      if case .stepped(let step) = event, let steps, step.step >= steps { flag.raise() }
    }
  }

  @Test("lets training go on to the same bits, wherever it was stopped", arguments: 1...17)
  func resuming(_ step: Int) throws {
    let whole = try train(recipe, TrainerOptions())
    let first = try train(recipe, options(), stoppingAfter: step)
    #expect(first.ending == .interrupted)
    #expect(first.steps == step)
    let rest = try train(recipe, options(resumes: true))
    #expect(rest.ending == .completed)
    #expect(rest.state == whole.state)
    #expect(rest.history == whole.history)
    #expect(rest.validation == whole.validation)
    #expect(constants(rest.network) == constants(whole.network))
    #expect(files == ["net.onnx", "net.state.safetensors"])
  }

  @Test("of the end gives the result again, and both files are as without a stop")
  func end() throws {
    let once = try train(recipe, options())
    let bytes = try contents()
    #expect(try train(recipe, options(resumes: true)).network.metadata == once.network.metadata)
    #expect(try contents() == bytes)
    for file in files { try FileManager.default.removeItem(atPath: folder.file(file)) }
    try train(recipe, options(), stoppingAfter: 5)
    try train(recipe, options(resumes: true))
    #expect(try contents() == bytes)
  }

  @Test("is found where a kill fell between the two renames")
  func tornPair() throws {
    let whole = try train(recipe, TrainerOptions())
    try train(recipe, options(), stoppingAfter: 4)
    let old = try contents()
    try train(recipe, options(resumes: true), stoppingAfter: 9)
    let new = try contents()
    // The new network is in place, the new state is not; the old pair has names of its own.
    try old[1].write(to: URL(fileURLWithPath: folder.file("net.state.safetensors")))
    try old[0].write(to: URL(fileURLWithPath: folder.file("net.previous.onnx")))
    try old[1].write(to: URL(fileURLWithPath: folder.file("net.previous.state.safetensors")))
    #expect(new[0] != old[0])
    var start: Int?
    var trainer = try Trainer.interpreted(
      SmallNetwork.classifier(), recipe, options(resumes: true))
    trainer.backend = .interpreted
    let rest = try trainer.train(on: MadeBatches(), validation: MadeBatches(seed: 99)) { event in
      if case .started(let overview) = event { start = overview.stepsDone }
    }
    #expect(start == 4)
    #expect(rest.state == whole.state)
    #expect(files == ["net.onnx", "net.state.safetensors"])
  }

  @Test("outlives a second kill at the same place, and what was half-written goes away")
  func tornTwice() throws {
    try train(recipe, options(), stoppingAfter: 4)
    let old = try contents()
    try train(recipe, options(resumes: true), stoppingAfter: 9)
    try old[1].write(to: URL(fileURLWithPath: folder.file("net.state.safetensors")))
    try old[0].write(to: URL(fileURLWithPath: folder.file("net.previous.onnx")))
    try Data([1]).write(to: URL(fileURLWithPath: folder.file("net.next.onnx.partial-1-1")))
    // Goes back to the old pair, then fails before it writes a new one.
    var source = MadeBatches()
    source.brokenBatch = 4
    let trainer = try Trainer.interpreted(
      SmallNetwork.classifier(), recipe, options(resumes: true))
    #expect(throws: DataError.missing(path: "image 4")) {
      try trainer.train(on: source, validation: MadeBatches(seed: 99))
    }
    #expect(try contents() == old)
    #expect(files == ["net.onnx", "net.state.safetensors"])
  }

  @Test("whose files are of different moments is refused")
  func mismatchedPair() throws {
    try train(recipe, options(), stoppingAfter: 4)
    let old = try contents()
    try train(recipe, options(resumes: true), stoppingAfter: 9)
    try old[1].write(to: URL(fileURLWithPath: folder.file("net.state.safetensors")))
    #expect {
      try train(recipe, options(resumes: true))
    } throws: { error in
      guard case .checkpointTorn = error as? TrainingError else { return false }
      return true
    }
  }

  @Test("of another recipe is refused, naming the field")
  func otherRecipe() throws {
    try train(recipe, options(), stoppingAfter: 4)
    var other = recipe
    other.learningRate = 0.02
    #expect(
      throws: TrainingError.checkpointMismatch(
        path: path, what: "learning_rate", saved: "0.01", given: "0.02")
    ) { try train(other, options(resumes: true)) }
  }

  @Test("that cannot be read is refused, naming the file")
  func damaged() throws {
    try train(recipe, options(), stoppingAfter: 4)
    let file = folder.file("net.state.safetensors")
    let half = try Data(contentsOf: URL(fileURLWithPath: file)).prefix(200)
    try half.write(to: URL(fileURLWithPath: file))
    #expect {
      try train(recipe, options(resumes: true))
    } throws: { error in
      guard case .checkpointUnreadable(file, _) = error as? TrainingError else { return false }
      return true
    }
  }

  @Test("that is not there lets training begin anew")
  func nothingThere() throws {
    let result = try train(recipe, options(resumes: true))
    #expect(result.state == (try train(recipe, TrainerOptions())).state)
  }

  @Test("is as it was when the next cannot be written")
  func unwritable() throws {
    try train(recipe, options(), stoppingAfter: 4)
    let old = try contents()
    // A folder under the name of a file that is to be written stands for a disk that refuses.
    try FileManager.default.createDirectory(
      atPath: folder.file("net.next.state.safetensors"), withIntermediateDirectories: false)
    #expect {
      try train(recipe, options(resumes: true))
    } throws: { error in
      guard case .checkpointUnwritable = error as? TrainingError else { return false }
      return true
    }
    #expect(try contents() == old)
    try FileManager.default.removeItem(atPath: folder.file("net.next.state.safetensors"))
    #expect(try train(recipe, options(resumes: true)).ending == .completed)
  }

  @Test("is refused before training where there is no folder for it")
  func noFolder() throws {
    var options = options()
    options.checkpoints?.path = folder.file("nowhere/net.onnx")
    #expect {
      try train(recipe, options)
    } throws: { error in
      guard case .checkpointUnwritable = error as? TrainingError else { return false }
      return true
    }
  }

  @Test("is kept when data cannot be read")
  func brokenData() throws {
    try train(recipe, options(), stoppingAfter: 7)
    let old = try contents()
    let trainer = try Trainer.interpreted(
      SmallNetwork.classifier(), recipe, options(resumes: true))
    var source = MadeBatches()
    source.brokenBatch = 4
    #expect(throws: DataError.missing(path: "image 4")) {
      try trainer.train(on: source, validation: MadeBatches(seed: 99))
    }
    #expect(try contents() == old)
  }

  @Test("is written after every update if no time may pass")
  func timeInterval() throws {
    var saved: [Int] = []
    _ = try Trainer.interpreted(
      SmallNetwork.classifier(), .small(epochs: 1), options(everyStep: true)
    ).train(on: MadeBatches()) { event in
      if case .saved(_, let step) = event { saved.append(step) }
    }
    #expect(saved == [1, 2, 3, 4, 5, 6, 6])
  }

  private func contents() throws -> [Data] {
    try ["net.onnx", "net.state.safetensors"].map {
      try Data(contentsOf: URL(fileURLWithPath: folder.file($0)))
    }
  }

  private func constants(_ graph: Graph) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for id in graph.valueIDs { result[graph[id].name] = graph[id].constant }
    return result
  }
}
