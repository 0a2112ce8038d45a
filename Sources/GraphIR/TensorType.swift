// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// One extent of a tensor's shape: a number, a name such as `N` that stands for one, or unknown.
public enum Dimension: Hashable, Sendable, CustomStringConvertible {
  case fixed(Int)
  case symbol(String)
  case unknown

  /// The number, where it is known.
  public var value: Int? {
    if case .fixed(let value) = self { value } else { nil }
  }

  public var description: String {
    switch self {
    case .fixed(let value): String(value)
    case .symbol(let name): name
    case .unknown: "?"
    }
  }
}

/// The element type of a value and what is known of its shape.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
  public var elementType: ElementType

  /// The extents; `nil` where not even the rank is known.
  public var dimensions: [Dimension]?

  public init(_ elementType: ElementType, _ dimensions: [Dimension]?) {
    self.elementType = elementType
    self.dimensions = dimensions
  }

  public init(_ elementType: ElementType, shape: [Int]) {
    self.init(elementType, shape.map { .fixed($0) })
  }

  /// The shape, where every extent is a number.
  public var shape: [Int]? {
    guard let dimensions else { return nil }
    let known = dimensions.compactMap(\.value)
    return known.count == dimensions.count ? known : nil
  }

  public var rank: Int? { dimensions?.count }

  /// Such as `N×3×32×32`; an unknown rank reads `?`.
  public var description: String {
    guard let dimensions else { return "\(elementType.rawValue) ?" }
    if dimensions.isEmpty { return "\(elementType.rawValue) scalar" }
    return "\(elementType.rawValue) " + dimensions.map(\.description).joined(separator: "×")
  }
}

extension TensorType {
  /// Most dimensions, and most elements, that a tensor may have; files that claim more are refused.
  package static let greatestRank = 64
  package static let greatestCount = 1 << 40

  /// Whether the extents that are known keep these bounds, extents of zero counted as one.
  package var isWithinBounds: Bool {
    guard let dimensions else { return true }
    var count = 1
    for case .some(let extent) in dimensions.map(\.value) {
      let (next, overflow) = count.multipliedReportingOverflow(by: max(1, extent))
      guard extent >= 0, !overflow, next <= TensorType.greatestCount else { return false }
      count = next
    }
    return dimensions.count <= TensorType.greatestRank
  }
}
