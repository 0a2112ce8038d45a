// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Samples of image regions on a grid, averaged or at their greatest; inputs X `[N, C, H, W]`, regions
/// `[n, 4]` as left, top, right, bottom, and the image of each.
///
/// Source: He et al., "Mask R-CNN", 2017; ONNX, operator RoiAlign. The greatest is that of the
/// weighted neighbours, as ONNX has it.
public struct RegionAlignment: Op {
  public var kind: String { "RoiAlign" }
  public var outputHeight: Int
  public var outputWidth: Int
  /// Samples along each axis of a cell; as many as fit if 0.
  public var sampling: Int
  /// From the units of the regions to pixels.
  public var scale: Float
  public var takesMaximum: Bool
  /// Whether pixels are centred at half integers.
  public var hasHalfPixels: Bool

  /// Samples along one axis of a cell that are accepted at most.
  package static let samplingLimit = 1 << 12

  public init(
    outputHeight: Int = 1, outputWidth: Int = 1, sampling: Int = 0, scale: Float = 1,
    takesMaximum: Bool = false, hasHalfPixels: Bool = true
  ) {
    self.outputHeight = outputHeight
    self.outputWidth = outputWidth
    self.sampling = sampling
    self.scale = scale
    self.takesMaximum = takesMaximum
    self.hasHalfPixels = hasHalfPixels
  }

  public func inferTypes(
    _ operands: [Operand?], outputCount: Int
  ) throws(OpError) -> [TensorType?] {
    try operands.checkCount(3...3)
    try checkOutputCount(outputCount, 1...1)
    let x = try operands.required(0, "X").type
    let regions = try operands.required(1, "rois").type
    let images = try operands.required(2, "batch_indices").type
    try ElementTypeRule.floating.check(x, "X")
    try ElementTypeRule.floating.check(regions, "rois")
    for (name, type, rank) in [("X", x, 4), ("rois", regions, 2), ("batch_indices", images, 1)] {
      if let found = type?.rank, found != rank {
        throw .invalidRank(input: name, found: found, expected: "\(rank)")
      }
    }
    if let numbers = regions?.dimensions?[1].value, numbers != 4 {
      throw .invalidShape(input: "rois", found: regions?.shape ?? [], expected: "4 per region")
    }
    let count = regions?.dimensions?[0] ?? .unknown
    guard let merged = Dimension.merged(count, images?.dimensions?[0] ?? .unknown) else {
      throw .invalidShape(
        input: "batch_indices", found: images?.shape ?? [], expected: "[\(count)]")
    }
    guard let x else { return [nil] }
    let channels = x.dimensions?[1] ?? .unknown
    return [
      TensorType(x.elementType, [merged, channels, .fixed(outputHeight), .fixed(outputWidth)])
    ]
  }

  public func evaluate(_ inputs: [Tensor?], outputCount: Int) throws(OpError) -> [Tensor] {
    let results = try resultTypes(inputs, outputCount: outputCount)
    if let empty = emptyResults(results) { return empty }
    let x = try inputs.required(0, "X")
    let regions = try inputs.required(1, "rois").reals()
    let images = try inputs.required(2, "batch_indices").integers()
    let plane = ImagePlane(height: x.shape[2], width: x.shape[3])
    guard plane.height > 0, plane.width > 0 else {
      throw .invalidShape(input: "X", found: x.shape, expected: "pixels")
    }
    let (values, channels) = (x.reals(), x.shape[1])
    let cells = outputHeight * outputWidth
    var output = [Double](repeating: 0, count: results[0].shape.reduce(1, *))
    for (region, image) in images.enumerated() {
      guard (0..<Int64(x.shape[0])).contains(image) else {
        throw .invalidValue(
          input: "batch_indices", found: "\(image)", expected: "0..<\(x.shape[0])")
      }
      let box = Array(regions[(4 * region)..<(4 * region + 4)])
      let (rows, columns) = (
        try line(box[1], box[3], outputHeight), try line(box[0], box[2], outputWidth)
      )
      for cell in 0..<cells {
        let taps = rows[cell / outputWidth].flatMap { y in
          columns[cell % outputWidth].map { plane.taps(y: y, x: $0) }
        }
        for channel in 0..<channels {
          let start = (Int(image) * channels + channel) * plane.height * plane.width
          let samples = taps.map { $0.map { values[start + $0.offset] * $0.weight } }
          let place = (region * channels + channel) * cells + cell
          if takesMaximum {
            output[place] = samples.map { $0.max() ?? 0 }.max() ?? 0
          } else {
            output[place] =
              samples.reduce(0) { $0 + $1.reduce(0, +) } / Double(max(1, samples.count))
          }
        }
      }
    }
    return [Tensor(reals: output, shape: results[0].shape, elementType: x.elementType)]
  }

  /// The sampled positions of each cell along an axis.
  private func line(
    _ first: Double, _ last: Double, _ count: Int
  ) throws(OpError) -> [[Double]] {
    let offset = hasHalfPixels ? 0.5 : 0
    let start = first * Double(scale) - offset
    var length = last * Double(scale) - offset - start
    if !hasHalfPixels { length = max(length, 1) }
    let cell = length / Double(count)
    let samples = sampling > 0 ? Double(sampling) : cell.rounded(.up)
    guard samples <= Double(Self.samplingLimit) else {
      throw .invalidValue(
        input: "rois", found: "a cell of \(cell) pixels", expected: "\(Self.samplingLimit) at most")
    }
    return (0..<count).map { index in
      (0..<max(0, Int(samples))).map {
        start + Double(index) * cell + (Double($0) + 0.5) * cell / samples
      }
    }
  }
}

/// Bilinear sampling of a plane of pixels.
struct ImagePlane {
  let height: Int
  let width: Int

  /// The four neighbours of a position, which is moved inside if it is less than a pixel outside.
  func taps(y: Double, x: Double) -> [(offset: Int, weight: Double)] {
    guard y >= -1, y <= Double(height), x >= -1, x <= Double(width) else { return [(0, 0)] }
    let (top, down) = neighbours(max(0, y), height)
    let (left, right) = neighbours(max(0, x), width)
    return [
      (top.index * width + left.index, top.weight * left.weight),
      (top.index * width + right.index, top.weight * right.weight),
      (down.index * width + left.index, down.weight * left.weight),
      (down.index * width + right.index, down.weight * right.weight),
    ]
  }

  private func neighbours(
    _ place: Double, _ extent: Int
  ) -> (low: (index: Int, weight: Double), high: (index: Int, weight: Double)) {
    let low = Int(place)
    if low >= extent - 1 { return ((extent - 1, 1), (extent - 1, 0)) }
    let fraction = place - Double(low)
    return ((low, 1 - fraction), (low + 1, fraction))
  }
}
