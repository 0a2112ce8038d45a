// SPDX-License-Identifier: Apache-2.0
import Reporting
import Swiftlet

/// One network of a comparison, and what was measured of it.
struct ComparedNetwork {
  var path: String
  var name: String
  var summary: NetworkSummary
  var bytes: Int
  var precision: Precision
  var preprocessing: String
  var evaluation: Evaluation
  var latency: Latency
}

/// Measures networks one after the other, and their latencies in turn.
struct CompareRun {
  let command: CompareCommand
  let console: Console

  func networks() throws -> [ComparedNetwork] {
    var networks: [(ModelFile, NetworkSummary, Precision, String, Evaluation)] = []
    var compiled: [CompiledModel] = []
    for path in command.models {
      let file = try ModelFile(path)
      let set = try Measured(
        file: file, path: command.data, preprocessing: try command.preprocessing.options(),
        samples: command.samples, seed: command.common.seed)
      if compiled.isEmpty {
        try console.say("Data", set.evaluator.loader.dataset.description)
        for note in set.evaluator.loader.dataset.notes { try console.say("", note) }
      }
      for warning in set.warnings { console.warn("\(file.name): \(warning)") }
      do {
        let portable = try file.graph.portable()
        let precision = portable.naturalPrecision
        let options = command.common.compileOptions(precision)
        compiled.append(
          try CompiledModel(portable: portable, batch: command.batch, options: options))
        let progress = console.progress(file.name, total: set.evaluator.indices.count)
        let score = try set.evaluator.score(
          of: BatchedModel(portable: portable, options: options)
        ) { progress.update(to: $0) }
        progress.finish(score.top1.map { "top-1 \(Format.percent($0))" })
        guard score.top1 != nil else {
          throw CommandError("\(command.data): the data has no labels to compare by")
        }
        networks.append(
          (file, try NetworkSummary(of: file.graph), precision, set.words, score))
      } catch {
        throw CommandError.naming(path, error)
      }
    }
    let latencies = try Latency.alternating(compiled, seed: command.common.seed)
    let names = Self.names(networks.map { $0.0 })
    return zip(zip(networks, names), latencies).map { entry, latency in
      let ((file, summary, precision, preprocessing, evaluation), name) = entry
      return ComparedNetwork(
        path: file.path, name: name, summary: summary,
        bytes: file.byteCount(constants: summary.constantBytes), precision: precision,
        preprocessing: preprocessing, evaluation: evaluation, latency: latency)
    }
  }

  /// File names, or whole paths where two files have one name.
  private static func names(_ files: [ModelFile]) -> [String] {
    files.map { file in files.count { $0.name == file.name } > 1 ? file.path : file.name }
  }
}
