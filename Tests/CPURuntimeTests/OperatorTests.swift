// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

/// An operator with inputs to compare on.
struct OperatorCase: Sendable, CustomTestStringConvertible {
  let name: String
  let op: any Op
  let shapes: [[Int]]
  var constants: [Tensor] = []
  var lowered = true

  var testDescription: String { name }

  /// No region of interest, and scales.
  private static func resizing(_ scales: [Float]) -> [Tensor] {
    [Tensor([Float](), shape: [0]), Tensor(scales, shape: [scales.count])]
  }

  private static func weights(_ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Float($0 * 7 % 13) / 13 - 0.4 }, shape: shape)
  }

  private static func list(_ values: Int64...) -> Tensor { Tensor(values, shape: [values.count]) }

  static let all = [
    OperatorCase(name: "Relu", op: Unary(.relu), shapes: [[2, 3, 4, 5]]),
    OperatorCase(name: "Sigmoid", op: Unary(.sigmoid), shapes: [[2, 7]]),
    OperatorCase(name: "Add", op: Binary(.add), shapes: [[2, 3, 4, 5], [2, 3, 4, 5]]),
    OperatorCase(name: "Add, broadcast", op: Binary(.add), shapes: [[2, 3, 4, 5], [3, 1, 1]]),
    OperatorCase(name: "Add, swapped", op: Binary(.add), shapes: [[3, 1, 1], [2, 3, 4, 5]]),
    OperatorCase(
      name: "Mul by channel", op: Binary(.multiply), shapes: [[2, 8, 4, 5], [2, 8, 1, 1]]),
    OperatorCase(name: "Sub scalar", op: Binary(.subtract), shapes: [[2, 3, 4, 5], []]),
    OperatorCase(
      name: "MaxPool", op: MaxPool(window: PoolingWindow(kernel: [3, 3], strides: [2, 2])),
      shapes: [[1, 5, 9, 9]]),
    OperatorCase(
      name: "MaxPool, ceil",
      op: MaxPool(window: PoolingWindow(kernel: [3, 3], strides: [2, 2], ceilMode: true)),
      shapes: [[1, 5, 10, 10]]),
    OperatorCase(
      name: "AveragePool",
      op: AveragePool(
        window: PoolingWindow(kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1, 1, 1]))),
      shapes: [[1, 5, 9, 9]]),
    OperatorCase(
      name: "AveragePool, counting pads",
      op: AveragePool(
        window: PoolingWindow(kernel: [2, 2], padding: .explicit([1, 1, 1, 1])),
        countsPadding: true),
      shapes: [[1, 5, 6, 6]]),
    OperatorCase(name: "GlobalAveragePool", op: GlobalPool(.average), shapes: [[2, 9, 5, 7]]),
    OperatorCase(
      name: "Gemm", op: Gemm(alpha: 0.5, beta: 2, transposesB: true), shapes: [[4, 6]],
      constants: [
        Tensor((0..<30).map { Float($0) / 30 }, shape: [5, 6]),
        Tensor((0..<5).map { Float($0) }, shape: [5]),
      ]),
    OperatorCase(
      name: "MatMul with a constant", op: MatMul(), shapes: [[2, 4, 6]],
      constants: [Tensor((0..<30).map { Float($0) / 30 }, shape: [6, 5])]),
    OperatorCase(name: "MatMul, batched", op: MatMul(), shapes: [[2, 3, 4, 6], [2, 3, 6, 5]]),
    OperatorCase(name: "Softmax", op: Softmax(axis: 1), shapes: [[3, 10]]),
    OperatorCase(name: "Softmax of maps", op: Softmax(axis: 1), shapes: [[2, 4, 3, 3]]),
    OperatorCase(
      name: "BatchNormalization", op: BatchNormalization(), shapes: [[2, 4, 3, 3]],
      constants: [
        Tensor([Float(1), 2, 0.5, -1], shape: [4]), Tensor([Float(0), 1, 2, 3], shape: [4]),
        Tensor([Float(0.1), 0.2, 0.3, 0.4], shape: [4]),
        Tensor([Float(1), 4, 0.25, 2], shape: [4]),
      ]),
    OperatorCase(
      name: "LayerNormalization", op: LayerNormalization(), shapes: [[2, 5, 8]],
      constants: [
        Tensor((0..<8).map { Float($0) / 4 }, shape: [8]),
        Tensor((0..<8).map { Float($0) }, shape: [8]),
      ]),
    OperatorCase(
      name: "Transpose", op: Transpose(permutation: [0, 2, 3, 1]), shapes: [[2, 3, 4, 5]]),
    OperatorCase(name: "Transpose of a matrix", op: Transpose(), shapes: [[33, 70]]),
    OperatorCase(name: "Flatten", op: Flatten(), shapes: [[2, 3, 4, 5]]),
    OperatorCase(
      name: "Reshape", op: Reshape(), shapes: [[2, 3, 4, 5]], constants: [list(2, 5, 12)]),
    OperatorCase(
      name: "Slice", op: Slice(), shapes: [[2, 6, 8, 8]],
      constants: [list(1, 0, 0), list(5, 8, 100), list(1, 2, 3), list(1, 2, 2)]),
    OperatorCase(
      name: "Slice backwards", op: Slice(), shapes: [[2, 6]],
      constants: [list(-1), list(-100), list(1), list(-1)]),
    OperatorCase(
      name: "Pad channels", op: Pad(), shapes: [[1, 4, 3, 3]],
      constants: [list(0, 2, 0, 0, 0, 2, 0, 0)]),
    OperatorCase(
      name: "Pad with a value", op: Pad(), shapes: [[1, 2, 3, 3]],
      constants: [list(0, 0, 1, 1, 0, 0, 1, 1), Tensor(scalar: Float(0.5))]),
    OperatorCase(name: "Concat", op: Concat(axis: 1), shapes: [[2, 3, 4, 4], [2, 5, 4, 4]]),
    OperatorCase(name: "Concat of rows", op: Concat(axis: 0), shapes: [[2, 3], [4, 3]]),
    OperatorCase(
      name: "Expand", op: Expand(), shapes: [[3, 1]], constants: [list(2, 3, 4)]),
    OperatorCase(name: "Erf", op: Unary(.erf), shapes: [[2, 7]], lowered: false),
    OperatorCase(
      name: "Sub of what broadcasts to each other", op: Binary(.subtract),
      shapes: [[2, 1, 5], [3, 1]]),
    OperatorCase(
      name: "Div of less by more", op: Binary(.divide), shapes: [[5], [2, 3, 5]]),
    OperatorCase(name: "PRelu", op: Binary(.prelu), shapes: [[2, 3, 4, 5], [3, 1, 1]]),
    OperatorCase(name: "Less", op: Binary(.less), shapes: [[2, 3, 4], [3, 1]]),
    OperatorCase(name: "GreaterOrEqual", op: Binary(.greaterOrEqual), shapes: [[2, 3], []]),
    OperatorCase(name: "IsNaN", op: Unary(.isNaN), shapes: [[2, 3]]),
    OperatorCase(name: "Reciprocal", op: Unary(.reciprocal), shapes: [[2, 3]]),
    OperatorCase(name: "Cast to truths", op: Cast(to: .bool), shapes: [[2, 3]]),
    OperatorCase(
      name: "Gather of rows", op: Gather(), shapes: [[6, 5]],
      constants: [Tensor([Int64(3), -1, 0, 3], shape: [2, 2])]),
    OperatorCase(
      name: "Gather in the middle", op: Gather(axis: 1), shapes: [[2, 6, 5]],
      constants: [list(5, -6)]),
    OperatorCase(
      name: "Gather of one", op: Gather(axis: -1), shapes: [[2, 6, 5]],
      constants: [Tensor(scalar: Int64(-2))]),
    OperatorCase(
      name: "DepthToSpace", op: DepthToSpace(blockSize: 2), shapes: [[2, 12, 3, 5]]),
    OperatorCase(
      name: "DepthToSpace, columns first",
      op: DepthToSpace(blockSize: 3, order: .columnRowDepth), shapes: [[1, 18, 2, 4]]),
    OperatorCase(
      name: "SpaceToDepth", op: SpaceToDepth(blockSize: 2), shapes: [[2, 3, 4, 6]]),
    OperatorCase(
      name: "Square", op: Binary(.power), shapes: [[2, 7]],
      constants: [Tensor(scalar: Float(2))]),
    OperatorCase(
      name: "Cube", op: Binary(.power), shapes: [[2, 7]], constants: [Tensor(scalar: Float(3))]),
    OperatorCase(
      name: "Odd power", op: Binary(.power), shapes: [[2, 7]],
      constants: [Tensor(scalar: Float(4.5))], lowered: false),
    OperatorCase(
      name: "ReduceMean of rows", op: Reduce(.mean), shapes: [[3, 4, 9]], constants: [list(-1)]),
    OperatorCase(
      name: "ReduceMean of maps", op: Reduce(.mean, keepsDimensions: false),
      shapes: [[2, 7, 5, 3]], constants: [list(2, 3)]),
    OperatorCase(
      name: "ReduceL2", op: Reduce(.l2), shapes: [[3, 4, 9]], constants: [list(1)]),
    OperatorCase(
      name: "ReduceL1", op: Reduce(.l1), shapes: [[3, 4, 9]], constants: [list(2)]),
    OperatorCase(name: "ReduceMax of all", op: Reduce(.maximum), shapes: [[3, 4, 9]]),
    OperatorCase(
      name: "ReduceMin", op: Reduce(.minimum, keepsDimensions: false), shapes: [[3, 4, 9]],
      constants: [list(0)]),
    OperatorCase(
      name: "ReduceLogSum", op: Reduce(.logSumExp), shapes: [[3, 4, 9]], constants: [list(0)],
      lowered: false),
    OperatorCase(
      name: "Resize to nearest", op: Resize(coordinates: .asymmetric, rounding: .floor),
      shapes: [[2, 3, 4, 5]], constants: resizing([1, 1, 2, 2])),
    OperatorCase(
      name: "Resize to nearest, smaller", op: Resize(), shapes: [[1, 3, 7, 9]],
      constants: resizing([1, 1, 0.6, 0.4])),
    OperatorCase(
      name: "Resize, linear", op: Resize(mode: .linear), shapes: [[2, 3, 4, 5]],
      constants: resizing([1, 1, 2, 1.7])),
    OperatorCase(
      name: "Resize, linear by corners",
      op: Resize(mode: .linear, coordinates: .alignCorners), shapes: [[1, 3, 4, 5]],
      constants: resizing([1, 1, 3, 2])),
    OperatorCase(
      name: "Resize, cubic", op: Resize(mode: .cubic), shapes: [[1, 3, 6, 5]],
      constants: resizing([1, 1, 2, 2])),
    OperatorCase(
      name: "ConvTranspose", op: ConvTranspose(strides: [2, 2]), shapes: [[2, 6, 5, 4]],
      constants: [weights([6, 5, 3, 3]), weights([5])]),
    OperatorCase(
      name: "ConvTranspose of groups",
      op: ConvTranspose(
        strides: [2, 2], padding: .explicit([1, 1, 1, 1]), group: 2, outputPadding: [1, 1]),
      shapes: [[1, 6, 5, 4]], constants: [weights([6, 4, 3, 3])]),
    OperatorCase(
      name: "ConvTranspose, dilated, of one axis",
      op: ConvTranspose(strides: [3], dilations: [2], padding: .explicit([1, 0])),
      shapes: [[2, 4, 7]], constants: [weights([4, 3, 3])]),
    OperatorCase(
      name: "ConvTranspose by channel",
      op: ConvTranspose(strides: [2, 1], padding: .explicit([1, 0, 1, 0]), group: 4),
      shapes: [[1, 4, 5, 5]], constants: [weights([4, 1, 4, 3])]),
  ]
}

@Suite("Compiled operators")
struct OperatorTests {
  @Test("Each operator equals the reference", arguments: OperatorCase.all)
  func real(_ given: OperatorCase) throws {
    var oracle = Oracle(seed: 11)
    var inputs: [(name: String?, tensor: Tensor?)] = given.shapes.enumerated().map {
      ("x\($0)", oracle.reals($1))
    }
    inputs += given.constants.map { (nil, $0) }
    let (graph, feeds) = Oracle.graph(given.op, inputs: inputs)
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 1e-5)
    #expect(
      try Oracle.implementations(graph, precision: .fp32).contains("reference") != given.lowered)
  }

  @Test(
    "Integers and truths equal the reference",
    arguments: [
      Binary(.add), Binary(.subtract), Binary(.multiply), Binary(.equal), Binary(.less),
      Binary(.greater), Binary(.and), Binary(.or), Binary(.xor),
    ] as [Binary], [ElementType.int64, .int32, .bool])
  func integers(_ op: Binary, _ type: ElementType) throws {
    let isLogical = [.and, .or, .xor].contains(op.function)
    let isOrdered = [.less, .greater, .add, .subtract, .multiply].contains(op.function)
    guard type == .bool ? !isOrdered : !isLogical else { return }
    var random = RandomSource(seed: 17)
    func tensor(_ shape: [Int]) -> Tensor {
      let values = (0..<shape.reduce(1, *)).map { _ in
        type == .bool ? Int64(random.nextIndex(below: 2)) : Int64(random.nextIndex(below: 9)) - 4
      }
      return Tensor(integers: values, shape: shape, elementType: type)
    }
    let (graph, feeds) = Oracle.graph(
      op, inputs: [("a", tensor([2, 1, 4])), ("b", tensor([3, 1]))])
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) == 0)
    #expect(try !Oracle.implementations(graph, precision: .fp32).contains("reference"))
  }

  @Test("Where chooses among operands that broadcast", arguments: [ElementType.float32, .int64])
  func chooses(_ type: ElementType) throws {
    let open = Tensor(integers: [1, 0, 1, 1, 0, 0], shape: [2, 1, 3], elementType: .bool)
    let left = Tensor(
      integers: (0..<12).map { Int64($0) }, shape: [4, 3], elementType: .int64)
    let right = Tensor(integers: [-7], shape: [], elementType: .int64)
    let (graph, feeds) = Oracle.graph(
      Where(),
      inputs: [
        ("c", open), ("a", left.converted(to: type)), ("b", right.converted(to: type)),
      ])
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) == 0)
    #expect(try !Oracle.implementations(graph, precision: .fp32).contains("reference"))
  }

  @Test("The channel shuffle of grouped networks is right")
  func channelShuffle() throws {
    var oracle = Oracle(seed: 12)
    var graph = Graph()
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: [2, 8, 3, 3]))
    let weight = graph.addConstant(oracle.reals([8, 8, 1, 1]), name: "w")
    let first = graph.addNode(Conv(), inputs: [input, weight], outputNames: ["a"])[0]
    let split = graph.addConstant(Tensor([Int64(2), 2, 4, 3, 3], shape: [5]), name: "s")
    let merge = graph.addConstant(Tensor([Int64(2), 8, 3, 3], shape: [4]), name: "m")
    let groups = graph.addNode(Reshape(), inputs: [first, split], outputNames: ["b"])[0]
    let swapped = graph.addNode(
      Transpose(permutation: [0, 2, 1, 3, 4]), inputs: [groups], outputNames: ["c"])[0]
    let merged = graph.addNode(Reshape(), inputs: [swapped, merge], outputNames: ["d"])[0]
    let last = graph.addNode(Conv(), inputs: [merged, weight], outputNames: ["e"])[0]
    graph.markOutput(last)
    graph.markOutput(merged)
    graph.inferTypes()
    let feeds = ["x": oracle.reals([2, 8, 3, 3])]
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 1e-5)
    #expect(try !Oracle.implementations(graph, precision: .fp32).contains("reference"))
  }

  @Test("Quantized sums, products, pools and tables are within one step of the reference")
  func codes() throws {
    let a = LinearCode(elementType: .uint8, scales: [0.02], zeroPoints: [100])
    let b = LinearCode(elementType: .uint8, scales: [0.03], zeroPoints: [5])
    let out = LinearCode(elementType: .uint8, scales: [0.05], zeroPoints: [60])
    let shape = [2, 8, 5, 5]
    let window = PoolingWindow(kernel: [3, 3], strides: [2, 2], padding: .explicit([1, 1, 1, 1]))
    let steps: [(Fused, [[Int]])] = [
      (
        Fused(
          root: Binary(.add), rootInputCount: 2, inputCodes: [a, b], stages: [.activation(.relu)],
          outputCode: out), [shape, shape]
      ),
      (
        Fused(root: Binary(.multiply), rootInputCount: 2, inputCodes: [a, b], outputCode: out),
        [shape, [2, 8, 1, 1]]
      ),
      (
        Fused(root: Binary(.multiply), rootInputCount: 2, inputCodes: [a, b], outputCode: out),
        [shape, shape]
      ),
      (
        Fused(root: GlobalPool(.average), rootInputCount: 1, inputCodes: [a], outputCode: out),
        [shape]
      ),
      (
        Fused(
          root: AveragePool(window: window), rootInputCount: 1, inputCodes: [a], outputCode: out),
        [shape]
      ),
      (
        Fused(root: Unary(.hardSwish), rootInputCount: 1, inputCodes: [a], outputCode: out), [shape]
      ),
      (
        Fused(root: Concat(axis: 1), rootInputCount: 2, inputCodes: [a, b], outputCode: out),
        [shape, [2, 3, 5, 5]]
      ),
      (
        Fused(root: Concat(axis: 1), rootInputCount: 2, inputCodes: [out, b], outputCode: out),
        [shape, [2, 3, 5, 5]]
      ),
    ]
    for (step, shapes) in steps {
      var oracle = Oracle(seed: 13)
      let (graph, feeds) = Oracle.graph(
        step, inputs: shapes.enumerated().map { ("x\($0)", oracle.codes($1, .uint8)) })
      #expect(try Oracle.difference(graph, feeds) <= 1, "\(step.kind)")
      #expect(try !Oracle.implementations(graph).contains("reference"), "\(step.kind)")
    }
  }

  @Test("Integer matrix products are within one step of the reference")
  func integerGemm() throws {
    var oracle = Oracle(seed: 14)
    let step = Fused(
      root: Gemm(transposesB: true), rootInputCount: 3,
      inputCodes: [
        LinearCode(elementType: .uint8, scales: [0.02], zeroPoints: [37]),
        LinearCode(
          elementType: .int8, scales: [0.01, 0.02, 0.03], zeroPoints: [0, 0, 0], axis: 0),
        LinearCode(
          elementType: .int32, scales: [0.0002, 0.0004, 0.0006], zeroPoints: [0, 0, 0], axis: 0),
      ])
    let (graph, feeds) = Oracle.graph(
      step,
      inputs: [
        ("x", oracle.codes([4, 24], .uint8)), (nil, oracle.codes([3, 24], .int8)),
        (nil, oracle.codes([3], .int8).converted(to: .int32)),
      ])
    #expect(try Oracle.difference(graph, feeds) < 1e-5)
  }

  @Test("Quantizing and dequantizing equal the reference")
  func quantize() throws {
    var oracle = Oracle(seed: 15)
    let scale = Tensor(scalar: Float(0.021))
    let zero = Tensor(scalar: UInt8(128))
    let (graph, feeds) = Oracle.graph(
      QuantizeLinear(),
      inputs: [("x", oracle.reals([2, 3, 9, 9], in: -3...3)), (nil, scale), (nil, zero)])
    // The kernel multiplies by the inverse of the scale, so ties may fall to the other side.
    #expect(try Oracle.difference(graph, feeds) <= 1)
    let back = Oracle.graph(
      DequantizeLinear(),
      inputs: [("x", oracle.codes([2, 3, 9, 9], .uint8)), (nil, scale), (nil, zero)])
    #expect(try Oracle.difference(back.0, back.1) < 1e-6)
  }

  @Test(
    "Extremes of rows that are infinite throughout, and of rows that hold what is no number",
    arguments: [Reduce.Function.maximum, .minimum])
  func extremes(function: Reduce.Function) throws {
    let infinity = Float.infinity
    let rows: [Float] = [-infinity, -infinity, infinity, infinity, 1, .nan, .nan, 2, -3, infinity]
    let axes = Tensor([Int64(1)], shape: [1])
    let (graph, feeds) = Oracle.graph(
      Reduce(function), inputs: [("x", Tensor(rows, shape: [5, 2])), (nil, axes)])
    let expected = try Interpreter(graph).run(feeds)[0].floats()
    let found = try CompiledModel(graph, options: CompileOptions(threads: 1)).run(feeds)[0]
    #expect(zip(found.floats(), expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
    #expect(try Oracle.implementations(graph).contains("swiftlet"))
  }
}
