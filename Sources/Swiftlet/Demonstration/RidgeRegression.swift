// SPDX-License-Identifier: Apache-2.0

/// Linear regression with a penalty on the weights, solved in closed form.
///
/// Source: Hoerl, Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal Problems", 1970;
/// the normal equations by Cholesky's factorisation.
package struct RidgeRegression {
  /// `[outputs, inputs]`.
  package let weights: [Float]
  /// `[outputs]`.
  package let bias: [Float]

  /// Fits the weights to rows of features and the class of each.
  ///
  /// - Parameters:
  ///   - features: `[rows, width]`, row-major.
  ///   - labels: The class of each row, `0..<classCount`.
  ///   - penalty: As a fraction of the mean diagonal of the normal matrix, above 0.
  ///
  /// Targets are 1 for the class of a row and 0 for the others; features and targets are centred,
  /// so that the bias is not penalised.
  ///
  /// - Complexity: O(*rows* · *width*² + *width*³) time, O(*width*²) memory.
  package init(features: [Float], labels: [Int], classCount: Int, penalty: Double) {
    let rows = labels.count
    let width = features.count / max(rows, 1)
    var means = [Double](repeating: 0, count: width)
    var shares = [Double](repeating: 0, count: classCount)
    for row in 0..<rows {
      for column in 0..<width { means[column] += Double(features[row * width + column]) }
      shares[labels[row]] += 1
    }
    means = means.map { $0 / Double(max(rows, 1)) }
    shares = shares.map { $0 / Double(max(rows, 1)) }
    var normal = [Double](repeating: 0, count: width * width)
    var targets = [Double](repeating: 0, count: classCount * width)
    var centred = [Double](repeating: 0, count: width)
    for row in 0..<rows {
      for column in 0..<width {
        centred[column] = Double(features[row * width + column]) - means[column]
      }
      Self.addProduct(of: centred, to: &normal)
      for column in 0..<width { targets[labels[row] * width + column] += centred[column] }
    }
    let trace = (0..<width).reduce(0.0) { $0 + normal[$1 * width + $1] }
    for column in 0..<width {
      normal[column * width + column] += penalty * max(trace / Double(width), 1e-12)
    }
    Self.factorize(&normal, width: width)
    var weights: [Float] = []
    var bias: [Float] = []
    for output in 0..<classCount {
      var solution = Array(targets[output * width..<(output + 1) * width])
      Self.solve(normal, &solution)
      weights += solution.map { Float($0) }
      let shift = zip(solution, means).reduce(0.0) { $0 + $1.0 * $1.1 }
      bias.append(Float(shares[output] - shift))
    }
    self.weights = weights
    self.bias = bias
  }

  /// Adds the lower half of `row` · `row`ᵀ.
  private static func addProduct(of row: [Double], to matrix: inout [Double]) {
    let width = row.count
    matrix.withUnsafeMutableBufferPointer { matrix in
      row.withUnsafeBufferPointer { row in
        for i in 0..<width {
          let factor = row[i]
          if factor == 0 { continue }
          for j in 0...i { matrix[i * width + j] += factor * row[j] }
        }
      }
    }
  }

  /// Replaces the lower half of a positive definite matrix by its Cholesky factor.
  private static func factorize(_ matrix: inout [Double], width: Int) {
    matrix.withUnsafeMutableBufferPointer { matrix in
      for j in 0..<width {
        for i in j..<width {
          var sum = matrix[i * width + j]
          for k in 0..<j { sum -= matrix[i * width + k] * matrix[j * width + k] }
          if i == j {
            matrix[j * width + j] = max(sum, 1e-300).squareRoot()
          } else {
            matrix[i * width + j] = sum / matrix[j * width + j]
          }
        }
      }
    }
  }

  /// Replaces the right-hand side by the solution of the factored system.
  private static func solve(_ factor: [Double], _ side: inout [Double]) {
    let width = side.count
    for i in 0..<width {
      for k in 0..<i { side[i] -= factor[i * width + k] * side[k] }
      side[i] /= factor[i * width + i]
    }
    for i in stride(from: width - 1, through: 0, by: -1) {
      for k in i + 1..<width { side[i] -= factor[k * width + i] * side[k] }
      side[i] /= factor[i * width + i]
    }
  }
}
