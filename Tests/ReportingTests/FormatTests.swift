// SPDX-License-Identifier: Apache-2.0

import Reporting
import Testing

@Suite("Figures are written with their unit and three significant digits")
struct FormatTests {
  @Test(
    "Bytes are decimal",
    arguments: [
      (0, "0 B"), (812, "812 B"), (45_210, "45.2 kB"), (310_000, "0.31 MB"),
      (1_110_000, "1.11 MB"), (44_700_000, "44.7 MB"), (999_900, "1.00 MB"),
      (123_400_000, "123 MB"), (2_500_000_000, "2.50 GB"),
    ])
  func bytes(_ count: Int, _ text: String) { #expect(Format.bytes(count) == text) }

  @Test(
    "Counts are exact while short",
    arguments: [
      (9_408, "9,408"), (269_722, "0.27 M"), (40_600_000, "40.6 M"), (300_774_272, "301 M"),
      (4_090_000_000, "4.09 G"), (-1_234, "−1,234"),
    ])
  func counts(_ count: Int, _ text: String) { #expect(Format.count(count) == text) }

  @Test(
    "Milliseconds have three significant digits",
    arguments: [
      (1.8512, "1.85 ms"), (19.12, "19.1 ms"), (0.04123, "0.0412 ms"), (1240.4, "1240 ms"),
      (9.996, "10.0 ms"), (99.96, "100 ms"), (0.0, "0 ms"), (Double.nan, "–"),
    ])
  func milliseconds(_ value: Double, _ text: String) {
    #expect(Format.milliseconds(value) == text)
  }

  @Test("Percentages, shares and points")
  func percentages() {
    #expect(Format.percent(0.926) == "92.60 %")
    #expect(Format.share(0.992) == "99.2 %")
    #expect(Format.share(1) == "100 %")
    #expect(Format.share(0.99999) == ">99.9 %")
    #expect(Format.points(-0.0012) == "−0.12")
    #expect(Format.points(0.0004) == "+0.04")
    #expect(Format.points(-0.000001) == "0.00")
    #expect(Format.points(0.000001) == "0.00")
  }

  @Test(
    "Ratios are words",
    arguments: [
      (1.11, 0.31, "3.6× smaller"), (1.0, 1.3, "1.3× larger"), (14.2, 1.0, "14× smaller"),
      (1.0, 1.001, "same"), (1.03, 1.0, "1.03× smaller"), (9.96, 1.0, "10× smaller"),
      (0.0, 1.0, "–"),
    ])
  func ratios(_ before: Double, _ after: Double, _ text: String) {
    #expect(Format.ratio(before: before, after: after, less: "smaller", more: "larger") == text)
  }

  @Test(
    "Durations",
    arguments: [
      (0.0, "0 s"), (0.4, "0.4 s"), (0.97, "1 s"), (2.2, "2 s"), (59.6, "1 min"),
      (80.0, "1 min 20 s"), (3600.0, "1 h"), (7_500.0, "2 h 5 min"), (7_199.0, "2 h"),
      (Double.infinity, "–"),
    ])
  func durations(_ seconds: Double, _ text: String) { #expect(Format.duration(seconds) == text) }

  @Test("Spread, decibels and rates")
  func others() {
    #expect(Format.spread(0.031) == "±3 %")
    #expect(Format.spread(0.004) == "±0.4 %")
    #expect(Format.spread(0.0001) == "±0 %")
    #expect(Format.decibels(31.4) == "31 dB")
    #expect(Format.decibels(8.42) == "8.4 dB")
    #expect(Format.decibels(.infinity) == "exact")
    #expect(Format.rate(41.2, unit: "images") == "41 images/s")
    #expect(Format.rate(0.412, unit: "images") == "0.41 images/s")
    #expect(Format.rate(12_345, unit: "images") == "12,345 images/s")
  }
}
