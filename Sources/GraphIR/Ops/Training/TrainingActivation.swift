// SPDX-License-Identifier: Apache-2.0

/// An activation that a training operator applies to what it has just computed.
public enum TrainingActivation: String, Sendable, Hashable, CaseIterable {
  case none, relu, relu6, hardSwish

  /// Whether the derivative follows from the activation's result alone.
  public var isRecoverableFromResult: Bool { self != .hardSwish }
}
