// SPDX-License-Identifier: Apache-2.0
import GraphIR

extension Graph {
  /// Values that hold the network's scores place by place: nothing but means over places, changes
  /// of shape and softmax stands between them and an output.
  ///
  /// The few values that an estimator may cut off are just those of the winning class here, so such
  /// values keep the whole range that was observed.
  var scoreValues: Set<ValueID> {
    let index = GraphIndex(self)
    var found: Set<ValueID> = []
    for output in outputs {
      var value = output
      while found.insert(value).inserted, let node = index.producer(of: value),
        node.op.passesScores, let input = node.inputs.first ?? nil
      {
        value = input
      }
    }
    return found
  }
}

extension Op {
  fileprivate var passesScores: Bool {
    switch self {
    case is AveragePool, is GlobalPool, is Flatten, is Reshape, is Squeeze, is Identity, is Softmax:
      true
    case let reduction as Reduce: reduction.function == .mean
    default: false
    }
  }
}
