// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Operators answer hostile inputs with errors")
struct HostileInputTests {
  private static let ops: [any Op] = [
    Unary(.negate), Unary(.round), Unary(.bitwiseNot), Unary(.shrink(bias: 1, lambda: 0)), Clip(),
    Binary(.add), Binary(.divide), Binary(.power), Binary(.modulo(isFmod: false)),
    Binary(.modulo(isFmod: true)), Binary(.shiftLeft), Binary(.shiftRight), Binary(.prelu),
    Variadic(.mean), Variadic(.maximum), Where(), Cast(to: .int4), Cast(to: .uint64), Dropout(),
    Reshape(), Reshape(allowsZero: true), Flatten(axis: -2), Squeeze(), Unsqueeze(), Transpose(),
    Transpose(permutation: [1, 0]), Transpose(permutation: [.max, .min]), Expand(), Tile(),
    DepthToSpace(blockSize: 2), SpaceToDepth(blockSize: .max), Concat(axis: -1),
    Concat(axis: .min), Split(axis: 0), Slice(), Gather(axis: 1), Gather(axis: .max), Pad(),
    Pad(mode: .reflect), Pad(mode: .wrap), Pad(mode: .edge), GatherElements(axis: -1), GatherND(),
    GatherND(batchDimensions: 1), GatherND(batchDimensions: .min), ScatterElements(),
    ScatterElements(reduction: .add), ScatterND(), ScatterND(reduction: .maximum), OneHot(),
    OneHot(axis: .min), TopK(), TopK(axis: 0, selectsLargest: false), CumSum(), Trilu(),
    NonZero(), EyeLike(offset: .min), Resize(), Resize(mode: .linear),
    Resize(mode: .cubic, coordinates: .cropAndResize),
    Resize(coordinates: .alignCorners, aspectPolicy: .notLarger), Einsum(equation: "ij,jk->ik"),
    Einsum(equation: "...i,...->..."), Shape(start: .min, end: .max), Size(), ConstantOfShape(),
    NumberRange(), Attention(), Attention(queryHeads: 2, keyHeads: 1, isCausal: true),
    RotaryEmbedding(heads: 1), RMSNormalization(), GroupNormalization(groups: 1),
    MeanVarianceNormalization(axes: [0]), LpNormalization(), Hardmax(),
    Hardmax(axis: 1, flattensTrailingAxes: true), NegativeLogLikelihoodLoss(ignoredClass: 1),
    SoftmaxCrossEntropyLoss(reduction: .none), AffineGrid(), CenterCropPad(),
    CenterCropPad(axes: [.max]), SignalWindow(.hann), SwiGLU(), CausalConvWithState(),
    GridSample(), GridSample(mode: .cubic, outside: .reflection), RegionAlignment(),
    DeformableConvolution(), ColumnsToImage(), ColumnsToImage(strides: [.max], pads: [.min, 1]),
    LpPool(window: PoolingWindow(kernel: [2])), GlobalLpPool(), FourierTransform(),
    MaxUnpool(window: PoolingWindow(kernel: [2], strides: [.max])), Determinant(),
    FourierTransform(isInverse: true, isOnesided: true), ShortTimeFourierTransform(),
    LinearAttention(queryHeads: 1, keyHeads: 1), MelWeightMatrix(), BitCast(to: .int4),
    RandomDraw(.bernoulli), RandomDraw(.multinomial(count: 3)), ReverseSequence(),
    RandomDraw(.normal(mean: 0, deviation: 1)), TensorScatter(), TensorScatter(axis: 1),
    CumSum(multiplies: true), Recurrent(.rnn), Recurrent(.lstm(couplesInputAndForget: false)),
    QuantizedFunction(.add), QuantizedFunction(.concat(axis: .max)), QuantizedGemm(),
    BlockQuantizedProduct(rows: 2, columns: 1, blockSize: 2),
    BlockQuantizedProduct(rows: .max, columns: 3, blockSize: .max), FusedFunction(.fastGelu),
    FusedFunction(.matMul(alpha: 1, transposesA: true, transposesB: true)),
  ]

  private static let numbers: [Int64] = [
    0, 1, 2, 3, -1, -2, 5, .max, .min, .max - 1, .min + 1, 1 << 38, 1 << 40, -(1 << 62),
  ]

  /// A tensor with few elements and any contents; of any type and shape unless they are given.
  private func tensor(
    from source: inout RandomSource, like given: TensorType? = nil
  ) -> Tensor {
    let rank = [0, 1, 1, 1, 2, 2, 3, 4][source.nextIndex(below: 8)]
    let random = (0..<rank).map { _ in [0, 1, 1, 2, 2, 3][source.nextIndex(below: 6)] }
    let shape = given?.shape ?? random
    let types: [ElementType] = [.int64, .int64, .float32, .int32] + ElementType.allCases
    let type = given?.elementType ?? types[source.nextIndex(below: types.count)]
    let numbers = (0..<shape.reduce(1, *)).map { _ in
      source.nextIndex(below: 3) == 0
        ? HostileInputTests.numbers[source.nextIndex(below: HostileInputTests.numbers.count)]
        : Int64(source.nextIndex(below: 4)) - 1
    }
    let reals: [Double] = [.nan, .infinity, -.infinity, 1e300, -0.0, 0.5]
    guard type.isFloatingPoint, source.nextIndex(below: 2) == 0 else {
      return Tensor(integers: numbers, shape: shape, elementType: type)
    }
    return Tensor(
      reals: numbers.map { _ in reals[source.nextIndex(below: reals.count)] }, shape: shape,
      elementType: type)
  }

  @Test("What is accepted has the inferred type, and nothing traps", arguments: ops.indices)
  func anyInput(index: Int) {
    let op = HostileInputTests.ops[index]
    var source = RandomSource(seed: UInt64(index) + 1)
    for _ in 0..<1500 {
      let count = source.nextIndex(below: 5)
      let outputs = 1 + source.nextIndex(below: 2)
      let first = tensor(from: &source)
      let type = TensorType(first.elementType, shape: first.shape)
      let inputs = (0..<count).map { position -> Tensor? in
        switch source.nextIndex(below: 8) {
        case 0: nil
        case 1...2: tensor(from: &source, like: type)
        case 3: tensor(from: &source, like: TensorType(.int64, shape: [first.rank]))
        case 4: tensor(from: &source, like: TensorType(.int64, shape: [1]))
        case 5: tensor(from: &source, like: TensorType(.int64, shape: first.shape))
        default: position == 0 ? first : tensor(from: &source)
        }
      }
      let operands = inputs.map { $0.map { Operand($0) } }
      _ = op.inferContents(operands)
      guard let results = try? op.evaluate(inputs, outputCount: outputs) else { continue }
      let types = try? op.inferTypes(operands, outputCount: outputs)
      let found = results.map { TensorType($0.elementType, shape: $0.shape) }
      #expect(types == found, "\(op.kind) on \(inputs)")
      for result in results {
        #expect(result.bytes.count == result.elementType.byteCount(of: result.count))
      }
    }
  }

  @Test("Types alone, of any rank and with symbols, never trap", arguments: ops.indices)
  func anyType(index: Int) {
    let op = HostileInputTests.ops[index]
    var source = RandomSource(seed: UInt64(index) + 101)
    let extents: [Dimension] = [
      0, 1, 2, 3, 7, .symbol("N"), .symbol("M"), .unknown, .fixed(.max), .fixed(1 << 40),
    ]
    for _ in 0..<1500 {
      let operands = (0..<source.nextIndex(below: 5)).map { _ -> Operand? in
        if source.nextIndex(below: 3) == 0 { return Operand(tensor(from: &source)) }
        func dimensions() -> [Dimension] {
          (0..<source.nextIndex(below: 5)).map { _ in
            extents[source.nextIndex(below: extents.count)]
          }
        }
        let type = source.nextIndex(below: 2) == 0 ? ElementType.float32 : .int64
        let shape = source.nextIndex(below: 6) == 0 ? nil : dimensions()
        let contents = source.nextIndex(below: 2) == 0 ? nil : dimensions()
        return Operand(type: TensorType(type, shape), contents: contents)
      }
      _ = try? op.inferTypes(operands, outputCount: 1)
      _ = op.inferContents(operands)
      _ = op.cost(inputs: operands.map { $0?.type }, outputs: [])
    }
  }

  @Test("Contents of a result too large for a shape are not computed", .timeLimit(.minutes(1)))
  func largeContents() {
    let shape = Operand(Tensor([Int64](repeating: 1, count: 1024), shape: [1, 1024]))
    let indices = Operand(Tensor([Int64](repeating: 0, count: 1 << 20), shape: [1 << 20]))
    #expect(Gather(axis: 0).inferContents([shape, indices]) == nil)
    let column = Operand(Tensor([Int64](repeating: 2, count: 1024), shape: [1024, 1]))
    #expect(Binary(.power).inferContents([column, shape]) == nil)
    let list = Operand(Tensor([Int64](repeating: 1, count: 1024), shape: [1024]))
    let many = [Operand?](repeating: list, count: 100_000)
    #expect(Concat(axis: 0).inferContents(many) == nil)
  }
}
