// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

/// One convolution to try: shapes and attributes.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var input: [Int]
  var outputs: Int
  var kernel: [Int]
  var strides: [Int] = []
  var dilations: [Int] = []
  var pads: [Int] = []
  var group = 1

  var op: Conv {
    Conv(strides: strides, dilations: dilations, padding: .explicit(pads), group: group)
  }

  var weightShape: [Int] { [outputs, input[1] / group] + kernel }

  var testDescription: String {
    "\(input) → \(outputs), kernel \(kernel), strides \(strides), dilations \(dilations), "
      + "pads \(pads), group \(group)"
  }

  static let all = [
    ConvolutionCase(input: [1, 3, 9, 9], outputs: 8, kernel: [3, 3], pads: [1, 1, 1, 1]),
    ConvolutionCase(input: [2, 16, 7, 7], outputs: 24, kernel: [1, 1]),
    ConvolutionCase(
      input: [1, 3, 15, 15], outputs: 16, kernel: [7, 7], strides: [2, 2], pads: [3, 3, 3, 3]),
    ConvolutionCase(
      input: [1, 8, 10, 6], outputs: 8, kernel: [3, 3], strides: [2, 1], pads: [0, 0, 1, 1]),
    ConvolutionCase(
      input: [2, 32, 9, 9], outputs: 32, kernel: [3, 3], pads: [1, 1, 1, 1], group: 32),
    ConvolutionCase(
      input: [1, 24, 11, 11], outputs: 24, kernel: [5, 5], strides: [2, 2], pads: [2, 2, 2, 2],
      group: 24),
    ConvolutionCase(
      input: [1, 16, 9, 9], outputs: 32, kernel: [3, 3], pads: [1, 1, 1, 1], group: 4),
    ConvolutionCase(
      input: [1, 8, 12, 12], outputs: 8, kernel: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2]),
  ]
}

@Suite("Compiled convolutions")
struct ConvolutionTests {
  // Sums of up to a few hundred products in f32: relative rounding stays below 1e-5.
  @Test("Real convolutions equal the reference", arguments: ConvolutionCase.all)
  func real(_ given: ConvolutionCase) throws {
    var oracle = Oracle(seed: 1)
    let (graph, feeds) = Oracle.graph(
      given.op,
      inputs: [
        ("x", oracle.reals(given.input)), (nil, oracle.reals(given.weightShape)),
        (nil, oracle.reals([given.outputs])),
      ])
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 1e-5)
  }

  @Test("Convolutions over one and three spatial axes equal the reference")
  func otherRanks() throws {
    var oracle = Oracle(seed: 2)
    let line = Oracle.graph(
      Conv(strides: [2], padding: .explicit([1, 2])),
      inputs: [("x", oracle.reals([2, 4, 17])), (nil, oracle.reals([6, 4, 5]))])
    #expect(try Oracle.difference(line.0, line.1, precision: .fp32) < 1e-5)
    let volume = Oracle.graph(
      Conv(padding: .explicit([1, 1, 1, 1, 1, 1])),
      inputs: [("x", oracle.reals([1, 3, 5, 6, 7])), (nil, oracle.reals([4, 3, 3, 3, 3]))])
    #expect(try Oracle.difference(volume.0, volume.1, precision: .fp32) < 1e-5)
  }

  @Test(
    "Fused activations equal the reference",
    arguments: [
      Unary.Function.relu, .hardSwish, .sigmoid, .swish(alpha: 1), .leakyRelu(alpha: 0.1), .tanh,
      .hardSigmoid(alpha: 0.2, beta: 0.5), .elu(alpha: 1), .gelu(tanhApproximation: false),
    ])
  func activations(_ function: Unary.Function) throws {
    var oracle = Oracle(seed: 3)
    let fused = Fused(
      root: Conv(padding: .explicit([1, 1, 1, 1])), rootInputCount: 2,
      stages: [.activation(function)])
    let (graph, feeds) = Oracle.graph(
      fused,
      inputs: [
        ("x", oracle.reals([1, 4, 6, 6])), (nil, oracle.reals([8, 4, 3, 3], in: -0.2...0.2)),
      ]
    )
    // oneDNN's polynomials for exp, tanh and erf are good to about 1e-5 of the largest result.
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 2e-5)
  }

  // The product is exact; scaling in one order or another moves a result by a rounding of f32,
  // which can tip a code over by one.
  @Test(
    "Integer convolutions are within one step of the reference",
    arguments: ConvolutionCase.all, [ElementType.uint8, .int8])
  func integer(_ given: ConvolutionCase, type: ElementType) throws {
    for (zeroPoint, stages): (Int32, [Fused.Stage]) in [
      (0, [.activation(.relu)]), (type == .uint8 ? 117 : -9, []),
      (0, [.clip(lower: 0, upper: 6)]), (type == .uint8 ? 10 : 3, [.activation(.hardSwish)]),
    ] {
      var oracle = Oracle(seed: 4)
      let (graph, feeds) = Oracle.graph(
        integerStep(given, type, zeroPoint: zeroPoint, stages: stages),
        inputs: [
          ("x", oracle.codes(given.input, type)),
          (nil, oracle.codes(given.weightShape, .int8)),
          (nil, oracle.codes([given.outputs], .int8).converted(to: .int32)),
        ])
      #expect(try Oracle.difference(graph, feeds) <= 1)
      #expect(try !Oracle.implementations(graph).contains("reference"))
    }
  }

  @Test("An integer convolution adds its residual within one step")
  func residual() throws {
    for (type, zeroPoint) in [(ElementType.uint8, Int32(0)), (.uint8, 120), (.int8, -3)] {
      var oracle = Oracle(seed: 5)
      let given = ConvolutionCase(
        input: [2, 16, 7, 7], outputs: 16, kernel: [3, 3], pads: [1, 1, 1, 1])
      let addend = LinearCode(elementType: type, scales: [0.05], zeroPoints: [zeroPoint])
      let step = integerStep(
        given, .uint8, zeroPoint: 0, stages: [.add(addend), .activation(.relu)])
      let (graph, feeds) = Oracle.graph(
        step,
        inputs: [
          ("x", oracle.codes(given.input, .uint8)),
          (nil, oracle.codes(given.weightShape, .int8)),
          (nil, oracle.codes([16], .int8).converted(to: .int32)),
          ("r", oracle.codes([2, 16, 7, 7], type)),
        ])
      #expect(try Oracle.difference(graph, feeds) <= 1)
    }
  }

  @Test("Codes between a convolution and its residual are rounded to inside the step")
  func innerCodes() throws {
    for (zeroPoint, stages): (Int32, [Fused.Stage]) in [
      (0, []), (131, []), (7, [.activation(.relu)]),
    ] {
      var oracle = Oracle(seed: 16)
      let given = ConvolutionCase(input: [2, 8, 7, 7], outputs: 16, kernel: [1, 1])
      let inner = LinearCode(elementType: .uint8, scales: [0.4], zeroPoints: [zeroPoint])
      let addend = LinearCode(elementType: .uint8, scales: [0.05], zeroPoints: [90])
      let step = integerStep(
        given, .uint8, zeroPoint: 117, stages: stages + [.recode(inner), .add(addend)])
      let (graph, feeds) = Oracle.graph(
        step,
        inputs: [
          ("x", oracle.codes(given.input, .uint8)),
          (nil, oracle.codes(given.weightShape, .int8)),
          (nil, oracle.codes([16], .int8).converted(to: .int32)),
          ("r", oracle.codes([2, 16, 7, 7], .uint8)),
        ])
      // A tie of the inner codes may fall to the other side: 0.4 of 0.085 is 5 steps, rarely.
      let want = try Interpreter(graph).run(feeds)[0].integers()
      let got = try CompiledModel(graph).run(feeds)[0].integers()
      let different = zip(want, got).filter { abs($0 - $1) > 1 }.count
      #expect(different * 500 <= want.count)
    }
  }

  @Test("A convolution may add its own input")
  func ownInput() throws {
    var oracle = Oracle(seed: 6)
    var graph = Graph()
    let input = graph.addInput(name: "x", type: TensorType(.float32, shape: [1, 8, 6, 6]))
    let start = graph.addNode(Unary(.relu), inputs: [input], outputNames: ["start"])[0]
    let weight = graph.addConstant(oracle.reals([8, 8, 3, 3]), name: "w")
    let sum = graph.addNode(
      Fused(root: Conv(padding: .explicit([1, 1, 1, 1])), rootInputCount: 2, stages: [.add(nil)]),
      inputs: [start, weight, start], outputNames: ["y"])[0]
    graph.markOutput(sum)
    graph.inferTypes()
    let feeds = ["x": oracle.reals([1, 8, 6, 6])]
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 1e-5)
  }

  // bfloat16 keeps 8 bits: each operand is off by up to 2⁻⁹ of itself.
  @Test("Convolutions in bfloat16 are near the reference")
  func bfloat16() throws {
    var oracle = Oracle(seed: 7)
    let (graph, feeds) = Oracle.graph(
      Conv(padding: .explicit([1, 1, 1, 1])),
      inputs: [("x", oracle.reals([1, 16, 8, 8])), (nil, oracle.reals([16, 16, 3, 3]))])
    #expect(try Oracle.difference(graph, feeds, precision: .bf16) < 0.02)
  }

  @Test("A quantized step run in floating point stays within one step")
  func throughReals() throws {
    var oracle = Oracle(seed: 8)
    let given = ConvolutionCase.all[0]
    let (graph, feeds) = Oracle.graph(
      integerStep(given, .uint8, zeroPoint: 5, stages: [.activation(.relu)]),
      inputs: [
        ("x", oracle.codes(given.input, .uint8)), (nil, oracle.codes(given.weightShape, .int8)),
        (nil, oracle.codes([given.outputs], .int8).converted(to: .int32)),
      ])
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) <= 1)
  }

  @Test("Results are the same bytes for one and two threads", arguments: ConvolutionCase.all)
  func threads(_ given: ConvolutionCase) throws {
    var oracle = Oracle(seed: 9)
    let (graph, feeds) = Oracle.graph(
      integerStep(given, .uint8, zeroPoint: 7, stages: [.activation(.relu)]),
      inputs: [
        ("x", oracle.codes(given.input, .uint8)), (nil, oracle.codes(given.weightShape, .int8)),
        (nil, oracle.codes([given.outputs], .int8).converted(to: .int32)),
      ])
    let outputs = try [1, 2].map { threads in
      try CompiledModel(graph, options: CompileOptions(threads: threads)).run(feeds)
    }
    #expect(outputs[0] == outputs[1])
  }

  private func integerStep(
    _ given: ConvolutionCase, _ type: ElementType, zeroPoint: Int32, stages: [Fused.Stage]
  ) -> Fused {
    let taps = given.weightShape.dropFirst().reduce(1, *)
    let scale = Float(0.02)
    let weightScales = (0..<given.outputs).map { Float(0.01) + Float($0) * 0.0005 }
    return Fused(
      root: given.op, rootInputCount: 3,
      inputCodes: [
        LinearCode(elementType: type, scales: [scale], zeroPoints: [zeroPoint]),
        LinearCode(
          elementType: .int8, scales: weightScales,
          zeroPoints: [Int32](repeating: 0, count: given.outputs), axis: 0),
        LinearCode(
          elementType: .int32, scales: weightScales.map { $0 * scale * 50 },
          zeroPoints: [Int32](repeating: 0, count: given.outputs), axis: 0),
      ], stages: stages,
      outputCode: LinearCode(
        elementType: .uint8, scales: [0.03 * Float(taps).squareRoot()], zeroPoints: [11]))
  }
}
