// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "Classify",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "swiftlet", path: "../..")],
  targets: [
    .executableTarget(
      name: "Classify", dependencies: [.product(name: "Swiftlet", package: "swiftlet")])
  ]
)
