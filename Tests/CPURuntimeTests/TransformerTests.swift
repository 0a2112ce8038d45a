// SPDX-License-Identifier: Apache-2.0
import CPURuntime
import GraphIR
import TensorCore
import Testing

@Suite("Compiled parts of transformers")
struct TransformerTests {
  /// Heads that lie where projections put them, as exporters write them.
  private static func attention(
    mask: [Int]?, closes: Bool = false, _ oracle: inout Oracle
  ) -> (Graph, [String: Tensor]) {
    var graph = Graph()
    var feeds: [String: Tensor] = [:]
    var heads: [ValueID] = []
    for (name, order) in [("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])] {
      let x = graph.addInput(name: name, type: TensorType(.float32, shape: [2, 6, 24]))
      feeds[name] = oracle.reals([2, 6, 24])
      let weight = graph.addConstant(oracle.reals([24, 24], in: -0.5...0.5), name: "w")
      let product = graph.addNode(MatMul(), inputs: [x, weight], outputNames: ["p"])[0]
      let shape = graph.addConstant(Tensor([Int64(2), 6, 3, 8], shape: [4]), name: "s")
      let split = graph.addNode(Reshape(), inputs: [product, shape], outputNames: ["r"])[0]
      heads += graph.addNode(
        Transpose(permutation: order), inputs: [split], outputNames: [name + "h"])
    }
    if let mask {
      heads.append(graph.addInput(name: "m", type: TensorType(.float32, shape: mask)))
      var values = oracle.reals(mask).floats()
      for index in 0..<6 where closes { values[index] = -.infinity }
      feeds["m"] = Tensor(values, shape: mask)
    }
    let op = DotProductAttention(scale: 0.35, closedRowsAreZero: closes)
    let result = graph.addNode(op, name: "attention", inputs: heads, outputNames: ["a"])[0]
    let back = graph.addNode(
      Transpose(permutation: [0, 2, 1, 3]), inputs: [result], outputNames: ["t"])[0]
    let flat = graph.addConstant(Tensor([Int64(2), 6, 24], shape: [3]), name: "f")
    graph.markOutput(graph.addNode(Reshape(), inputs: [back, flat], outputNames: ["y"])[0])
    graph.inferTypes()
    return (graph, feeds)
  }

  // Sums of 24 products and a softmax of 6 terms.
  @Test(
    "Attention equals the reference",
    arguments: [nil, [2, 1, 1, 6], [6, 6], [2, 3, 6, 6]] as [[Int]?])
  func attention(mask: [Int]?) throws {
    var oracle = Oracle(seed: 41)
    let (graph, feeds) = Self.attention(mask: mask, &oracle)
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 2e-5)
    // bf16 keeps 8 bits; some dozens of roundings.
    #expect(try Oracle.difference(graph, feeds, precision: .bf16) < 0.05)
    #expect(try !Oracle.implementations(graph, precision: .fp32).contains("reference"))
  }

  @Test("Attention copies no heads")
  func copies() throws {
    var oracle = Oracle(seed: 42)
    let (graph, _) = Self.attention(mask: nil, &oracle)
    let model = try CompiledModel(graph, options: CompileOptions(threads: 1, precision: .fp32))
    // The three copies of the caller's tensors are the only ones.
    #expect(model.steps.filter { $0.kind == "Copy" || $0.kind == "Layout" }.count == 3)
  }

  @Test("Rows that a mask closes have weights of 0")
  func closedRows() throws {
    var oracle = Oracle(seed: 43)
    let (graph, feeds) = Self.attention(mask: [2, 1, 6, 6], closes: true, &oracle)
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 2e-5)
  }

  @Test("Products take bias, activation and sum", arguments: [false, true])
  func stages(isConstant: Bool) throws {
    var oracle = Oracle(seed: 44)
    for activation in [Unary.Function.gelu(tanhApproximation: false), .relu, .tanh] {
      let fused = Fused(
        root: MatMul(), rootInputCount: 2,
        stages: [.add(nil), .activation(activation), .add(nil)])
      let right = isConstant ? [16, 10] : [2, 16, 10]
      let (graph, feeds) = Oracle.graph(
        fused,
        inputs: [
          ("x", oracle.reals([2, 5, 16])), (isConstant ? nil : "w", oracle.reals(right)),
          (nil, oracle.reals([10])), ("r", oracle.reals([2, 5, 10])),
        ])
      #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 1e-5)
      #expect(try !Oracle.implementations(graph, precision: .fp32).contains("reference"))
    }
  }

  @Test("Integer products of rows take bias and activation", arguments: [true, false])
  func integers(givesCodes: Bool) throws {
    var oracle = Oracle(seed: 45)
    let source = LinearCode(elementType: .uint8, scales: [0.02], zeroPoints: [120])
    let weight = LinearCode(
      elementType: .int8, scales: (0..<10).map { 0.01 + 0.002 * Float($0) },
      zeroPoints: Array(repeating: 0, count: 10), axis: 1)
    let out = LinearCode(elementType: .uint8, scales: [0.05], zeroPoints: [30])
    let fused = Fused(
      root: MatMul(), rootInputCount: 2, inputCodes: [source, weight],
      stages: [.add(nil), .activation(.gelu(tanhApproximation: false))],
      outputCode: givesCodes ? out : nil)
    let (graph, feeds) = Oracle.graph(
      fused,
      inputs: [
        ("x", oracle.codes([2, 5, 16], .uint8)), (nil, oracle.codes([16, 10], .int8)),
        (nil, oracle.reals([10])),
      ])
    #expect(try Oracle.difference(graph, feeds) <= (givesCodes ? 1 : 1e-5))
    #expect(try !Oracle.implementations(graph).contains("reference"))
  }

  @Test("Integer products add codes to results that stay real")
  func codedAddends() throws {
    var oracle = Oracle(seed: 49)
    let source = LinearCode(elementType: .uint8, scales: [0.02], zeroPoints: [120])
    let weight = LinearCode(elementType: .int8, scales: [0.01], zeroPoints: [0])
    let addend = LinearCode(elementType: .uint8, scales: [0.03], zeroPoints: [110])
    let fused = Fused(
      root: MatMul(), rootInputCount: 2, inputCodes: [source, weight],
      stages: [.add(nil), .add(addend)])
    let (graph, feeds) = Oracle.graph(
      fused,
      inputs: [
        ("x", oracle.codes([2, 5, 16], .uint8)), (nil, oracle.codes([16, 10], .int8)),
        (nil, oracle.reals([10])), ("r", oracle.codes([2, 5, 10], .uint8)),
      ])
    #expect(try Oracle.difference(graph, feeds) < 1e-5)
    let model = try CompiledModel(graph, options: CompileOptions(threads: 1, precision: .int8))
    #expect(model.steps.filter { $0.kind == "MatMul" }.map(\.precision) == ["u8"])
  }

  @Test("Quantizing keeps the order of axes in memory")
  func quantizedHeads() throws {
    var oracle = Oracle(seed: 50)
    let made = Self.attention(mask: nil, &oracle)
    var graph = made.0
    let feeds = made.1
    let attention = try #require(graph.nodes.firstIndex { $0.op is DotProductAttention })
    let result = try #require(graph.nodes[attention].outputs[0])
    let flat = try #require(graph.nodes.last?.inputs[1])
    let nodes = Array(graph.nodes[...attention])
    let scale = graph.addConstant(Tensor(scalar: Float(0.05)), name: "scale")
    let zero = graph.addConstant(Tensor(scalar: UInt8(128)), name: "zero")
    let outputs = graph.outputs
    graph.setNodes(nodes)
    let codes = graph.addNode(
      QuantizeLinear(), inputs: [result, scale, zero], outputNames: ["codes"])[0]
    let moved = graph.addNode(
      Transpose(permutation: [0, 2, 1, 3]), inputs: [codes], outputNames: ["moved"])[0]
    let rows = graph.addNode(Reshape(), inputs: [moved, flat], outputNames: ["rows"])[0]
    graph.addNode(
      DequantizeLinear(), name: "real", inputs: [rows, scale, zero], outputs: outputs)
    graph.inferTypes()
    // One step of the code, relative to numbers of up to a few units.
    #expect(try Oracle.difference(graph, feeds) < 0.05)
    let model = try CompiledModel(graph, options: CompileOptions(threads: 1, precision: .int8))
    #expect(model.steps.filter { ["Copy", "Layout", "Reshape"].contains($0.kind) }.count == 3)
  }

  @Test("Products of two quantized tensors run on reals")
  func quantizedOperands() throws {
    var oracle = Oracle(seed: 46)
    let code = LinearCode(elementType: .uint8, scales: [0.02], zeroPoints: [120])
    let fused = Fused(root: MatMul(), rootInputCount: 2, inputCodes: [code, code])
    let (graph, feeds) = Oracle.graph(
      fused,
      inputs: [("x", oracle.codes([2, 5, 16], .uint8)), ("y", oracle.codes([2, 16, 3], .uint8))])
    #expect(try Oracle.difference(graph, feeds) < 1e-5)
    #expect(try !Oracle.implementations(graph).contains("reference"))
  }

  @Test("Codes inside a product of reals are rounded to", arguments: [true, false])
  func innerCodes(isConvolution: Bool) throws {
    var oracle = Oracle(seed: 47)
    let inner = LinearCode(elementType: .uint8, scales: [0.1], zeroPoints: [128])
    let root: any Op = isConvolution ? Conv() : MatMul()
    let fused = Fused(
      root: root, rootInputCount: 2, stages: [.recode(inner), .activation(.tanh)])
    let (graph, feeds) = Oracle.graph(
      fused,
      inputs: [
        ("x", oracle.reals(isConvolution ? [1, 4, 3, 3] : [3, 4])),
        (nil, oracle.reals(isConvolution ? [5, 4, 1, 1] : [4, 5])),
      ])
    // A sum next to a tie may round to the other code.
    #expect(try Oracle.difference(graph, feeds, precision: .fp32) < 0.1)
  }

  @Test("Products of tensors quantized by their own range equal the reference")
  func dynamic() throws {
    var oracle = Oracle(seed: 48)
    var graph = Graph()
    let x = graph.addInput(name: "x", type: TensorType(.float32, shape: [2, 5, 16]))
    let q = graph.addNode(
      DynamicQuantizeLinear(), name: "q", inputs: [x], outputNames: ["c", "s", "z"])
    let weight = graph.addConstant(oracle.codes([16, 10], .int8), name: "w")
    let scales = graph.addConstant(oracle.reals([10], in: 0.01...0.02), name: "ws")
    let bias = graph.addConstant(oracle.reals([10]), name: "b")
    let fused = Fused(
      root: DynamicMatMul(), rootInputCount: 5, stages: [.add(nil), .activation(.relu)])
    let y = graph.addNode(
      fused, name: "p", inputs: [q[0], q[1], q[2], weight, scales, bias], outputNames: ["y"])
    graph.markOutput(y[0])
    for value in q { graph.markOutput(value) }
    graph.inferTypes()
    let feeds = ["x": oracle.reals([2, 5, 16])]
    // The codes may differ by one at ties; the other outputs are reals.
    #expect(try Oracle.difference(graph, feeds) <= 1)
    let model = try CompiledModel(graph, options: CompileOptions(threads: 2, precision: .int8))
    let want = try Interpreter(graph).run(feeds)[0].reals()
    let got = try model.run(feeds)[0].reals()
    for (a, b) in zip(got, want) { #expect(abs(a - b) < 0.02) }
    #expect(try !Oracle.implementations(graph).contains("reference"))
  }
}
