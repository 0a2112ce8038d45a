// SPDX-License-Identifier: Apache-2.0
package import GraphIR
import TensorCore

extension NetworkBuilder {
  /// Zeroes a part of the elements in training; nothing in inference.
  package mutating func dropout(_ name: String = "dropout", ratio: Float) {
    node(Dropout(), name, with: [fixed(Tensor(scalar: ratio), "\(name).ratio_\(ratio)")])
  }

  /// Cuts the channels into two halves, of which the second becomes the current value.
  ///
  /// - Returns: The first half.
  package mutating func splitChannels() -> ValueID {
    let halves = results(Split(axis: 1), "chunk", [value], outputCount: 2)
    guard halves.count == 2 else { return value }
    value = halves[1]
    return halves[0]
  }

  /// Deals the channels of each group out to all groups: channel `i · C/g + j` goes to `j · g + i`.
  ///
  /// Source: Zhang, Zhou, Lin, Sun, "ShuffleNet", 2017, Section 3.1.
  package mutating func shuffleChannels(groups: Int) {
    let (count, height, width) = (channels, extent(2), extent(3))
    let apart = integers([0, groups, count / groups, height, width], "shuffle.groups")
    node(Reshape(), "shuffle.split", with: [apart])
    node(Transpose(permutation: [0, 2, 1, 3, 4]), "shuffle.transpose")
    let together = integers([0, count, height, width], "shuffle.shape")
    node(Reshape(), "shuffle.join", with: [together])
  }

  /// A shortcut without parameters: every `stride`th pixel, and zeros for half of the missing
  /// channels on each side.
  ///
  /// Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, option A.
  package mutating func paddedShortcut(_ outputs: Int, stride: Int) {
    let missing = outputs - channels
    if stride > 1 {
      let positions = [
        integers([0, 0], "shortcut.starts"), integers([.max, .max], "shortcut.ends"),
        integers([2, 3], "shortcut.axes"), integers([stride, stride], "shortcut.steps"),
      ]
      node(Slice(), "shortcut.slice", with: positions)
    }
    if missing > 0 {
      let pads = integers([0, missing / 2, 0, 0, 0, missing - missing / 2, 0, 0], "shortcut.pads")
      node(Pad(), "shortcut.pad", with: [pads])
    }
  }
}
