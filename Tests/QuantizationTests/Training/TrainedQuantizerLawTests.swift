// SPDX-License-Identifier: Apache-2.0
import CompressionCore
import Foundation
import GraphIR
import Quantization
import TensorCore
import Testing

@Suite("Every quantizer for training")
struct TrainedQuantizerLawTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var bits: Int
    var testDescription: String { "\(name), \(bits) bits" }
    var quantizer: any TrainedQuantizer {
      get throws { try TrainedQuantizers.family.method(for: MethodChoice(name)) }
    }
  }

  static let cases: [Case] = TrainedQuantizers.family.cards.map(\.name).flatMap { name in
    [2, 3, 4, 8].map { Case(name: name, bits: $0) }
  }

  static func operand(
    _ role: QuantizedOperand.Role, bits: Int, isSigned: Bool, seed: UInt64 = 4
  ) -> QuantizedOperand {
    var random = RandomSource(seed: seed)
    let values = (0..<96).map { _ in
      let x = Float(random.nextUniform() * 2 - 1) + Float(random.nextUniform() * 2 - 1)
      return isSigned ? x : max(x, 0)
    }
    return QuantizedOperand(
      role: role, name: "x", bits: bits, isSigned: isSigned, shape: [8, 12],
      channelAxis: role == .weight ? 0 : nil, observed: values)
  }

  @Test("hands over weight codes that stand for what was trained", arguments: cases)
  func weightCodes(test: Case) throws {
    let quantizer = try test.quantizer
    let operand = Self.operand(.weight, bits: test.bits, isSigned: true)
    let probe = try RoundingProbe(quantizer, operand, shape: operand.shape)
    let trained = try probe.rounded(operand.observed)
    let codes = quantizer.codes(
      of: Tensor(operand.observed, shape: operand.shape), operand, values: probe.parameters)
    #expect(codes.codes.allSatisfy(codes.range.contains))
    #expect(codes.range.count <= 1 << test.bits)
    for (wanted, found) in zip(trained, codes.reals(shape: operand.shape)) {
      // Products and sums of float32 in another order.
      #expect(abs(wanted - found) <= 4e-6 * max(1, abs(wanted)), "\(found) for \(wanted)")
    }
  }

  @Test("hands over a grid that activations were rounded to", arguments: cases, [false, true])
  func activationGrid(test: Case, isSigned: Bool) throws {
    let quantizer = try test.quantizer
    let operand = Self.operand(.activation, bits: test.bits, isSigned: isSigned)
    let probe = try RoundingProbe(quantizer, operand, shape: [2] + operand.shape)
    let x = operand.observed + operand.observed.map { $0 * 3 }
    let trained = try probe.rounded(x)
    let rounding = quantizer.rounding(of: operand, values: probe.parameters)
    #expect(rounding.codeCount <= 1 << test.bits)
    let wrong = zip(trained, rounding.rounded(x)).count { wanted, found in
      abs(wanted - found) > 4e-6 * max(1, abs(wanted))
    }
    // A value half-way between two codes may fall to either side.
    #expect(wrong <= 1)
  }

  @Test("is monotone", arguments: cases, [QuantizedOperand.Role.weight, .activation])
  func monotone(test: Case, role: QuantizedOperand.Role) throws {
    let quantizer = try test.quantizer
    let operand = Self.operand(role, bits: test.bits, isSigned: role == .weight)
    var flat = operand
    flat.channelAxis = nil
    let probe = try RoundingProbe(
      quantizer, flat, shape: role == .weight ? operand.shape : [1] + operand.shape)
    let rounded = try probe.rounded(operand.observed.sorted())
    for (a, b) in zip(rounded, rounded.dropFirst()) { #expect(a <= b) }
  }

  @Test(
    "has an entry that names what a person must know", arguments: TrainedQuantizers.family.cards)
  func card(card: MethodCard) throws {
    for text in [card.summary, card.paper, card.shrinks, card.speedsUp] { #expect(!text.isEmpty) }
    for option in card.options {
      let choice = MethodChoice(card.name, [option.name: option.standard])
      #expect(throws: Never.self) { try TrainedQuantizers.family.method(for: choice) }
      #expect(throws: CompressionError.self) {
        try TrainedQuantizers.family.method(for: MethodChoice(card.name, [option.name: "?"]))
      }
    }
  }
}
