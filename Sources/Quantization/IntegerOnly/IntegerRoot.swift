// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

/// The sums of products, or of codes, that an integer step starts with.
enum IntegerRoot {
  /// Real units per step of the sums, one or one per channel; `nil` for roots without sums.
  ///
  /// - Throws: What `unsupported` makes of the reason why there are no sums in integers.
  static func scales(
    of fused: Fused, shapes: [[Int]?], _ unsupported: (String) -> QuantizationError
  ) throws(QuantizationError) -> [Double]? {
    let codes = fused.inputCodes
    guard let first = codes.first ?? nil, first.scales.count == 1 else {
      throw unsupported("its input has no codes of one scale")
    }
    let scale = Double(first.scales[0])
    switch fused.root {
    case is Conv, is Gemm, is MatMul:
      guard codes.count > 1, let weights = codes[1] else {
        throw unsupported("its weights have no codes")
      }
      guard Set(weights.zeroPoints).count == 1 else {
        throw unsupported("its weights have several zero points")
      }
      let scales = weights.scales.map { scale * Double($0) }
      if fused.rootInputCount > 2, shapes[2] != nil {
        guard codes.count > 2, let bias = codes[2], fits(bias, scales) else {
          throw unsupported("its bias is no integer in units of the sums")
        }
      }
      if let gemm = fused.root as? Gemm, gemm.alpha != 1 || gemm.beta != 1 || gemm.transposesA {
        throw unsupported("it scales or transposes its operands")
      }
      if let conv = fused.root as? Conv {
        guard shapes[0]?.count == 4, conv.dilations.allSatisfy({ $0 == 1 }) else {
          throw unsupported("it is no plain convolution of two dimensions")
        }
      } else if shapes[1]?.count != 2 {
        throw unsupported("its second operand is no matrix")
      }
      return scales
    case let pool as GlobalPool where pool.statistic == .average:
      guard let shape = shapes[0] else { return nil }
      return [scale / Double(max(shape.dropFirst(2).reduce(1, *), 1))]
    case let pool as AveragePool:
      let pads = pool.window.padding
      guard pads == .explicit([]) || pads == .valid || isZero(pads), !pool.window.ceilMode,
        pool.window.dilations.allSatisfy({ $0 == 1 }), shapes[0]?.count == 4
      else { throw unsupported("its windows are not all of one size") }
      return [scale / Double(pool.window.kernel.reduce(1, *))]
    case let binary as Binary where binary.function == .add: return [scale]
    case is Clip where fused.rootInputCount == 1: return [scale]
    default: return nil
    }
  }

  /// Whether a bias counts in the units of the sums.
  private static func fits(_ bias: LinearCode, _ scales: [Double]) -> Bool {
    guard bias.zeroPoints.allSatisfy({ $0 == 0 }) else { return false }
    return scales.indices.allSatisfy { index in
      let unit = Double(bias.scales[bias.scales.count == 1 ? 0 : index])
      return abs(unit - scales[index]) <= scales[index] * 0x1p-22
    }
  }

  private static func isZero(_ padding: Padding) -> Bool {
    if case .explicit(let pads) = padding { pads.allSatisfy { $0 == 0 } } else { false }
  }

  /// The sums and their shape; codes of additions and clamps without their zero point.
  static func sums(
    of fused: Fused, _ inputs: [Tensor?]
  ) throws(OpError) -> (values: [Int32], shape: [Int]) {
    guard let data = inputs.first ?? nil, let code = fused.inputCodes.first ?? nil else {
      throw .missingInput(name: "codes")
    }
    let zeroPoint = code.zeroPoints[0]
    switch fused.root {
    case let conv as Conv: return try convolution(conv, fused, data, inputs)
    case is Gemm, is MatMul: return try product(fused, data, inputs)
    case is GlobalPool:
      let spatial = Array(data.shape.dropFirst(2))
      return windows(
        data, PoolExtents(kernel: spatial, strides: spatial), zeroPoint,
        shape: data.shape.prefix(2) + spatial.map { _ in 1 })
    case let pool as AveragePool:
      let kernel = pool.window.kernel
      let strides = pool.window.strides.isEmpty ? kernel.map { _ in 1 } : pool.window.strides
      let extents = PoolExtents(kernel: kernel, strides: strides)
      let spatial = zip(data.shape.dropFirst(2), zip(kernel, strides)).map {
        ($0 - $1.0) / $1.1 + 1
      }
      return windows(data, extents, zeroPoint, shape: data.shape.prefix(2) + spatial)
    default: return (data.codes.map { $0 - zeroPoint }, data.shape)
    }
  }

  private static func convolution(
    _ conv: Conv, _ fused: Fused, _ data: Tensor, _ inputs: [Tensor?]
  ) throws(OpError) -> (values: [Int32], shape: [Int]) {
    guard let weight = inputs[1], data.rank == 4, weight.rank == 4 else {
      throw .notEvaluable(kind: fused.kind)
    }
    let window = try WindowGeometry(
      input: Array(data.shape[2...]), kernel: Array(weight.shape[2...]), strides: conv.strides,
      dilations: conv.dilations, padding: conv.padding)
    let geometry = ConvolutionGeometry(
      input: (data.shape[1], data.shape[2], data.shape[3]),
      kernel: (weight.shape[0], weight.shape[2], weight.shape[3]),
      stride: (window.strides[0], window.strides[1]),
      padding: (
        window.padsBegin[0], window.padsBegin[1], window.padsEnd[0], window.padsEnd[1]
      ), group: conv.group)
    let kernels = CodeMatrix(
      weight.codes, rows: weight.shape[0], columns: weight.shape[1...].reduce(1, *),
      zeroPoint: fused.inputCodes[1]?.zeroPoints.first ?? 0)
    let bias = fused.rootInputCount > 2 ? inputs[2]?.codes ?? [] : []
    let codes = data.codes
    let size = data.shape[1...].reduce(1, *)
    var values: [Int32] = []
    for sample in 0..<data.shape[0] {
      let image = CodeMatrix(
        Array(codes[(sample * size)..<((sample + 1) * size)]), rows: data.shape[1],
        columns: data.shape[2] * data.shape[3],
        zeroPoint: fused.inputCodes[0]?.zeroPoints.first ?? 0)
      values += IntegerProduct.convolutionSums(image, kernels, bias: bias, geometry: geometry)
    }
    return (
      values, [data.shape[0], weight.shape[0], geometry.outputHeight, geometry.outputWidth]
    )
  }

  private static func product(
    _ fused: Fused, _ data: Tensor, _ inputs: [Tensor?]
  ) throws(OpError) -> (values: [Int32], shape: [Int]) {
    guard let weight = inputs[1], weight.rank == 2, let k = data.shape.last else {
      throw .notEvaluable(kind: fused.kind)
    }
    let isTransposed = (fused.root as? Gemm)?.transposesB ?? false
    let n = weight.shape[isTransposed ? 0 : 1]
    guard weight.count == k * n else { throw .notEvaluable(kind: fused.kind) }
    var codes = weight.codes
    if isTransposed {
      let stored = codes
      codes = (0..<(k * n)).map { stored[$0 % n * k + $0 / n] }
    }
    let left = CodeMatrix(
      data.codes, rows: data.count / max(k, 1), columns: k,
      zeroPoint: fused.inputCodes[0]?.zeroPoints.first ?? 0)
    let right = CodeMatrix(
      codes, rows: k, columns: n, zeroPoint: fused.inputCodes[1]?.zeroPoints.first ?? 0)
    var values = IntegerProduct.accumulators(left, right)
    if fused.rootInputCount > 2, let bias = inputs[2]?.codes, !bias.isEmpty {
      for index in values.indices { values[index] &+= bias[bias.count == 1 ? 0 : index % n] }
    }
    return (values, data.shape.dropLast() + [n])
  }

  private struct PoolExtents {
    let kernel: [Int]
    let strides: [Int]
  }

  /// Sums over windows without padding; maps of other than two dimensions are one window.
  private static func windows(
    _ data: Tensor, _ extents: PoolExtents, _ zeroPoint: Int32, shape: [Int]
  ) -> (values: [Int32], shape: [Int]) {
    let codes = data.codes
    let planes = data.shape.prefix(2).reduce(1, *)
    let size = data.shape.dropFirst(2).reduce(1, *)
    var values: [Int32] = []
    guard extents.kernel.count == 2, data.rank == 4 else {
      for plane in 0..<planes {
        values.append(
          codes[(plane * size)..<((plane + 1) * size)].reduce(0) { $0 &+ $1 &- zeroPoint })
      }
      return (values, shape)
    }
    let width = data.shape[3]
    for plane in 0..<planes {
      for row in 0..<shape[2] {
        for column in 0..<shape[3] {
          var sum: Int32 = 0
          for y in 0..<extents.kernel[0] {
            for x in 0..<extents.kernel[1] {
              let at =
                (row * extents.strides[0] + y) * width + column * extents.strides[1] + x
              sum &+= codes[plane * size + at] &- zeroPoint
            }
          }
          values.append(sum)
        }
      }
    }
    return (values, shape)
  }
}
