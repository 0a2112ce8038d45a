// SPDX-License-Identifier: Apache-2.0
import DataIO
import Foundation
import GraphIR
import OnnxIO
import TensorCore

/// The two files of a checkpoint: a network that can be used, and the state that training goes on
/// from.
///
/// Both carry a generation. A new pair is written beside the old one; the old one is linked to
/// names of its own before the new files take its place, and goes away once both are there. So at
/// every moment two files of one generation exist.
struct CheckpointStore {
  private let stem: String
  private let networkExtension: String

  /// The property of the network's file that holds the generation.
  static let generationProperty = "swiftlet.checkpoint"
  private static let headerKey = "swiftlet.checkpoint"

  init(path: String) {
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    stem = url.deletingPathExtension().path
    networkExtension = url.pathExtension.isEmpty ? "" : ".\(url.pathExtension)"
  }

  private var networkPath: String { stem + networkExtension }
  private var statePath: String { "\(stem).state.safetensors" }

  /// The files under names of their own, `NAME.word.onnx` and `NAME.word.state.safetensors`.
  private func files(_ word: String) -> (network: String, state: String) {
    ("\(stem).\(word)\(networkExtension)", "\(stem).\(word).state.safetensors")
  }

  struct Checkpoint {
    var header: CheckpointHeader
    var tensors: [String: Tensor]
    var networkPath: String
  }
}

extension CheckpointStore {
  /// - Throws: `TrainingError.checkpointUnwritable` if no checkpoint can be written here.
  func checkWritable() throws(TrainingError) {
    let folder = URL(fileURLWithPath: networkPath).deletingLastPathComponent().path
    for path in [networkPath, statePath] where FileManager.default.fileExists(atPath: path) {
      let kind =
        try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
      guard kind == .typeRegular else {
        throw .checkpointUnwritable(path: path, reason: "it is not a plain file")
      }
    }
    guard access(folder, W_OK) == 0 else {
      throw .checkpointUnwritable(path: networkPath, reason: String(cString: strerror(errno)))
    }
  }

  /// Writes a checkpoint; if that fails, the one before it is as it was.
  ///
  /// - Throws: `TrainingError.checkpointUnwritable`.
  func save(
    _ network: Graph, header: CheckpointHeader, tensors: [String: Tensor]
  ) throws(TrainingError) {
    var network = network
    network.metadata.properties[Self.generationProperty] = header.generation
    let (newNetwork, newState) = files("next")
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      let text = String(decoding: try encoder.encode(header), as: UTF8.self)
      try AtomicFile.write(try OnnxModel.serialized(network), to: newNetwork)
      try SafeTensorsFile.write(
        tensors.map { (name: $0.key, tensor: $0.value) }, metadata: [Self.headerKey: text],
        to: newState)
      let (oldNetwork, oldState) = files("previous")
      try link(networkPath, as: oldNetwork)
      try link(statePath, as: oldState)
      try rename(newNetwork, to: networkPath)
      try rename(newState, to: statePath)
      unlink(oldNetwork)
      unlink(oldState)
    } catch {
      unlink(newNetwork)
      unlink(newState)
      throw .checkpointUnwritable(path: networkPath, reason: Self.reason(error))
    }
  }

  /// The checkpoint that is here: of the files of one generation those that were written last; `nil`
  /// where there is no state.
  ///
  /// - Throws: `TrainingError` if there is none that is whole and can be read.
  func load() throws(TrainingError) -> Checkpoint? {
    let previous = files("previous")
    let networks = [networkPath, previous.network].filter(isThere)
    let states = [statePath, previous.state].filter(isThere)
    if states.isEmpty { return nil }
    var generations: [(path: String, generation: String)] = []
    var defect: TrainingError?
    for path in networks {
      do throws(OnnxError) {
        let graph = try OnnxModel.read(contentsOf: URL(fileURLWithPath: path))
        let generation = graph.metadata.properties[Self.generationProperty]
        generations.append((path, generation ?? "none"))
      } catch { defect = .checkpointUnreadable(path: path, defect: "\(error)") }
    }
    var found = generations.map { "\($0.path): \($0.generation)" }
    for path in states {
      do throws(TrainingError) {
        let (header, tensors) = try readState(path)
        if let match = generations.first(where: { $0.generation == header.generation }) {
          try settle(network: match.path, state: path)
          return Checkpoint(header: header, tensors: tensors, networkPath: networkPath)
        }
        found.append("\(path): \(header.generation)")
      } catch { defect = error }
    }
    if let defect { throw defect }
    throw .checkpointTorn(path: networkPath, found: found)
  }

  /// Removes what a kill may have left half-written, and gives the files of one generation their
  /// place back where it fell between the two.
  func repair() {
    let url = URL(fileURLWithPath: stem)
    let folder = url.deletingLastPathComponent().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(url.lastPathComponent + ".next.") {
      unlink(folder + "/" + name)
    }
    _ = try? load()
  }

  /// Moves two files of one generation to where they belong.
  private func settle(network: String, state: String) throws(TrainingError) {
    do throws(CheckpointFailure) {
      if network != networkPath { try rename(network, to: networkPath) }
      if state != statePath { try rename(state, to: statePath) }
    } catch {
      throw .checkpointUnwritable(path: networkPath, reason: Self.reason(error))
    }
  }

  private func readState(
    _ path: String
  ) throws(TrainingError) -> (CheckpointHeader, [String: Tensor]) {
    let contents: (tensors: [String: Tensor], metadata: [String: String])
    do throws(DataError) {
      let file = try SafeTensorsFile(path: path)
      contents = (try file.tensors(), file.metadata)
    } catch {
      throw .checkpointUnreadable(path: path, defect: "\(error)")
    }
    guard let text = contents.metadata[Self.headerKey] else {
      throw .checkpointUnreadable(path: path, defect: "it has no \"\(Self.headerKey)\"")
    }
    do {
      let header = try JSONDecoder().decode(CheckpointHeader.self, from: Data(text.utf8))
      return (header, contents.tensors)
    } catch { throw .checkpointUnreadable(path: path, defect: "\(error)") }
  }

  private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// Gives a file, where it is there, a second name in one go.
  private func link(_ path: String, as name: String) throws(CheckpointFailure) {
    guard isThere(path) else {
      unlink(name)
      return
    }
    unlink(name)
    if Foundation.link(path, name) != 0 { throw CheckpointFailure(code: errno) }
  }

  private func rename(_ path: String, to name: String) throws(CheckpointFailure) {
    if Foundation.rename(path, name) != 0 { throw CheckpointFailure(code: errno) }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let failure as CheckpointFailure: String(cString: strerror(failure.code))
    case DataError.unwritable(_, let code): String(cString: strerror(code))
    default: "\(error)"
    }
  }
}

/// A call of the system that failed.
private struct CheckpointFailure: Error {
  var code: Int32
}
