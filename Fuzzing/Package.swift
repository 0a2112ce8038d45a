// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "Fuzzing",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "swiftlet", path: ".."),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: ["FuzzOnnx", "FuzzData", "FuzzRecipe"].map { name in
    .executableTarget(
      name: name,
      dependencies: [
        .product(name: "Swiftlet", package: "swiftlet"), .product(name: "Yams", package: "Yams"),
      ])
  }
)
