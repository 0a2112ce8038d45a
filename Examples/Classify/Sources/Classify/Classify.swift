// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet

/// Prints the five likeliest classes of each sample of a data set.
///
/// usage: Classify MODEL.onnx DATA [CLASSES.txt]
@main
struct Classify {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let file = arguments.first, let path = arguments.dropFirst().first else {
      print("usage: Classify MODEL.onnx DATA [CLASSES.txt]")
      exit(2)
    }
    let names = try arguments.dropFirst(2).first.map { list in
      try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init)
    }
    let graph = try OnnxModel.read(contentsOf: URL(fileURLWithPath: file)).portable()
    let model = try CompiledModel(portable: graph)
    let dataset = try Dataset.open(path)
    let shape = model.inputs.first.flatMap { $0.type.shape }.map { Array($0.dropFirst()) } ?? []
    let preparation = try Preprocessing.resolve(
      metadata: graph.metadata.properties, modelPath: file, kind: dataset.kind, inputShape: shape)
    let loader = try BatchLoader(
      dataset: dataset, preprocessing: preparation.preprocessing, inputShape: shape)
    for index in 0..<min(dataset.count, 10) {
      let scores = try model(loader.batch([index]).input).floats()
      let best = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(5)
      let words = best.map { label in
        names.flatMap { $0.indices.contains(label) ? $0[label] : nil } ?? "class \(label)"
      }
      print(dataset.location(ofSampleAt: index), words.joined(separator: ", "))
    }
  }
}
