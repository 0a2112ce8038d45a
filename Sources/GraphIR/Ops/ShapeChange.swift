// SPDX-License-Identifier: Apache-2.0

/// The elements under a new shape (second input; −1 is inferred, 0 copies unless `allowsZero`).
public struct Reshape: Op {
  public var kind: String { "Reshape" }
  public var allowsZero: Bool
  public init(allowsZero: Bool = false) { self.allowsZero = allowsZero }
}

/// A matrix whose rows are the axes before `axis` and whose columns are the rest.
public struct Flatten: Op {
  public var kind: String { "Flatten" }
  public var axis: Int
  public init(axis: Int = 1) { self.axis = axis }
}

/// Removes axes of extent one: those of the second input, or all.
public struct Squeeze: Op {
  public var kind: String { "Squeeze" }
  public init() {}
}

/// Inserts axes of extent one at the positions of the second input.
public struct Unsqueeze: Op {
  public var kind: String { "Unsqueeze" }
  public init() {}
}

/// Permutes the axes; without a permutation, reverses them.
public struct Transpose: Op {
  public var kind: String { "Transpose" }
  public var permutation: [Int]?
  public init(permutation: [Int]? = nil) { self.permutation = permutation }
}

/// Broadcasts to the shape of the second input.
public struct Expand: Op {
  public var kind: String { "Expand" }
  public init() {}
}

/// Repeats along each axis as often as the second input says.
public struct Tile: Op {
  public var kind: String { "Tile" }
  public init() {}
}

/// Moves blocks of channels into space.
public struct DepthToSpace: Op {
  public enum Order: String, Sendable { case depthColumnRow = "DCR", columnRowDepth = "CRD" }
  public var kind: String { "DepthToSpace" }
  public var blockSize: Int
  public var order: Order
  public init(blockSize: Int, order: Order = .depthColumnRow) {
    self.blockSize = blockSize
    self.order = order
  }
}

/// Moves blocks of space into channels.
public struct SpaceToDepth: Op {
  public var kind: String { "SpaceToDepth" }
  public var blockSize: Int
  public var order: DepthToSpace.Order
  public init(blockSize: Int, order: DepthToSpace.Order = .depthColumnRow) {
    self.blockSize = blockSize
    self.order = order
  }
}
