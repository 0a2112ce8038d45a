// SPDX-License-Identifier: Apache-2.0
public import CompressionCore
import Distillation
import Quantization

/// All methods that there are.
public enum MethodCatalog {
  /// Families in the order in which lists show them.
  public static let groups: [MethodGroup] = [
    MethodGroup(
      family: TrainedQuantizers.family.name, chosenBy: "swiftlet qat --quantizer",
      cards: TrainedQuantizers.family.cards),
    MethodGroup(
      family: DistillationLosses.family.name, chosenBy: "swiftlet distill --loss",
      cards: DistillationLosses.family.cards),
    MethodGroup(
      family: RangeEstimators.registry.family, chosenBy: "swiftlet quantize --estimator",
      cards: RangeEstimators.registry.methods.map(\.card)),
  ]

  /// The cards of the methods with a name, each with its family; families may share a name.
  public static func methods(named name: String) -> [(group: MethodGroup, card: MethodCard)] {
    groups.flatMap { group in
      group.cards.filter { $0.name == name }.map { (group, $0) }
    }
  }
}
