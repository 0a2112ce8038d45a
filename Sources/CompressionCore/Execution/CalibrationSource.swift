// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Sample inputs of a network, read batch by batch.
///
/// Implementers must give the same batch for the same index every time, should read it only when
/// asked, and may be asked from several threads at a time.
public protocol CalibrationSource: Sendable {
  /// Number of batches.
  var batchCount: Int { get }

  /// Number of samples in all batches.
  var sampleCount: Int { get }

  /// A tensor per input name, the samples along the first axis.
  func batch(_ index: Int) throws -> [String: Tensor]
}

/// Batches that are in memory already.
public struct InMemoryCalibration: CalibrationSource {
  private let batches: [[String: Tensor]]
  public let sampleCount: Int

  public init(_ batches: [[String: Tensor]]) {
    self.batches = batches
    sampleCount = batches.reduce(0) { $0 + ($1.values.first?.shape.first ?? 1) }
  }

  public var batchCount: Int { batches.count }

  public func batch(_ index: Int) throws -> [String: Tensor] { batches[index] }
}
