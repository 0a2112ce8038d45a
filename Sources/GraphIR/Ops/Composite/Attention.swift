// SPDX-License-Identifier: Apache-2.0
public import TensorCore

/// Scaled dot-product attention over heads.
///
/// Inputs Q, K, V and optionally a mask (boolean, or added), the past keys and values that K and V
/// are appended to, and the number of keys of each sample that are no padding. Outputs Y, the keys
/// and values with the past ones, and the scores.
///
/// Q is `[batch, heads, length, size]` and K, V are `[batch, keyHeads, keys, size]`, or all are
/// `[batch, length, heads · size]`. Every key head serves as many query heads.
///
/// Source: ONNX, operator Attention, versions 23 to 25. A row that the masks close entirely has
/// the weights 0.
public struct Attention: CompositeOp {
  /// What the fourth output shows of the scores.
  public enum Scores: Int, Sendable { case raw = 0, capped, masked, normalized }

  public var kind: String { "Attention" }
  /// Heads of inputs of rank 3.
  public var queryHeads: Int?
  public var keyHeads: Int?
  /// The factor of the products; one over the root of the head size if `nil`.
  public var scale: Float?
  public var isCausal: Bool
  /// The bound of the scores, which they approach as a hyperbolic tangent; 0 for none.
  public var softcap: Float
  public var scores: Scores
  public var softmaxPrecision: ElementType?
  /// Keys before and after a query's own that it sees; −1 for all.
  public var leftWindow: Int
  public var rightWindow: Int

  public init(
    queryHeads: Int? = nil, keyHeads: Int? = nil, scale: Float? = nil, isCausal: Bool = false
  ) {
    self.queryHeads = queryHeads
    self.keyHeads = keyHeads
    self.scale = scale
    self.isCausal = isCausal
    softcap = 0
    scores = .raw
    leftWindow = -1
    rightWindow = -1
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(3...7)
    try checkOutputCount(outputCount, 1...4)
    let (given, isFlat) = try headed(inputs, &body)
    var (key, value) = (given.key, given.value)
    let query = given.query
    if let pastKey = inputs.optional(4), let pastValue = inputs.optional(5) {
      key = try body.add(Concat(axis: 2), pastKey, key)
      value = try body.add(Concat(axis: 2), pastValue, value)
    }
    let present = (key: key, value: value)
    let repeats = try repeats(query, key, &body)
    key = try repeated(key, repeats, &body)
    value = try repeated(value, repeats, &body)

    let type = try body.elementType(query)
    let size = try body.extent(query, 3)
    let factor = scale.map { Double($0) } ?? 1 / Double(size).squareRoot()
    let root = body.scalar(factor.squareRoot(), type)
    var shown = try body.add(
      MatMul(), body.binary(.multiply, query, root),
      body.binary(.multiply, body.transpose(key, [0, 1, 3, 2]), root))
    if softcap > 0 {
      let bound = body.scalar(Double(softcap), type)
      let capped = try body.binary(
        .multiply, body.unary(.tanh, body.binary(.divide, shown, bound)), bound)
      shown = capped
    }
    var logits = shown
    let bias = try bias(inputs, query: query, key: key, &body)
    if let bias { logits = try body.binary(.add, logits, bias) }
    if scores == .masked { shown = logits }
    if let softmaxPrecision { logits = try body.cast(logits, to: softmaxPrecision) }
    var weights = try body.add(Softmax(axis: -1), logits)
    if let bias {
      let open = try body.reduce(.maximum, bias, axes: [-1])
      let isClosed = try body.binary(.equal, open, body.scalar(-.infinity, type))
      let zero = body.scalar(0, try body.elementType(weights))
      weights = try body.add(Where(), isClosed, zero, weights)
    }
    weights = try body.cast(weights, to: type)
    if scores == .normalized { shown = weights }
    var output = try body.add(MatMul(), weights, value)
    if isFlat {
      output = try body.reshape(body.transpose(output, [0, 2, 1, 3]), [0, 0, -1])
    }
    return [output, present.key, present.value, shown]
  }

  /// Queries, keys and values as `[batch, heads, length, size]`.
  private func headed(
    _ inputs: [ValueID?], _ body: inout Composition
  ) throws(OpError) -> (given: (query: ValueID, key: ValueID, value: ValueID), isFlat: Bool) {
    var given: [ValueID] = []
    for (index, name) in ["Q", "K", "V"].enumerated() {
      let id: ValueID = try inputs.required(index, name)
      try ElementTypeRule.floating.check(body.graph[id].type, name)
      let rank = try body.rank(id)
      guard rank == 3 || rank == 4 else {
        throw .invalidRank(input: name, found: rank, expected: "3 or 4")
      }
      guard rank == 3 else {
        given.append(id)
        continue
      }
      let attribute = index == 0 ? "q_num_heads" : "kv_num_heads"
      guard let heads = index == 0 ? queryHeads : keyHeads, heads > 0 else {
        throw .invalidAttribute(
          name: attribute, found: "missing", expected: "the heads of an input of rank 3")
      }
      given.append(try body.transpose(body.reshape(id, [0, 0, heads, -1]), [0, 2, 1, 3]))
    }
    let isFlat = try body.rank(inputs.required(0, "Q")) == 3
    return ((given[0], given[1], given[2]), isFlat)
  }

  /// Query heads for each key head.
  private func repeats(
    _ query: ValueID, _ key: ValueID, _ body: inout Composition
  ) throws(OpError) -> Int {
    let (heads, keyHeads) = (try body.extent(query, 1), try body.extent(key, 1))
    guard keyHeads > 0, heads % keyHeads == 0 else {
      throw .invalidShape(
        input: "K", found: [keyHeads], expected: "a number of heads that divides \(heads)")
    }
    return heads / keyHeads
  }

  private func repeated(
    _ x: ValueID, _ count: Int, _ body: inout Composition
  ) throws(OpError) -> ValueID {
    if count == 1 { return x }
    let heads = try body.extent(x, 1) * count
    let copies = try body.add(
      Expand(), body.unsqueeze(x, [2]), body.integers([1, 1, count, 1, 1]))
    return try body.reshape(copies, [0, heads, -1, body.extent(x, 3)])
  }
}
