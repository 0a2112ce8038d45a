// SPDX-License-Identifier: Apache-2.0
import Foundation
public import TensorCore

/// Small labelled pictures that are drawn, not stored: ten textured shapes of 32 × 32 pixels.
public enum ShapeSamples {
  public static let classNames = [
    "disc", "ring", "square", "frame", "triangle", "cross", "horizontal stripes",
    "vertical stripes", "diagonal stripes", "checkerboard",
  ]

  /// Pixels on a side.
  public static let side = 32

  /// Pictures and their classes, every class as often as the others.
  ///
  /// Place, size, colours and noise are random; the same seed gives the same pictures.
  ///
  /// - Returns: Pictures `[count, 3, 32, 32]` as `float32` with values from about −2 to 2, and as
  ///   many classes.
  public static func drawn(count: Int, seed: UInt64) -> (pictures: Tensor, labels: [Int]) {
    var random = RandomSource(seed: seed)
    var values: [Float] = []
    values.reserveCapacity(count * 3 * side * side)
    var labels: [Int] = []
    for index in 0..<count {
      let label = index % classNames.count
      labels.append(label)
      values += picture(of: label, &random)
    }
    return (Tensor(values, shape: [count, 3, side, side]), labels)
  }

  private static func picture(of label: Int, _ random: inout RandomSource) -> [Float] {
    func offset() -> Double { 16 + 4 * (random.nextUniform() - 0.5) }
    let center = (x: offset(), y: offset())
    let radius = 8 + 4 * random.nextUniform()
    let phase = 8 * random.nextUniform()
    let period = 5 + 3 * random.nextUniform()
    let inner = (0..<3).map { _ in 2 * random.nextUniform() - 1 }
    // Shapes are brighter than what is around them, so that they can be seen.
    let outer = inner.map { $0 - 0.9 - random.nextUniform() }
    let noise = 0.1 + 0.25 * random.nextUniform()
    var values = [Float](repeating: 0, count: 3 * side * side)
    for y in 0..<side {
      for x in 0..<side {
        let dx = Double(x) - center.x
        let dy = Double(y) - center.y
        let isInside = covers(label, dx, dy, radius: radius, phase: phase, period: period)
        for channel in 0..<3 {
          let colour = isInside ? inner[channel] : outer[channel]
          let grain = noise * (random.nextUniform() + random.nextUniform() - 1) * 2
          values[(channel * side + y) * side + x] = Float(colour + grain)
        }
      }
    }
    return values
  }

  /// Whether the shape covers a point, given from its middle.
  private static func covers(
    _ label: Int, _ dx: Double, _ dy: Double, radius: Double, phase: Double, period: Double
  ) -> Bool {
    let distance = (dx * dx + dy * dy).squareRoot()
    let reach = max(abs(dx), abs(dy))
    func isEven(_ position: Double) -> Bool {
      Int(((position + phase) / period * 2).rounded(.down)) % 2 == 0
    }
    switch label {
    case 0: return distance < radius
    case 1: return distance < radius && distance > radius * 0.6
    case 2: return reach < radius * 0.85
    case 3: return reach < radius * 0.85 && reach > radius * 0.5
    case 4: return dy > -radius * 0.7 && dy < radius * 0.7 && abs(dx) < (dy + radius * 0.7) * 0.6
    case 5: return reach < radius && min(abs(dx), abs(dy)) < radius * 0.25
    case 6: return isEven(dy + 64)
    case 7: return isEven(dx + 64)
    case 8: return isEven(dx + dy + 128)
    default: return isEven(dx + 64) != isEven(dy + 64)
    }
  }
}
