// SPDX-License-Identifier: Apache-2.0
import Swiftlet
import TestSupport
import Testing

@Suite("What the demonstration is made of")
struct DemonstrationTests {
  @Test("Pictures follow from the seed, and every class is there as often")
  func pictures() {
    let first = ShapeSamples.drawn(count: 20, seed: 5)
    let again = ShapeSamples.drawn(count: 20, seed: 5)
    #expect(first.pictures == again.pictures)
    #expect(first.pictures.shape == [20, 3, 32, 32])
    #expect(first.labels == Array(0..<10) + Array(0..<10))
    #expect(first.pictures != ShapeSamples.drawn(count: 20, seed: 6).pictures)
  }

  @Test("Ridge regression finds the weights of two classes on a line")
  func ridge() {
    // Targets 1 for the class, 0 for the other: the least squares line through (±1) is ½ ± x/2.
    let fit = RidgeRegression(
      features: [-1, 1, -1, 1], labels: [0, 1, 0, 1], classCount: 2, penalty: 1e-9)
    #expect(zip(fit.weights, [-0.5, 0.5]).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    #expect(zip(fit.bias, [0.5, 0.5]).allSatisfy { abs(Double($0) - $1) < 1e-6 })
  }

  @Test("Features that are always the same get no weight")
  func constantFeature() {
    let fit = RidgeRegression(
      features: [7, -1, 7, 1, 7, -1, 7, 1], labels: [0, 1, 0, 1], classCount: 2, penalty: 1e-9)
    #expect(abs(fit.weights[0]) < 1e-6)
    #expect(abs(fit.weights[1] + 0.5) < 1e-6)
  }
}
