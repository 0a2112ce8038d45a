// SPDX-License-Identifier: Apache-2.0

/// How the losses of samples become one.
public enum LossReduction: String, Sendable, Equatable { case none, sum, mean }

/// The negated log-probability of each sample's class; inputs log-probabilities `[N, C, …]`,
/// classes `[N, …]` and optionally a weight per class.
///
/// The mean is over the weights. Samples of the class `ignoredClass` count nothing.
public struct NegativeLogLikelihoodLoss: CompositeOp {
  public var kind: String { "NegativeLogLikelihoodLoss" }
  public var reduction: LossReduction
  public var ignoredClass: Int?

  public init(reduction: LossReduction = .mean, ignoredClass: Int? = nil) {
    self.reduction = reduction
    self.ignoredClass = ignoredClass
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...3)
    try checkOutputCount(outputCount, 1...1)
    let (x, classes): (ValueID, ValueID) = (
      try inputs.required(0, "input"), try inputs.required(1, "target")
    )
    let type = try body.elementType(x)
    try ElementTypeRule.floating.check(body.graph[x].type, "input")
    var target = classes
    var isIgnored: ValueID?
    if let ignoredClass {
      let classType = try body.elementType(classes)
      let mask = try body.binary(.equal, classes, body.scalar(Double(ignoredClass), classType))
      target = try body.add(Where(), mask, body.scalar(0, classType), classes)
      isIgnored = mask
    }
    let taken = try body.add(GatherElements(axis: 1), x, body.unsqueeze(target, [1]))
    var loss = try body.unary(.negate, body.squeeze(taken, [1]))
    var weight: ValueID?
    if let weights = inputs.optional(2) { weight = try body.add(Gather(), weights, target) }
    if let isIgnored {
      let other = weight ?? body.scalar(1, type)
      weight = try body.add(Where(), isIgnored, body.scalar(0, type), other)
    }
    if let weight { loss = try body.binary(.multiply, loss, weight) }
    switch (reduction, weight) {
    case (.none, _): return [loss]
    case (.mean, nil): return [try body.reduce(.mean, loss, keepsDimensions: false)]
    case (.sum, _): return [try body.reduce(.sum, loss, keepsDimensions: false)]
    case (.mean, .some(let weight)):
      return [
        try body.binary(
          .divide, body.reduce(.sum, loss, keepsDimensions: false),
          body.reduce(.sum, weight, keepsDimensions: false))
      ]
    }
  }
}

/// The negative log-likelihood of scores made probabilities along axis 1; outputs the loss and the
/// log-probabilities.
public struct SoftmaxCrossEntropyLoss: CompositeOp {
  public var kind: String { "SoftmaxCrossEntropyLoss" }
  public var reduction: LossReduction
  public var ignoredClass: Int?

  public init(reduction: LossReduction = .mean, ignoredClass: Int? = nil) {
    self.reduction = reduction
    self.ignoredClass = ignoredClass
  }

  public func compose(
    _ inputs: [ValueID?], outputCount: Int, in body: inout Composition
  ) throws(OpError) -> [ValueID] {
    try inputs.checkCount(2...3)
    try checkOutputCount(outputCount, 1...2)
    let logarithms = try body.add(
      Softmax(axis: 1, isLogarithm: true), inputs.required(0, "scores"))
    let loss = NegativeLogLikelihoodLoss(reduction: reduction, ignoredClass: ignoredClass)
    let losses = try loss.compose(
      [logarithms] + inputs.dropFirst(), outputCount: 1, in: &body)
    return losses + [logarithms]
  }
}
