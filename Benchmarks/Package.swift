// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "swiftlet", path: ".."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "Network",
      dependencies: [
        .product(name: "Swiftlet", package: "swiftlet"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/Network",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ]
)
