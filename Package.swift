// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let safe: [SwiftSetting] = [
  .strictMemorySafety(), .enableUpcomingFeature("InternalImportsByDefault"),
]
let plain: [SwiftSetting] = [.enableUpcomingFeature("InternalImportsByDefault")]

let package = Package(
  name: "swiftlet",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Swiftlet", targets: ["Swiftlet"]),
    .executable(name: "swiftlet", targets: ["SwiftletCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
  ],
  targets: [
    // System libraries and kernels.
    .systemLibrary(
      name: "COneDNN", pkgConfig: "dnnl",
      providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libturbojpeg",
      providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "CKernels",
      cxxSettings: [.define("HWY_WANT_AVX3_DL"), .headerSearchPath(".")],
      linkerSettings: [.linkedLibrary("hwy")]),

    .target(
      name: "CThreads",
      linkerSettings: [.linkedLibrary("gomp", .when(platforms: [.linux]))]),

    // Values, graph, data, words.
    .target(name: "TensorCore", swiftSettings: safe),
    .target(name: "GraphIR", dependencies: ["TensorCore"], swiftSettings: safe),
    .target(
      name: "DataIO",
      dependencies: [
        "TensorCore", "CJPEG", "CPNG", "CZlib", .product(name: "Yams", package: "Yams"),
      ], swiftSettings: plain),
    .target(
      name: "Reporting",
      dependencies: [
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["Logs/Proto/tensorboard.proto"], swiftSettings: plain),

    // What is done with a graph.
    .target(
      name: "OnnxIO",
      dependencies: [
        "TensorCore", "GraphIR", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["Proto/onnx.proto"], swiftSettings: plain),
    .target(name: "GraphPasses", dependencies: ["TensorCore", "GraphIR"], swiftSettings: safe),
    .target(
      name: "CPURuntime",
      dependencies: ["TensorCore", "GraphIR", "COneDNN", "CKernels", "CThreads"],
      swiftSettings: plain),

    .target(name: "Autodiff", dependencies: ["TensorCore", "GraphIR"], swiftSettings: safe),

    // Training.
    .target(
      name: "Training",
      dependencies: [
        "TensorCore", "GraphIR", "GraphPasses", "Autodiff", "CPURuntime", "DataIO", "OnnxIO",
      ], swiftSettings: plain),
    .target(
      name: "ModelZoo", dependencies: ["TensorCore", "GraphIR", "DataIO"], swiftSettings: safe),

    // Compression.
    .target(
      name: "CompressionCore",
      dependencies: ["TensorCore", "GraphIR", "GraphPasses", "CPURuntime", "DataIO", "CKernels"],
      swiftSettings: plain),
    .target(
      name: "Quantization",
      dependencies: [
        "TensorCore", "GraphIR", "GraphPasses", "CPURuntime", "CompressionCore", "Autodiff",
        "Training",
      ], swiftSettings: safe),

    .target(
      name: "Distillation",
      dependencies: [
        "TensorCore", "GraphIR", "GraphPasses", "DataIO", "CompressionCore", "Autodiff", "Training",
      ], swiftSettings: safe),

    // What a user imports, and the command.
    .target(
      name: "Swiftlet",
      dependencies: [
        "TensorCore", "GraphIR", "OnnxIO", "GraphPasses", "CPURuntime", "DataIO",
        "CompressionCore", "Quantization", "Distillation", "Autodiff", "Training", "ModelZoo",
      ], swiftSettings: plain),
    .executableTarget(
      name: "SwiftletCommand",
      dependencies: [
        "Swiftlet", "Reporting", "TensorCore", "GraphIR", "OnnxIO", "GraphPasses", "CPURuntime",
        "DataIO", "CompressionCore", "Quantization", "Distillation", "Training", "ModelZoo",
        "CKernels",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ], swiftSettings: plain),

    // Tests.
    .target(
      name: "TestSupport", dependencies: ["TensorCore", "GraphIR"], path: "Sources/TestSupport",
      swiftSettings: plain),
    .testTarget(name: "TensorCoreTests", dependencies: ["TensorCore", "TestSupport"]),
    .testTarget(name: "CKernelsTests", dependencies: ["CKernels", "TensorCore", "TestSupport"]),
    .testTarget(name: "GraphIRTests", dependencies: ["GraphIR", "TensorCore", "TestSupport"]),
    .testTarget(name: "DataIOTests", dependencies: ["DataIO", "TensorCore", "TestSupport"]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting"]),
    .testTarget(
      name: "OnnxIOTests", dependencies: ["OnnxIO", "GraphIR", "TensorCore", "TestSupport"]),
    .testTarget(
      name: "GraphPassesTests",
      dependencies: ["GraphPasses", "GraphIR", "OnnxIO", "TensorCore", "TestSupport"]),
    .testTarget(
      name: "CPURuntimeTests",
      dependencies: ["CPURuntime", "GraphPasses", "GraphIR", "TensorCore", "TestSupport"]),
    .testTarget(
      name: "AutodiffTests",
      dependencies: ["Autodiff", "GraphPasses", "GraphIR", "OnnxIO", "TensorCore", "TestSupport"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Autodiff", "CPURuntime", "GraphPasses", "GraphIR", "DataIO", "OnnxIO",
        "TensorCore", "TestSupport",
      ]),
    .testTarget(
      name: "ModelZooTests",
      dependencies: [
        "ModelZoo", "Autodiff", "OnnxIO", "GraphPasses", "GraphIR", "TensorCore", "TestSupport",
      ]),
    .testTarget(name: "CompressionCoreTests", dependencies: ["CompressionCore", "TestSupport"]),
    .testTarget(
      name: "QuantizationTests",
      dependencies: [
        "Quantization", "Training", "Autodiff", "OnnxIO", "CompressionCore", "CPURuntime",
        "GraphPasses", "GraphIR", "DataIO", "TensorCore", "TestSupport",
      ]),
    .testTarget(
      name: "DistillationTests",
      dependencies: [
        "Distillation", "Training", "Autodiff", "CompressionCore", "CPURuntime", "GraphPasses",
        "GraphIR", "DataIO", "OnnxIO", "TensorCore", "TestSupport",
      ]),
    .testTarget(name: "SwiftletTests", dependencies: ["Swiftlet", "TestSupport"]),
    .testTarget(
      name: "SwiftletCommandTests",
      dependencies: ["SwiftletCommand", "Swiftlet", "Reporting", "TestSupport"]),
  ],
  cxxLanguageStandard: .cxx17
)
