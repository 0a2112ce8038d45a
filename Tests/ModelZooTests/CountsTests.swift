// SPDX-License-Identifier: Apache-2.0
import GraphIR
import ModelZoo
import Testing

/// A network and what it must count to.
struct Expected: Sendable, CustomTestStringConvertible {
  let name: String
  let classCount: Int?
  let input: String?
  let parameters: Int
  let macs: Int

  init(_ name: String, _ parameters: Int, _ macs: Int, classes: Int? = nil, input: String? = nil) {
    self.name = name
    self.parameters = parameters
    self.macs = macs
    self.classCount = classes
    self.input = input
  }

  var testDescription: String { "\(name) \(input ?? "") \(classCount.map(String.init) ?? "")" }

  static let residual: [Expected] = [
    Expected("resnet20", 269_722, 40_551_040),
    Expected("resnet32", 464_154, 68_862_592),
    Expected("resnet44", 658_586, 97_174_144),
    Expected("resnet56", 853_018, 125_485_696),
    Expected("resnet110", 1_727_962, 252_887_680),
    Expected("resnet20_b", 272_474, 40_813_184),
    Expected("resnet32_b", 466_906, 69_124_736),
    Expected("resnet44_b", 661_338, 97_436_288),
    Expected("resnet56_b", 855_770, 125_747_840),
    Expected("resnet110_b", 1_730_714, 253_149_824),
    Expected("addernet20", 272_484, 40_813_184),
    Expected("resnet20", 275_572, 40_556_800, classes: 100),
    Expected("resnet32", 470_004, 68_868_352, classes: 100),
    Expected("resnet56", 858_868, 125_491_456, classes: 100),
    Expected("resnet20_b", 278_324, 40_818_944, classes: 100),
    Expected("resnet32_b", 472_756, 69_130_496, classes: 100),
    Expected("resnet56_b", 861_620, 125_753_600, classes: 100),
    Expected("resnet18", 11_689_512, 1_814_073_344),
    Expected("resnet34", 21_797_672, 3_663_761_408),
    Expected("resnet50", 25_557_032, 4_089_184_256),
    Expected("resnet50_original", 25_557_032, 3_857_973_248),
    Expected("resnet101", 44_549_160, 7_801_405_440),
    Expected("wrn_16_1", 175_066, 26_657_408),
    Expected("wrn_16_2", 691_674, 101_106_944),
    Expected("wrn_40_1", 563_930, 83_280_512),
    Expected("wrn_40_2", 2_243_546, 327_599_360),
    Expected("wrn_28_2", 1_467_610, 214_353_152),
  ]

  static let others: [Expected] = [
    Expected("densenet121", 7_978_856, 2_834_161_664),
    Expected("densenet169", 14_149_480, 3_359_843_328),
    Expected("densenet40_12", 1_019_722, 264_812_928),
    Expected("densenet_bc100_12", 769_162, 287_929_692),
    Expected("squeezenet1_0", 1_248_424, 818_924_576),
    Expected("squeezenet1_1", 1_235_496, 349_151_936),
    Expected("mobilenet_v1", 4_231_976, 568_740_352),
    Expected("mobilenet_v1_0_75", 2_585_560, 325_400_448),
    Expected("mobilenet_v1_0_5", 1_331_592, 149_497_088),
    Expected("mobilenet_v1_0_25", 470_072, 41_030_272),
    Expected("mobilenet_v2", 3_504_872, 300_774_272),
    Expected("mobilenet_v2_1_4", 6_108_776, 582_195_824),
    Expected("mobilenet_v2", 2_236_682, 87_976_448, input: "3x32x32"),
    Expected("mobilenet_v3_large", 5_483_032, 216_589_760),
    Expected("mobilenet_v3_small", 2_542_856, 56_510_400),
    Expected("shufflenet_v1_g1", 1_531_936, 143_078_976),
    Expected("shufflenet_v1_g2", 1_733_848, 140_836_512),
    Expected("shufflenet_v1_g3", 1_865_728, 137_460_672),
    Expected("shufflenet_v1_g4", 1_968_344, 134_339_776),
    Expected("shufflenet_v1_g8", 2_434_768, 138_365_952),
    Expected("shufflenet_v2_x0_5", 1_366_792, 40_476_448),
    Expected("shufflenet_v2_x1_0", 2_278_604, 144_907_992),
    Expected("shufflenet_v2_x1_5", 3_503_624, 295_759_392),
    Expected("shufflenet_v2_x2_0", 7_393_996, 583_253_464),
    Expected("mnasnet1_0", 4_383_312, 314_415_872),
    Expected("mnasnet_a1", 3_887_038, 311_579_072),
  ]

  /// Of these the parameters are torchvision's, or those that papers on pruning print.
  static let counted: [Expected] = [
    Expected("resnet152", 60_192_808, 11_513_626_624),
    Expected("mnasnet0_5", 2_218_512, 104_455_968),
    Expected("mnasnet0_75", 3_170_208, 215_493_104),
    Expected("mnasnet1_3", 6_282_256, 526_362_432),
    Expected("vgg16", 138_357_544, 15_470_264_320),
    Expected("vgg16_bn", 138_365_992, 15_470_264_320),
    Expected("lenet5", 431_080, 2_293_000),
    Expected("lenet_300_100", 266_610, 266_200),
  ]
}

@Suite("Parameters and multiply-accumulates of the zoo")
struct CountsTests {
  @Test(
    "equal those of the publications and of torchvision",
    arguments: Expected.residual + Expected.others + Expected.counted)
  func publishedCounts(_ expected: Expected) throws {
    let architecture = try ArchitectureRegistry.architecture(named: expected.name)
    let counts = try architecture.counts(
      ArchitectureOptions(
        input: expected.input.flatMap { InputShape($0) }, classCount: expected.classCount))
    #expect(counts.parameters == expected.parameters)
    #expect(counts.macs == expected.macs)
  }
}
