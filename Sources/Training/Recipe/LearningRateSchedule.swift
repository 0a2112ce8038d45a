// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How the learning rate changes while a network is trained, as a factor on the recipe's rate.
public struct LearningRateSchedule: Sendable, Equatable {
  public enum Shape: Sendable, Equatable {
    case constant
    /// Times `factor` after every so many epochs.
    case step(epochs: Double, factor: Double)
    /// Times `factor` at each of the epochs.
    case multiStep(epochs: [Double], factor: Double)
    /// Evenly down to `end`.
    case linear(end: Double)
    /// `end + (1 − end) · (1 − p)^power` at the share `p` of the way.
    case polynomial(power: Double, end: Double)
    /// `end + (1 − end) · (1 + cos πp) / 2` at the share `p` of the way.
    case cosine(end: Double)
    /// From `1 / divisor` up to 1 over the share `rise` of the steps, then down to
    /// `1 / (divisor · finalDivisor)`, both along half a cosine.
    case oneCycle(rise: Double, divisor: Double, finalDivisor: Double)
  }

  public var shape: Shape

  /// Epochs over which the rate rises at the beginning.
  public var warmUpEpochs: Double

  /// Where the rise begins.
  public var warmUpStart: Double

  public init(_ shape: Shape = .constant, warmUpEpochs: Double = 0, warmUpStart: Double = 0) {
    self.shape = shape
    self.warmUpEpochs = warmUpEpochs
    self.warmUpStart = warmUpStart
  }

  /// The factor for one step.
  ///
  /// Source: linear warm-up: Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 2.2;
  /// cosine: Loshchilov, Hutter, "SGDR", 2017, Eq. 5, without restarts; one cycle: Smith, Topin,
  /// "Super-Convergence", 2018, with halves of a cosine in place of the paper's straight lines.
  ///
  /// - Parameter position: The step, counted in updates from 0.
  /// - Returns: During the warm-up of `w` steps, `start + (1 − start) · (step + 1) / w`; then the
  ///   shape's factor, where linear, polynomial and cosine begin behind the warm-up and would reach
  ///   their end one step after the last, and step and multi-step count epochs from the beginning.
  public func factor(at position: StepPosition) -> Double {
    let warmUp = Int((warmUpEpochs * Double(position.stepsPerEpoch)).rounded())
    if position.step < warmUp {
      return warmUpStart + (1 - warmUpStart) * Double(position.step + 1) / Double(warmUp)
    }
    let left = max(position.totalSteps - warmUp, 1)
    let share = min(Double(position.step - warmUp) / Double(left), 1)
    let epoch = Double(position.step) / Double(max(position.stepsPerEpoch, 1))
    switch shape {
    case .constant: return 1
    case .step(let epochs, let factor): return pow(factor, (epoch / epochs).rounded(.down))
    case .multiStep(let epochs, let factor):
      return pow(factor, Double(epochs.count { $0 <= epoch }))
    case .linear(let end): return end + (1 - end) * (1 - share)
    case .polynomial(let power, let end): return end + (1 - end) * pow(1 - share, power)
    case .cosine(let end): return end + (1 - end) * (1 + cos(.pi * share)) / 2
    case .oneCycle(let rise, let divisor, let finalDivisor):
      let top = rise * Double(position.totalSteps) - 1
      let bottom = Double(position.totalSteps) - 1
      let step = min(Double(position.step), bottom)
      let low = 1 / divisor
      if step <= top { return Self.halfCosine(from: low, to: 1, top > 0 ? step / top : 1) }
      let share = (step - top) / max(bottom - top, 1)
      return Self.halfCosine(from: 1, to: low / finalDivisor, share)
    }
  }

  private static func halfCosine(from start: Double, to end: Double, _ share: Double) -> Double {
    end + (start - end) * (1 + cos(.pi * share)) / 2
  }
}

/// Where training stands.
public struct StepPosition: Sendable, Equatable {
  /// Updates made so far.
  public var step: Int
  public var totalSteps: Int
  public var stepsPerEpoch: Int

  public init(step: Int, totalSteps: Int, stepsPerEpoch: Int) {
    self.step = step
    self.totalSteps = totalSteps
    self.stepsPerEpoch = stepsPerEpoch
  }
}
