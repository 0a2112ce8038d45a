// SPDX-License-Identifier: Apache-2.0

/// The extents and the window of a two-dimensional convolution in integers.
public struct ConvolutionGeometry: Sendable, Equatable {
  /// Input channels, height and width.
  public var input: (channels: Int, height: Int, width: Int)
  /// Output channels, kernel height and width.
  public var kernel: (channels: Int, height: Int, width: Int)
  public var stride: (vertical: Int, horizontal: Int)
  public var padding: (top: Int, left: Int, bottom: Int, right: Int)
  public var group: Int

  public init(
    input: (channels: Int, height: Int, width: Int),
    kernel: (channels: Int, height: Int, width: Int),
    stride: (vertical: Int, horizontal: Int) = (1, 1),
    padding: (top: Int, left: Int, bottom: Int, right: Int) = (0, 0, 0, 0), group: Int = 1
  ) {
    precondition(
      input.channels % group == 0 && kernel.channels % group == 0, "groups divide the channels")
    self.input = input
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.group = group
  }

  public var outputHeight: Int {
    (input.height + padding.top + padding.bottom - kernel.height) / stride.vertical + 1
  }

  public var outputWidth: Int {
    (input.width + padding.left + padding.right - kernel.width) / stride.horizontal + 1
  }

  public static func == (left: ConvolutionGeometry, right: ConvolutionGeometry) -> Bool {
    left.input == right.input && left.kernel == right.kernel && left.stride == right.stride
      && left.padding == right.padding && left.group == right.group
  }
}

extension IntegerProduct {
  /// The codes of a convolution; the border holds the zero point of the input, which is real 0.
  ///
  /// Source: as the type.
  ///
  /// - Parameters:
  ///   - input: `[channels, height, width]` as a matrix `[channels, height · width]`.
  ///   - weights: `[out, channels / group · height · width]`.
  ///   - bias: `[out]` in units of the accumulator, or empty.
  ///   - output: Factors per output channel.
  /// - Returns: `[out, output height, output width]`.
  public static func convolution(
    _ input: CodeMatrix, _ weights: CodeMatrix, bias: [Int32], geometry: ConvolutionGeometry,
    output: Requantization
  ) -> [Int32] {
    let positions = geometry.outputHeight * geometry.outputWidth
    return convolutionSums(input, weights, bias: bias, geometry: geometry).enumerated().map {
      output.code(of: $1, channel: $0 / positions)
    }
  }

  /// The accumulators of a convolution, bias included; parameters as for `convolution`.
  static func convolutionSums(
    _ input: CodeMatrix, _ weights: CodeMatrix, bias: [Int32], geometry: ConvolutionGeometry
  ) -> [Int32] {
    let positions = geometry.outputHeight * geometry.outputWidth
    let perGroup = geometry.kernel.channels / geometry.group
    var results: [Int32] = []
    results.reserveCapacity(geometry.kernel.channels * positions)
    for group in 0..<geometry.group {
      let patches = patches(of: input, geometry: geometry, group: group)
      let first = group * perGroup * weights.columns
      let kernels = CodeMatrix(
        Array(weights.codes[first..<(first + perGroup * weights.columns)]), rows: perGroup,
        columns: weights.columns, zeroPoint: weights.zeroPoint)
      let sums = accumulators(kernels, patches)
      for (index, sum) in sums.enumerated() {
        let channel = group * perGroup + index / positions
        results.append(bias.isEmpty ? sum : sum &+ bias[channel])
      }
    }
    return results
  }

  /// The windows of one group as columns: `[channels / group · height · width, positions]`.
  private static func patches(
    of input: CodeMatrix, geometry: ConvolutionGeometry, group: Int
  ) -> CodeMatrix {
    let channels = geometry.input.channels / geometry.group
    let (height, width) = (geometry.outputHeight, geometry.outputWidth)
    var codes: [Int32] = []
    codes.reserveCapacity(
      channels * geometry.kernel.height * geometry.kernel.width * height * width)
    for channel in (group * channels)..<((group + 1) * channels) {
      for tap in 0..<(geometry.kernel.height * geometry.kernel.width) {
        for position in 0..<(height * width) {
          let row =
            position / width * geometry.stride.vertical + tap / geometry.kernel.width
            - geometry.padding.top
          let column =
            position % width * geometry.stride.horizontal + tap % geometry.kernel.width
            - geometry.padding.left
          let isInside =
            row >= 0 && row < geometry.input.height && column >= 0
            && column < geometry.input.width
          codes.append(
            isInside
              ? input.codes[
                (channel * geometry.input.height + row) * geometry.input.width + column]
              : input.zeroPoint)
        }
      }
    }
    return CodeMatrix(
      codes, rows: channels * geometry.kernel.height * geometry.kernel.width,
      columns: height * width, zeroPoint: input.zeroPoint)
  }
}
