// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import Swiftlet
import Training

/// The files that grow while training goes on.
///
/// A log that cannot be written is told once and left alone: training is worth more.
///
/// A class because it owns the open files.
final class TrainLogs {
  private let request: TrainRequest
  private let console: Console
  private var table: CSVLog?
  private var events: TensorBoardLog?
  private var imagesPerSecond = 0.0
  private let start = Date()

  static let columns = [
    "epoch", "step", "loss", "training_top1", "validation_loss", "validation_top1", "test_loss",
    "test_top1", "learning_rate", "images_per_second", "seconds",
  ]

  init(_ request: TrainRequest, console: Console) {
    self.request = request
    self.console = console
  }

  func add(_ event: TrainingEvent) {
    switch event {
    case .started(let overview):
      guarded { () throws(ReportingError) in try open(stepsDone: overview.stepsDone) }
    case .stepped(let step):
      imagesPerSecond = step.imagesPerSecond
      guarded { () throws(ReportingError) in
        try events?.add(
          [
            ("loss/step", step.loss), ("learning_rate", step.learningRate),
            ("images_per_second", step.imagesPerSecond),
          ], step: step.step, time: Date().timeIntervalSince1970)
      }
    case .epochEnded(let epoch):
      guarded { () throws(ReportingError) in try add(epoch) }
    default: break
    }
  }

  private func open(stepsDone: Int) throws(ReportingError) {
    if let path = request.log {
      table = try CSVLog(path: path, columns: Self.columns) { row in
        stepsDone > 0 && (row["step"].flatMap { Int($0) } ?? .max) <= stepsDone
      }
    }
    if let folder = request.tensorboard {
      events = try TensorBoardLog(
        folder: folder, time: Date().timeIntervalSince1970, step: stepsDone + 1)
    }
  }

  private func add(_ epoch: EpochReport) throws(ReportingError) {
    try table?.add([
      Double(epoch.epoch + 1), Double(epoch.step), epoch.loss, epoch.trainingTop1,
      epoch.validation?.loss, epoch.validation?.top1, epoch.test?.loss, epoch.test?.top1,
      epoch.learningRate, imagesPerSecond.rounded(),
      (Date().timeIntervalSince(start) * 1000).rounded() / 1000,
    ])
    var scalars = [("loss/training", epoch.loss), ("top1/training", epoch.trainingTop1)]
    for (name, value) in (epoch.terms ?? [:]).sorted(by: { $0.key < $1.key }) {
      scalars.append(("loss/training/\(name)", value))
    }
    if let score = epoch.validation {
      scalars += [("loss/validation", score.loss), ("top1/validation", score.top1)]
    }
    if let score = epoch.test { scalars += [("loss/test", score.loss), ("top1/test", score.top1)] }
    try events?.add(scalars, step: epoch.step, time: Date().timeIntervalSince1970)
  }

  private func guarded(_ body: () throws(ReportingError) -> Void) {
    do { try body() } catch {
      console.warn("\(error)", "training goes on without it")
      table = nil
      events = nil
    }
  }
}
