// SPDX-License-Identifier: Apache-2.0
import CompressionCore
public import GraphIR
public import TensorCore
public import Training

/// The student's features, through a translator that is trained along, are to be what a paraphraser
/// made of the teacher's.
///
/// Source: Kim, Park, Kwak, "Paraphrasing Complex Network: Network Compression via Factor Transfer",
/// 2018, equations 1 to 3. With the factors F of each sample at unit length, the loss is the mean
/// over all elements of `|F_student − F_teacher|`, summed over the pairs. The paraphraser is trained
/// first, without labels, to give the teacher's features back: by the mean magnitude of what is
/// wrong, as in the authors' code (the paper has squares). Maps of different sizes are brought to
/// the smaller one by averaging.
public struct FactorTransfer: DistillationLoss {
  public var beta: Double

  /// Channels of the factors as a multiple of the teacher's.
  public var rate: Double
  public var epochs: Int
  public var learningRate: Double
  public var taps: FeatureTaps?

  /// Values of the paraphrasers' parameters by name, once they are trained.
  private var paraphrasers: [String: Tensor] = [:]

  public init(
    beta: Double = 500, rate: Double = 0.5, epochs: Int = 5, learningRate: Double = 0.1,
    taps: FeatureTaps = FeatureTaps(student: .last, teacher: .last)
  ) {
    self.beta = beta
    self.rate = rate
    self.epochs = epochs
    self.learningRate = learningRate
    self.taps = taps
  }

  public var name: String { "ft" }
  public var weight: Double { beta }

  public func addLoss(
    of pairs: [FeaturePair], to context: inout LossContext
  ) throws -> ValueID {
    guard isPrepared else { throw DistillationError.unprepared(loss: name) }
    var losses: [ValueID] = []
    for (index, pair) in pairs.enumerated() {
      let aligned = context.aligned(pair, name: "ft/\(index)")
      let width = factorWidth(aligned.teacher)
      let known = paraphrasers
      let wanted = try ConvolutionStack(name: "\(preparedPrefix)\(index)/encoder", slope: 0.1)
        .added(
          to: &context, behind: aligned.teacher,
          widths: [aligned.teacher.shape[1], width, width]
        ) { name, _, context in
          guard let weight = known["\(name)/weight"], let bias = known["\(name)/bias"] else {
            throw DistillationError.unprepared(loss: "ft")
          }
          return (
            context.network.graph.addConstant(weight, name: "\(name)/weight"),
            context.network.graph.addConstant(bias, name: "\(name)/bias")
          )
        }
      let made = try ConvolutionStack(name: "ft/\(index)/translator", slope: 0.1).added(
        to: &context, behind: aligned.student, widths: [aligned.student.shape[1], width, width]
      ) { name, shape, context in try context.addConvolutionParameters(shape, name: name) }
      losses.append(distance(made, wanted, name: "ft/\(index)", in: &context))
    }
    return context.sum(losses, name: "ft")
  }

  /// The mean over all elements of the magnitudes of the difference of factors at unit length.
  package func distance(
    _ student: Feature, _ teacher: Feature, name: String, in context: inout LossContext
  ) -> ValueID {
    let factors = [student, teacher].map { factor in
      Feature(
        value: context.add(RowNormalization(), [factor.value], name: "\(name)/factor"),
        shape: factor.shape)
    }
    return context.meanMagnitude(of: factors[0], less: factors[1], name: name)
  }

  /// Channels of the factors.
  func factorWidth(_ teacher: Feature) -> Int {
    max(Int((Double(teacher.shape[1]) * rate).rounded()), 1)
  }
}

extension FactorTransfer: PreparedDistillationLoss {
  public var isPrepared: Bool { !paraphrasers.isEmpty }
  public var preparedPrefix: String { "paraphraser/" }

  public func preparation(for recipe: TrainingRecipe) -> TrainingRecipe {
    var own = recipe
    own.epochs = epochs
    own.learningRate = learningRate
    own.optimizer = .sgd(momentum: 0.9)
    own.weightDecay = 5e-4
    own.schedule = LearningRateSchedule()
    own.averaging = nil
    own.earlyStopPatience = nil
    return own
  }

  /// Two stacks of three convolutions with leaky rectifiers: m → m → f → f and back.
  ///
  /// The way back is of convolutions where the authors' code has transposed ones of stride 1, which
  /// are the same functions.
  public func addPreparationLoss(
    of features: [Feature], to context: inout LossContext
  ) throws -> ValueID {
    var losses: [ValueID] = []
    for (index, feature) in features.enumerated() {
      let (width, given) = (factorWidth(feature), feature.shape[1])
      let name = "\(preparedPrefix)\(index)"
      let factor = try ConvolutionStack(name: "\(name)/encoder", slope: 0.1).added(
        to: &context, behind: feature, widths: [given, width, width]
      ) { name, shape, context in try context.addConvolutionParameters(shape, name: name) }
      let restored = try ConvolutionStack(name: "\(name)/decoder", slope: 0.1).added(
        to: &context, behind: factor, widths: [width, given, given]
      ) { name, shape, context in try context.addConvolutionParameters(shape, name: name) }
      losses.append(context.meanMagnitude(of: restored, less: feature, name: "\(name)/error"))
    }
    return context.sum(losses, name: "\(preparedPrefix)loss")
  }

  public func prepared(with values: [String: Tensor]) -> any DistillationLoss {
    var own = self
    own.paraphrasers = values
    return own
  }
}

/// Convolutions of 3×3, each with a bias and a leaky rectifier behind it.
private struct ConvolutionStack {
  var name: String
  var slope: Float

  typealias Parameters = (
    _ name: String, _ shape: [Int], _ context: inout LossContext
  ) throws -> (weight: ValueID, bias: ValueID)

  func added(
    to context: inout LossContext, behind input: Feature, widths: [Int], _ parameters: Parameters
  ) throws -> Feature {
    var map = input
    for (index, width) in widths.enumerated() {
      let layer = "\(name)/\(index)"
      let (weight, bias) = try parameters(layer, [width, map.shape[1], 3, 3], &context)
      map = context.convolved(
        map, by: weight, bias, channels: width, side: 3, name: "\(layer)/convolution")
      map.value = context.add(
        Unary(.leakyRelu(alpha: slope)), [map.value], name: "\(layer)/activation")
    }
    return map
  }
}

extension FactorTransfer {
  static let entry = DistillationLosses.Entry(
    MethodCard(
      name: "ft", summary: "Factor transfer: a paraphrase of the teacher's features.",
      paper: "Kim, Park, Kwak, Paraphrasing Complex Network, 2018",
      shrinks: "the network, by training a smaller one", speedsUp: "the student is the smaller one",
      options: [
        MethodOption("beta", standard: "500", accepted: "a number from 0", summary: "weight"),
        MethodOption(
          "k", standard: "0.5", accepted: "above 0, to 16",
          summary: "channels of the factors per channel of the teacher"),
        MethodOption(
          "epochs", standard: "5", accepted: "1 to 1000",
          summary: "that the paraphraser is trained for"),
        MethodOption(
          "lr", standard: "0.1", accepted: "a number above 0",
          summary: "the paraphraser's learning rate"),
      ] + FeatureTaps.options(standard: "last"))
  ) { options throws(CompressionError) in
    FactorTransfer(
      beta: try options.number("beta", in: 0...1e12),
      rate: try options.number("k", in: 1e-3...16),
      epochs: try options.integer("epochs", in: 1...1000),
      learningRate: try options.number("lr", in: 1e-12...1e3), taps: try FeatureTaps(options))
  }
}
