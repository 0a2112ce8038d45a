// SPDX-License-Identifier: Apache-2.0

/// What can go wrong before and while a network is trained.
public enum TrainingError: Error, Equatable, Sendable {
  case unknownField(field: String, accepted: [String])
  case invalidField(field: String, found: String, accepted: String)
  case noInput(found: [String])
  case noOutput
  case noBatchDimension(input: String, type: String)
  case fixedBatch(input: String, batch: Int, wanted: Int)
  case sampleShapeMismatch(input: String, network: [Int], data: [Int])
  case classCountMismatch(output: String, network: [Int], data: Int)
  case noParameters
  case unknownConstant(name: String)
  case notDifferentiable(reason: String)
  case batchSizeMismatch(recipe: Int, data: Int)
  case tooFewBatches(batches: Int, wanted: Int)
  case endOfData(epoch: Int, batch: Int, expected: Int)
  case diverged(step: Int, epoch: Int)
  case checkpointTorn(path: String, found: [String])
  case checkpointUnreadable(path: String, defect: String)
  case checkpointUnwritable(path: String, reason: String)
  case checkpointMismatch(path: String, what: String, saved: String, given: String)
}

extension TrainingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownField(let field, let accepted):
      "recipe: unknown field \"\(field)\" (accepted: \(accepted.joined(separator: ", ")))"
    case .invalidField(let field, let found, let accepted):
      "recipe: \(field): \(found) (accepted: \(accepted))"
    case .noInput(let found):
      "the network has \(found.count) inputs (\(found.joined(separator: ", "))); "
        + "networks with one can be trained"
    case .noOutput: "the network has no output"
    case .noBatchDimension(let input, let type):
      "input \"\(input)\" is \(type) (expected float32 with a first dimension for the batch)"
    case .fixedBatch(let input, let batch, let wanted):
      "input \"\(input)\" fixes the batch at \(batch), the recipe asks for \(wanted) "
        + "(accepted: batch_size \(batch), or a network with a free first dimension)"
    case .sampleShapeMismatch(let input, let network, let data):
      "input \"\(input)\" takes samples of shape \(network), the data has \(data)"
    case .classCountMismatch(let output, let network, let data):
      "output \"\(output)\" has shape \(network) for data with \(data) classes "
        + "(expected \(data) scores per sample)"
    case .noParameters: "the network has no weight that the loss depends on"
    case .unknownConstant(let name): "the network has no constant \"\(name)\""
    case .notDifferentiable(let reason): "the network cannot be trained: \(reason)"
    case .batchSizeMismatch(let recipe, let data):
      "the data comes in batches of \(data) samples (expected the recipe's batch_size, \(recipe))"
    case .tooFewBatches(let batches, let wanted):
      "the data gives \(batches) batches, one update takes \(wanted) "
        + "(accepted: a smaller batch_size or accumulation, or more data)"
    case .endOfData(let epoch, let batch, let expected):
      "epoch \(epoch + 1): the data ended after \(batch) batches (expected \(expected))"
    case .diverged(let step, let epoch):
      "the loss is not finite at step \(step + 1), epoch \(epoch + 1) "
        + "(a lower learning_rate, a warm-up or gradient_clipping may help); "
        + "the last checkpoint is as it was"
    case .checkpointTorn(let path, let found):
      "\(path): no network and state of the same moment (found: \(found.joined(separator: ", ")))"
    case .checkpointUnreadable(let path, let defect): "\(path): not a checkpoint: \(defect)"
    case .checkpointUnwritable(let path, let reason):
      "\(path): the checkpoint cannot be written: \(reason); the last one is as it was"
    case .checkpointMismatch(let path, let what, let saved, let given):
      "\(path): the checkpoint was made with \(what) \(saved), now it is \(given) "
        + "(expected the same; or train anew without resuming)"
    }
  }
}
