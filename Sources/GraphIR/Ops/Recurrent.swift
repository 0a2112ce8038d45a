// SPDX-License-Identifier: Apache-2.0

/// A recurrent layer over a sequence.
///
/// Inputs X, the weights of the input and of the state, and optionally biases, the length of each
/// sample, the first state, and for `lstm` the first cell and the peepholes. Outputs the states of all steps, the last state, and for `lstm` the last
/// cell.
///
/// Source: ONNX, operators RNN, GRU and LSTM. Gates are in the order of ONNX: input, output,
/// forget, cell for `lstm`; update, reset, hidden for `gru`.
public struct Recurrent: Op {
  public enum Cell: Sendable, Equatable {
    case rnn
    /// Whether the reset gate acts behind the product with the state's weights.
    case gru(linearBeforeReset: Bool)
    /// Whether the forget gate is one less the input gate.
    case lstm(couplesInputAndForget: Bool)

    var gateCount: Int {
      switch self {
      case .rnn: 1
      case .gru: 3
      case .lstm: 4
      }
    }

    /// Functions per direction.
    public var activationCount: Int {
      switch self {
      case .rnn: 1
      case .gru: 2
      case .lstm: 3
      }
    }
  }

  public enum Direction: String, Sendable {
    case forward, reverse, bidirectional
    public var count: Int { self == .bidirectional ? 2 : 1 }
  }

  /// A function of a gate, by the name that ONNX gives it.
  public enum Activation: Sendable, Equatable {
    case relu, tanh, sigmoid, softsign, softplus
    case affine(alpha: Float, beta: Float), scaledTanh(alpha: Float, beta: Float)
    case hardSigmoid(alpha: Float, beta: Float)
    case leakyRelu(alpha: Float), thresholdedRelu(alpha: Float), elu(alpha: Float)
  }

  public var cell: Cell
  public var hiddenSize: Int?
  public var direction: Direction
  /// As many per direction as the cell has.
  public var activations: [Activation]
  /// The bound of what goes into the functions; none if `nil`.
  public var clip: Float?
  /// Whether samples come before steps.
  public var isBatchFirst: Bool

  public init(
    _ cell: Cell, hiddenSize: Int? = nil, direction: Direction = .forward,
    activations: [Activation]? = nil, clip: Float? = nil, isBatchFirst: Bool = false
  ) {
    self.cell = cell
    self.hiddenSize = hiddenSize
    self.direction = direction
    let common = Recurrent.commonActivations(cell)
    self.activations =
      activations ?? Array(repeating: common, count: direction.count).flatMap { $0 }
    self.clip = clip
    self.isBatchFirst = isBatchFirst
  }

  public static func commonActivations(_ cell: Cell) -> [Activation] {
    switch cell {
    case .rnn: [.tanh]
    case .gru: [.sigmoid, .tanh]
    case .lstm: [.sigmoid, .tanh, .tanh]
    }
  }

  public var kind: String {
    switch cell {
    case .rnn: "RNN"
    case .gru: "GRU"
    case .lstm: "LSTM"
    }
  }
}
