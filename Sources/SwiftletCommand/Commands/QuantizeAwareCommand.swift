// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import Reporting
package import Swiftlet
import Training

/// The command `swiftlet qat`.
package struct QuantizeAwareCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "qat",
    abstract: "Trains a network further in 2…8 bits.",
    usage: """
      swiftlet qat resnet20.onnx --data cifar10/ --weights 4 --activations 4 -o r20.w4a4.onnx
      swiftlet qat net.onnx --data photos/ --quantizer pact --epochs 20 --lr 0.01 -o net.w4a4.onnx
      swiftlet qat net.onnx --data photos/ --weights 2 --teacher net.onnx --loss kd -o net.w2.onnx
      """,
    discussion: """
      The file has weights at their real width and loads in runtimes that know the operator set. \
      First and last layer have 8 bits unless --first-last says otherwise. `swiftlet methods` lists \
      the quantizers.
      Ctrl-C saves; --resume goes on, to the same weights as without the break.
      """)

  @Argument(help: ArgumentHelp("The float network.", valueName: "model.onnx"))
  package var model: String

  @OptionGroup package var arguments: TrainArguments
  @OptionGroup(title: "Quantization") package var method: QuantizeAwareArguments
  @OptionGroup(title: "Teacher") package var learning: TeacherArguments
  @OptionGroup(title: "Recipe") package var recipe: RecipeArguments
  @OptionGroup(title: "Preprocessing") package var preprocessing: PreprocessingArguments
  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    var request = try arguments.request(
      model: model, preprocessing: preprocessing, common: common
    ) { kind in
      try recipe.resolved(seed: common.givenSeed, standardRate: "0.01", kind: kind)
    }
    request.quantization = try method.options()
    request.addition = try learning.addition()
    let view = try QuantizeAwareRun(request: request, console: console).finished()
    try console.object(view.json)
  }
}

/// How a network is quantized while it is trained, as options of the command.
package struct QuantizeAwareArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Bits of a weight: 2…8, or 32 for float.", valueName: "bits"))
  package var weights = 4

  @Option(help: ArgumentHelp("Bits of an activation: 2…8, or 32 for float.", valueName: "bits"))
  package var activations = 4

  @Option(help: ArgumentHelp("Bits of the first and the last layer.", valueName: "bits"))
  package var firstLast = 8

  @Option(
    help: ArgumentHelp(
      "NAME or NAME:option=value,…: "
        + TrainedQuantizers.family.cards.map(\.name).joined(separator: ", ") + ".",
      valueName: "name"))
  package var quantizer = "lsq"

  @Option(help: ArgumentHelp("Another quantizer for activations.", valueName: "name"))
  package var activationQuantizer: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Bits of chosen layers, such as op:Gemm=8 or /layer3/=4,8 (weights, activations); may be "
        + "repeated.",
      valueName: "layer=bits"))
  package var layer: [String] = []

  @Option(
    help: ArgumentHelp(
      "Codes below 8 bits: types, for int2 and int4 of new operator sets, or function, for bytes "
        + "that runtimes from operator set 18 on unpack.",
      valueName: "how"))
  package var pack = "types"

  package init() {}

  /// The choices as training takes them.
  ///
  /// - Throws: `CommandError` naming the option, `CompressionError` or `QuantizationError`.
  package func options() throws -> TrainedQuantizationOptions {
    var options = TrainedQuantizationOptions()
    options.quantizer = try MethodChoice(parsing: quantizer)
    options.activationQuantizer = try activationQuantizer.map { try MethodChoice(parsing: $0) }
    (options.weights, options.activations) = (weights, activations)
    options.firstLast = firstLast
    options.packing = try TrainedQuantizationOptions.Packing(option: pack)
    for text in layer {
      guard let equals = text.lastIndex(of: "=") else { throw Self.malformed(text) }
      let bits = text[text.index(after: equals)...].split(separator: ",").map { Int($0) }
      guard (1...2).contains(bits.count), let first = bits[0], let last = bits[bits.count - 1]
      else { throw Self.malformed(text) }
      options.layers.append(
        TrainedQuantizationOptions.LayerRule(
          try LayerSelector(String(text[..<equals])), weights: first, activations: last))
    }
    try options.validate()
    return options
  }

  private static func malformed(_ text: String) -> CommandError {
    CommandError(
      "--layer \(text): accepted: LAYER=BITS or LAYER=WEIGHTS,ACTIVATIONS",
      reasons: ["LAYER is all, first, last, op:Conv, /pattern/ or a name"], status: .wrongUsage)
  }
}
