// SPDX-License-Identifier: Apache-2.0
import TensorCore

extension Dataset {
  /// The samples divided into those to train on and those to validate with.
  ///
  /// Every class gives the same share of its samples, rounded to the nearest; unlabelled data is
  /// divided as one class. The same seed gives the same division.
  ///
  /// - Parameter share: Of the samples to validate with, 0 up to, not including, 1.
  /// - Returns: Indices in ascending order.
  /// - Throws: `DataError.invalidOption` if the share is out of range.
  public func divided(
    validationShare share: Double, seed: UInt64
  ) throws(DataError) -> (training: [Int], validation: [Int]) {
    guard share >= 0, share < 1 else {
      throw .invalidOption(
        option: "--validation", value: Preprocessing.text(share),
        accepted: "0 up to, not including, 1")
    }
    var classes: [Int: [Int]] = [:]
    for index in 0..<count { classes[labels?[index] ?? 0, default: []].append(index) }
    var validation: [Int] = []
    for (label, members) in classes.sorted(by: { $0.key < $1.key }) {
      var random = SampleRandom.source(seed: seed, .division, index: label)
      let wanted = Int((share * Double(members.count)).rounded())
      validation += random.sample(wanted, below: members.count).map { members[$0] }
    }
    let held = Set(validation)
    return ((0..<count).filter { !held.contains($0) }, validation.sorted())
  }
}
