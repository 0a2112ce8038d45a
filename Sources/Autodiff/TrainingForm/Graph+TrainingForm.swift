// SPDX-License-Identifier: Apache-2.0
public import GraphIR
public import TensorCore

extension Graph {
  /// The graph in the form that is trained.
  ///
  /// - Constants that are weights become inputs, named as they are: kernels and biases of
  ///   convolutions and products, scales and biases of normalizations, embeddings, and vectors that
  ///   are added to or multiplied with what weights made. Shapes, axes, bounds and numbers of the
  ///   arithmetic stay constants.
  /// - A weight behind an `Identity` is a parameter of its own, named as the `Identity`'s result:
  ///   exporters store equal initial values once in this way.
  /// - A `BatchNormalization` becomes a `BatchStatisticsNormalization` with the addition and the
  ///   activation behind it, where these are the only use of what comes before them. One whose
  ///   statistics are shared updates them in turn.
  /// - `Dropout` becomes `RandomDropout`.
  ///
  /// The graph that this is called on stays the portable form: `settingConstants(_:)` puts trained
  /// values into it.
  ///
  /// - Throws: `AutodiffError` if the statistics of a normalization or the ratio of a dropout are
  ///   no constants, or a frozen name is not there.
  public func inTrainingForm(
    _ options: TrainingFormOptions = TrainingFormOptions()
  ) throws(AutodiffError) -> TrainableGraph {
    for name in options.frozen.sorted() where value(named: name) == nil {
      throw .unknownConstant(name: name, expected: constantNames)
    }
    var builder = TrainingFormBuilder(self, options)
    return try builder.trainable()
  }

  /// The graph with other tensors in place of constants.
  ///
  /// - Parameter tensors: By the constant's name, of the same type and shape. The result of an
  ///   `Identity` of a constant counts as a constant and becomes one.
  /// - Throws: `AutodiffError` if a name is not there or the tensor does not fit.
  public func settingConstants(_ tensors: [String: Tensor]) throws(AutodiffError) -> Graph {
    var result = self
    let index = GraphIndex(self)
    var removed: Set<NodeID> = []
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      guard let id = value(named: name), let stored = index.storedConstant(id) else {
        throw .unknownConstant(name: name, expected: constantNames)
      }
      guard stored.elementType == tensor.elementType, stored.shape == tensor.shape else {
        throw .constantMismatch(
          name: name, found: "\(TensorType(tensor.elementType, shape: tensor.shape))",
          expected: "\(TensorType(stored.elementType, shape: stored.shape))")
      }
      if let producer = index.producer(of: id) { removed.insert(producer.id) }
      result.setConstant(tensor, of: id)
    }
    if !removed.isEmpty { result.setNodes(nodes.filter { !removed.contains($0.id) }) }
    return result
  }

  private var constantNames: [String] {
    valueIDs.filter { self[$0].constant != nil }.map { self[$0].name }
  }
}

extension GraphIndex {
  /// The tensor behind a value that is a constant, or the result of nothing but `Identity` on one.
  func storedConstant(_ value: ValueID?) -> Tensor? {
    var value = value
    while let id = value {
      if let tensor = constant(id) { return tensor }
      guard let producer = producer(of: id), producer.op is Identity else { return nil }
      value = producer.inputs.first.flatMap { $0 }
    }
    return nil
  }

  /// The constant that a weight operand is made of, through nodes that only arrange its elements.
  func weightSource(_ value: ValueID?) -> ValueID? {
    var value = value
    while let id = value {
      if let tensor = storedConstant(id) { return tensor.elementType.isFloatingPoint ? id : nil }
      guard let producer = producer(of: id), producer.op.arrangesWeights else { return nil }
      value = producer.inputs.first.flatMap { $0 }
    }
    return nil
  }
}

extension Op {
  fileprivate var arrangesWeights: Bool {
    self is Transpose || self is Reshape || self is Squeeze || self is Unsqueeze || self is Flatten
  }
}
