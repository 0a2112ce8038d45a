// SPDX-License-Identifier: Apache-2.0

extension Unary {
  public var kind: String {
    switch function {
    case .abs: "Abs"
    case .acos: "Acos"
    case .acosh: "Acosh"
    case .asin: "Asin"
    case .asinh: "Asinh"
    case .atan: "Atan"
    case .atanh: "Atanh"
    case .bitwiseNot: "BitwiseNot"
    case .ceil: "Ceil"
    case .celu: "Celu"
    case .cos: "Cos"
    case .cosh: "Cosh"
    case .elu: "Elu"
    case .erf: "Erf"
    case .exp: "Exp"
    case .floor: "Floor"
    case .gelu: "Gelu"
    case .hardSigmoid: "HardSigmoid"
    case .hardSwish: "HardSwish"
    case .isInfinity: "IsInf"
    case .isNaN: "IsNaN"
    case .leakyRelu: "LeakyRelu"
    case .log: "Log"
    case .mish: "Mish"
    case .negate: "Neg"
    case .not: "Not"
    case .reciprocal: "Reciprocal"
    case .relu: "Relu"
    case .round: "Round"
    case .selu: "Selu"
    case .shrink: "Shrink"
    case .sigmoid: "Sigmoid"
    case .sign: "Sign"
    case .sin: "Sin"
    case .sinh: "Sinh"
    case .softplus: "Softplus"
    case .softsign: "Softsign"
    case .sqrt: "Sqrt"
    case .swish: "Swish"
    case .tan: "Tan"
    case .tanh: "Tanh"
    case .thresholdedRelu: "ThresholdedRelu"
    }
  }
}

extension Binary {
  public var kind: String {
    switch function {
    case .add: "Add"
    case .subtract: "Sub"
    case .multiply: "Mul"
    case .divide: "Div"
    case .power: "Pow"
    case .prelu: "PRelu"
    case .modulo: "Mod"
    case .equal: "Equal"
    case .less: "Less"
    case .lessOrEqual: "LessOrEqual"
    case .greater: "Greater"
    case .greaterOrEqual: "GreaterOrEqual"
    case .and: "And"
    case .or: "Or"
    case .xor: "Xor"
    case .bitwiseAnd: "BitwiseAnd"
    case .bitwiseOr: "BitwiseOr"
    case .bitwiseXor: "BitwiseXor"
    case .shiftLeft, .shiftRight: "BitShift"
    }
  }
}
