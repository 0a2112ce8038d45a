// SPDX-License-Identifier: Apache-2.0
import DataIO
import TensorCore
import Testing

@Suite("A quick look at the data")
struct DataCheckTests {
  private func warnings(
    _ rows: [[Float]], labels: [Int64]? = nil, _ preprocessing: Preprocessing = .raw,
    classCount: Int? = nil
  ) throws -> [DataWarning] {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npz"
    let x = Tensor(rows.flatMap { $0 }, shape: [rows.count, rows.first?.count ?? 0])
    var arrays = [(name: "x", tensor: x)]
    if let labels { arrays.append(("y", Tensor(labels, shape: [labels.count]))) }
    try NpzFile.write(arrays, to: path)
    let loader = try BatchLoader(dataset: Dataset.open(path), preprocessing: preprocessing)
    return try DataCheck.warnings(
      for: loader, indices: Array(rows.indices), classCount: classCount)
  }

  /// Rows that differ, with mean about 0 and deviation about 1.
  private func usual(_ count: Int) -> [[Float]] {
    var random = RandomSource(seed: 5)
    return (0..<count).map { _ in (0..<8).map { _ in Float(random.nextUniform() * 3.4 - 1.7) } }
  }

  @Test("good data gives no warning")
  func good() throws {
    #expect(try warnings(usual(120), labels: (0..<120).map { $0 % 3 }) == [])
  }

  @Test("few samples, one label, equal samples and constant samples are told")
  func told() throws {
    #expect(try warnings(usual(5)) == [.tooFewSamples(count: 5, advised: 100)])
    #expect(
      try warnings(usual(120), labels: [Int64](repeating: 2, count: 120))
        == [.singleLabel(2, count: 120)])
    let equal = [[Float]](repeating: [0, 1, -1], count: 120)
    #expect(try warnings(equal) == [.samplesAllEqual(count: 32)])
    var constant = usual(120)
    constant[0] = [Float](repeating: 1, count: 8)
    #expect(try warnings(constant) == [.samplesConstant(count: 1, of: 32)])
  }

  @Test("bytes that enter as they are, and a scale applied twice, are told")
  func scale() throws {
    let bytes = usual(120).map { row in row.map { (($0 + 1.7) * 70).rounded() } }
    #expect(try warnings(bytes) == [.looksLikeBytes])
    let twice = try warnings(
      usual(120), Preprocessing(scale: 255, mean: [0], std: [1]))
    guard case .suspiciousScale(_, let std, _)? = twice.first else {
      Issue.record("no warning of the scale: \(twice)")
      return
    }
    #expect(std < 0.01)
  }

  @Test("NaN and labels beyond the classes are errors")
  func errors() throws {
    #expect(throws: DataError.self) { try warnings([[0, .nan]]) }
    #expect(throws: DataError.self) { try warnings(usual(3), labels: [0, 1, 5], classCount: 5) }
  }

  @Test("every warning is a sentence that names its figures")
  func sentences() {
    #expect("\(DataWarning.tooFewSamples(count: 5, advised: 100))".contains("5 samples"))
    #expect(
      "\(DataWarning.suspiciousScale(mean: 121.43, std: 64, greatest: 255))".contains("mean 121"))
  }
}
