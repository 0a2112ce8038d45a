// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore
import Testing

@Suite("Gradients of pools, normalizations, reductions and movements agree with finite differences")
struct StructureGradientTests {
  private static func pool(
    _ name: String, _ op: any Op, _ shape: [Int] = [2, 2, 5, 6]
  ) -> GradientCase {
    GradientCase(name) { $0.node(op, $0.variable(shape)) }
  }

  private static let windows: [(String, PoolingWindow)] = [
    ("plain", PoolingWindow(kernel: [2, 2], strides: [2, 2])),
    ("overlapping", PoolingWindow(kernel: [3, 2], strides: [1, 1])),
    ("padded", PoolingWindow(kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1, 1, 1]))),
    ("dilated", PoolingWindow(kernel: [2, 2], dilations: [2, 3])),
    (
      "rounded up",
      PoolingWindow(
        kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 0, 1, 0]), ceilMode: true)
    ),
    ("same upper", PoolingWindow(kernel: [2, 3], strides: [2, 2], padding: .sameUpper)),
  ]

  static let pools: [GradientCase] =
    windows.flatMap { name, window in
      [
        pool("max, \(name)", MaxPool(window: window)),
        pool("average, \(name)", AveragePool(window: window)),
        pool("average with padding, \(name)", AveragePool(window: window, countsPadding: true)),
      ]
    } + [
      pool("max of one axis", MaxPool(window: PoolingWindow(kernel: [3])), [2, 2, 6]),
      pool(
        "average of three axes", AveragePool(window: PoolingWindow(kernel: [2, 2, 2])),
        [
          1, 2, 3, 3, 3,
        ]),
      pool("global average", GlobalPool(.average)), pool("global maximum", GlobalPool(.maximum)),
      pool("global average of one axis", GlobalPool(.average), [2, 3, 4]),
      pool("global maximum without axes", GlobalPool(.maximum), [2, 3]),
    ]

  @Test("Pools", arguments: pools)
  func pooling(_ gradient: GradientCase) throws { try gradient.check() }

  private static func batchNormalization(
    _ activation: TrainingActivation, _ shape: [Int], hasAddend: Bool
  ) -> GradientCase {
    GradientCase("\(activation), \(shape), addend \(hasAddend)") {
      let channels = [shape[1]]
      var inputs: [ValueID?] = [
        $0.variable(shape), $0.variable(channels, 0.5, 4), $0.variable(channels, 0.5, 2),
        $0.constant(channels), $0.constant(channels, 0.5, 1),
      ]
      if hasAddend { inputs.append($0.variable(shape)) }
      return $0.nodes(BatchStatisticsNormalization(activation: activation), inputs, 5)[0]
    }
  }

  static let batchNormalizations: [GradientCase] =
    [TrainingActivation.none, .relu, .relu6].flatMap { activation in
      [[2, 3, 2, 3], [6, 2], [3, 2, 4]].flatMap { shape in
        [false, true].map { batchNormalization(activation, shape, hasAddend: $0) }
      }
    } + [batchNormalization(.hardSwish, [2, 3, 2, 2], hasAddend: false)]

  @Test("Batch normalization by the batch's statistics", arguments: batchNormalizations)
  func batchNormalization(_ gradient: GradientCase) throws { try gradient.check() }

  static let normalizations: [GradientCase] =
    [
      GradientCase("batch normalization by stored statistics") {
        $0.node(
          BatchNormalization(epsilon: 0.1), $0.variable([2, 3, 2, 2]), $0.variable([3]),
          $0.variable([3]), $0.constant([3]), $0.constant([3], 0.5, 1))
      },
      GradientCase("rows of unit length") {
        $0.node(RowNormalization(), $0.variable([3, 2, 4]))
      },
    ]
    + [-1, 1, 0].flatMap { axis in
      [[4], [3, 4], [3, 1], []].map { scale in
        GradientCase("layer normalization from axis \(axis), scale \(scale)") {
          $0.node(
            LayerNormalization(axis: axis, epsilon: 0.01), $0.variable([2, 3, 4]),
            $0.variable(scale), $0.variable([4]))
        }
      }
    }
    + [-1, 1, 0].flatMap { axis in
      [false, true].flatMap { isLogarithm in
        [false, true].map { flattens in
          GradientCase("softmax, axis \(axis), logarithm \(isLogarithm), flat \(flattens)") {
            $0.node(
              Softmax(axis: axis, isLogarithm: isLogarithm, flattensTrailingAxes: flattens),
              $0.variable([2, 3, 2]))
          }
        }
      }
    }

  @Test("Other normalizations", arguments: normalizations)
  func normalization(_ gradient: GradientCase) throws { try gradient.check() }

  private static let reductions: [GradientCase] =
    Reduce.Function.allCases.filter { $0 != .product }.flatMap { function in
      [([], true), ([1], true), ([1], false), ([0, -1], false), ([], false)].map {
        (axes: [Int64], keeps: Bool) in
        GradientCase("\(function.rawValue) \(axes) \(keeps)") {
          let x = $0.variable([2, 3, 2], 0.2, 2)
          let list = axes.isEmpty ? nil : $0.constant(Tensor(axes, shape: [axes.count]))
          return $0.node(Reduce(function, keepsDimensions: keeps), x, list)
        }
      }
    } + [
      GradientCase("no axes mean none") {
        let axes = $0.constant(Tensor([Int64](), shape: [0]))
        return $0.node(Reduce(.sumOfSquares, emptyAxesMeanNone: true), $0.variable([2, 3]), axes)
      }
    ]

  @Test("Reductions", arguments: reductions)
  func reduction(_ gradient: GradientCase) throws { try gradient.check() }

  static let movements: [GradientCase] = [
    GradientCase("reshape") { $0.node(Reshape(), $0.variable([2, 6]), $0.list(3, -1)) },
    GradientCase("flatten") { $0.node(Flatten(axis: 2), $0.variable([2, 3, 2, 2])) },
    GradientCase("squeeze") { $0.node(Squeeze(), $0.variable([2, 1, 3, 1]), $0.list(1)) },
    GradientCase("unsqueeze") { $0.node(Unsqueeze(), $0.variable([2, 3]), $0.list(0, -1)) },
    GradientCase("transpose") {
      $0.node(Transpose(permutation: [2, 0, 1]), $0.variable([2, 3, 4]))
    },
    GradientCase("transpose, reversed") { $0.node(Transpose(), $0.variable([2, 3, 4])) },
    GradientCase("expand") { $0.node(Expand(), $0.variable([3, 1]), $0.list(2, 3, 4)) },
    GradientCase("concat") {
      let parts = [$0.variable([2, 1, 2]), $0.variable([2, 3, 2]), $0.constant([2, 2, 2])]
      return $0.nodes(Concat(axis: -2), parts, 1)[0]
    },
    GradientCase("split, all parts used") {
      let parts = $0.nodes(Split(axis: 1), [$0.variable([2, 5]), $0.list(2, 2, 1)], 3)
      let sum = $0.node(Binary(.multiply), parts[0], parts[1])
      return $0.node(Binary(.multiply), sum, parts[2])
    },
    GradientCase("split, one part used") {
      $0.nodes(Split(axis: 0), [$0.variable([4, 2])], 2)[1]
    },
    GradientCase("slice") {
      $0.node(Slice(), $0.variable([4, 5]), $0.list(1, -4), $0.list(3, 9), $0.list(0, 1))
    },
    GradientCase("slice with steps, backwards too") {
      $0.node(
        Slice(), $0.variable([5, 6]), $0.list(-1, 1), $0.list(-99, 6), $0.list(0, 1),
        $0.list(-2, 3))
    },
    GradientCase("slice of everything") {
      $0.node(Slice(), $0.variable([3, 2]), $0.list(0), $0.list(Int64.max))
    },
    GradientCase("pad") { $0.node(Pad(), $0.variable([2, 3]), $0.list(1, 0, 2, 1)) },
    GradientCase("pad along one axis, cutting off") {
      $0.node(
        Pad(), $0.variable([2, 4]), $0.list(1, -2), $0.constant([], 3, 3), $0.list(1))
    },
    GradientCase("gather rows") {
      let rows = $0.constant(Tensor([Int64(0), 2, 2, -1], shape: [2, 2]))
      return $0.node(Gather(), $0.variable([4, 3]), rows)
    },
    GradientCase("gather along the middle") {
      let rows = $0.constant(Tensor([Int64(1), 1, 0], shape: [3]))
      return $0.node(Gather(axis: 1), $0.variable([2, 3, 2]), rows)
    },
    GradientCase("gather along the last, a matrix of indices") {
      let rows = $0.constant(Tensor([Int32(1), 1, 0, -1], shape: [2, 2]))
      return $0.node(Gather(axis: -1), $0.variable([2, 3]), rows)
    },
    GradientCase("gather one") {
      $0.node(Gather(axis: 1), $0.variable([2, 3]), $0.constant(Tensor(scalar: Int64(1))))
    },
    GradientCase("gather elements") {
      let places = $0.constant(Tensor([Int64(1), 1, 0, -1], shape: [2, 2]))
      return $0.node(GatherElements(axis: 1), $0.variable([2, 3]), places)
    },
    GradientCase("triangle") { $0.node(Trilu(isUpper: false), $0.variable([3, 3])) },
    GradientCase("running sum") {
      $0.node(
        CumSum(isExclusive: true), $0.variable([2, 4]), $0.constant(Tensor(scalar: Int64(1))))
    },
  ]

  private static let blocks: [GradientCase] =
    [DepthToSpace.Order.depthColumnRow, .columnRowDepth].flatMap { order in
      [
        GradientCase("depth to space, \(order)") {
          $0.node(DepthToSpace(blockSize: 2, order: order), $0.variable([1, 8, 2, 3]))
        },
        GradientCase("space to depth, \(order)") {
          $0.node(SpaceToDepth(blockSize: 2, order: order), $0.variable([1, 2, 4, 2]))
        },
      ]
    }

  @Test("Movements", arguments: movements + blocks)
  func movement(_ gradient: GradientCase) throws { try gradient.check() }

  @Test("Softmax cross-entropy, for logits and targets")
  func crossEntropy() throws {
    let entropy = GradientCase("cross-entropy") {
      $0.nodes(
        SoftmaxCrossEntropy(), [$0.variable([3, 4], -2, 2), $0.variable([3, 4], 0, 1)], 2)[0]
    }
    try entropy.check()
  }
}
