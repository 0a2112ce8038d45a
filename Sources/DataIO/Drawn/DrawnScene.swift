// SPDX-License-Identifier: Apache-2.0
import Foundation
import TensorCore

/// One picture before it is put on a grid: a shape on a ground, clutter behind and something in
/// front.
struct DrawnScene {
  /// Standard deviation of the noise, the range of colours being 0…1.
  let noise: Float
  private let outline: DrawnOutline
  private let inner: DrawnTexture
  private let outer: DrawnTexture
  private let clutter: [Blot]
  private let front: [Blot]
  private let light: SIMD2<Float>
  private let middle: Float

  /// A patch of one colour: a disc or a bar.
  private struct Blot {
    var center: SIMD2<Float>
    var direction: SIMD2<Float>
    var halfLength: Float
    var halfWidth: Float
    var colour: SIMD3<Float>

    func coverage(_ x: Float, _ y: Float) -> Float {
      let offset = SIMD2(x, y) - center
      let along = max(0, abs((offset * direction).sum()) - halfLength)
      let across = offset.x * direction.y - offset.y * direction.x
      return DrawnOutline.coverage((along * along + across * across).squareRoot() - halfWidth)
    }
  }

  init(shape: Int, side: Int, _ random: inout RandomSource) {
    func number(_ low: Float, _ high: Float) -> Float {
      low + (high - low) * Float(random.nextUniform())
    }
    func direction() -> SIMD2<Float> {
      let angle = number(0, 2 * .pi)
      return SIMD2(cos(angle), sin(angle))
    }
    func colour() -> SIMD3<Float> { SIMD3(number(0, 1), number(0, 1), number(0, 1)) }
    let size = Float(side)
    middle = size / 2
    let radius = number(0.26, 0.4) * size
    let reach = 0.5 * size - 0.9 * radius
    let center = SIMD2(middle + number(-reach, reach), middle + number(-reach, reach))
    outline = DrawnOutline(
      shape: shape, center: center, radius: radius, direction: direction())
    // Shape and ground differ in at least one colour by a third of the range.
    var pair = (colour(), colour())
    while max(abs(pair.0 - pair.1).max(), 0) < 0.34 { pair = (colour(), colour()) }
    inner = DrawnTexture(colour: pair.0, &random)
    outer = DrawnTexture(colour: pair.1, &random)
    func blot(around place: SIMD2<Float>, length: ClosedRange<Float>, width: ClosedRange<Float>)
      -> Blot
    {
      Blot(
        center: place, direction: direction(),
        halfLength: number(length.lowerBound, length.upperBound),
        halfWidth: number(width.lowerBound, width.upperBound), colour: colour())
    }
    clutter = (0..<3 + random.nextIndex(below: 4)).map { _ in
      blot(around: SIMD2(number(0, size), number(0, size)), length: 0...4, width: 0.8...2.2)
    }
    front = (0..<1 + random.nextIndex(below: 2)).map { _ in
      let place = center + direction() * number(0.3, 1) * radius
      return blot(around: place, length: 1...5, width: 0.8...2)
    }
    light = direction() * number(0, 0.25) / size
    noise = number(0.03, 0.13)
  }

  func colour(_ x: Float, _ y: Float) -> SIMD3<Float> {
    var colour = outer.colour(x, y)
    for blot in clutter { colour += (blot.colour - colour) * blot.coverage(x, y) }
    colour += (inner.colour(x, y) - colour) * outline.coverage(x, y)
    for blot in front { colour += (blot.colour - colour) * blot.coverage(x, y) }
    return colour + (light.x * (x - middle) + light.y * (y - middle))
  }
}

/// A colour with a pattern of lighter and darker parts.
struct DrawnTexture {
  private enum Pattern { case plain, stripes, checks, dots }

  private let base: SIMD3<Float>
  private let change: SIMD3<Float>
  private let pattern: Pattern
  private let direction: SIMD2<Float>
  private let frequency: Float
  private let phase: SIMD2<Float>

  init(colour: SIMD3<Float>, _ random: inout RandomSource) {
    func number(_ low: Float, _ high: Float) -> Float {
      low + (high - low) * Float(random.nextUniform())
    }
    base = colour
    let patterns: [Pattern] = [.plain, .stripes, .checks, .dots]
    pattern = patterns[random.nextIndex(below: patterns.count)]
    let angle = number(0, .pi)
    direction = SIMD2(cos(angle), sin(angle))
    frequency = 2 * .pi / number(2.5, 6)
    phase = SIMD2(number(0, 2 * .pi), number(0, 2 * .pi))
    change = SIMD3(number(-0.15, 0.15), number(-0.15, 0.15), number(-0.15, 0.15))
  }

  func colour(_ x: Float, _ y: Float) -> SIMD3<Float> {
    guard pattern != .plain else { return base }
    let u = sin(frequency * (x * direction.x + y * direction.y) + phase.x)
    if pattern == .stripes { return base + change * (u > 0 ? 1 : -1) }
    let v = sin(frequency * (y * direction.x - x * direction.y) + phase.y)
    return pattern == .checks ? base + change * (u * v > 0 ? 1 : -1) : base + change * (u + v)
  }
}

/// The outline of one of the ten shapes.
struct DrawnOutline {
  let shape: Int
  let center: SIMD2<Float>
  let radius: Float
  let direction: SIMD2<Float>

  /// The share of a pixel that lies inside, from the distance of its middle to the edge.
  static func coverage(_ distance: Float) -> Float { max(0, min(1, 0.5 - distance)) }

  func coverage(_ x: Float, _ y: Float) -> Float {
    let offset = SIMD2(x, y) - center
    guard abs(offset).max() < 1.6 * radius else { return 0 }
    let point = SIMD2(
      offset.x * direction.x + offset.y * direction.y,
      offset.y * direction.x - offset.x * direction.y)
    return Self.coverage(distance(point / radius) * radius)
  }

  /// Distance to the edge of a shape of radius 1, negative inside.
  private func distance(_ p: SIMD2<Float>) -> Float {
    let a = abs(p)
    let length = (p * p).sum().squareRoot()
    switch shape {
    case 0: return length - 0.9
    case 1: return abs(length - 0.72) - 0.24
    case 2:
      let bite = (p - SIMD2(0.55, 0)) * (p - SIMD2(0.55, 0))
      return max(length - 1, 0.78 - bite.sum().squareRoot())
    case 3: return a.max() - 0.78
    case 4: return abs(a.max() - 0.66) - 0.22
    case 5: return max(a.x * 0.866 + p.y * 0.5, -p.y) - 0.52
    case 6: return min(max(a.x - 1, a.y - 0.26), max(a.y - 1, a.x - 0.26))
    case 7: return star(p, length)
    case 8: return max(a.y - 0.9, a.x * 0.76 - a.y * 0.64 - 0.1)
    default:
      let nearest = min(abs(a.x - 0.68), a.x)
      return max(nearest - 0.2, a.y - 0.9)
    }
  }

  /// A star of five points: in each of ten mirrored sectors one straight edge.
  private func star(_ p: SIMD2<Float>, _ length: Float) -> Float {
    let sector = 2 * Float.pi / 5
    let angle = atan2(p.y, p.x)
    let folded = abs(angle - sector * (angle / sector).rounded())
    let point = SIMD2(length * cos(folded), length * sin(folded))
    // From the tip (1.1, 0) to the notch of radius 0.42 at half a sector.
    let notch = SIMD2<Float>(0.42 * 0.809_017, 0.42 * 0.587_785)
    let edge = notch - SIMD2(1.1, 0)
    let across = SIMD2(-edge.y, edge.x) / (edge * edge).sum().squareRoot()
    return -((point - SIMD2(1.1, 0)) * across).sum()
  }
}

extension DrawnOutline {
  private func abs(_ value: SIMD2<Float>) -> SIMD2<Float> {
    SIMD2(Swift.abs(value.x), Swift.abs(value.y))
  }

  private func abs(_ value: Float) -> Float { Swift.abs(value) }
}

private func abs(_ value: SIMD3<Float>) -> SIMD3<Float> {
  SIMD3(Swift.abs(value.x), Swift.abs(value.y), Swift.abs(value.z))
}
