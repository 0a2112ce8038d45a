// SPDX-License-Identifier: Apache-2.0
import CKernels
import Foundation
import Reporting
import Swiftlet

/// What this machine has that matters here.
package struct Machine: Sendable, Equatable {
  /// An instruction set and what it is used for.
  package struct Feature: Sendable, Equatable {
    package var name: String
    package var isPresent: Bool
    package var enables: String
  }

  package var processor: String
  package var features: [Feature]
  package var kernelTarget: String
  package var threads: Int
  package var processors: Int
  package var memoryBytes: Int
  package var availableBytes: Int?
  package var oneDNNVersion: String
  package var oneDNNInstructionSet: String
  package var waitPolicy: String

  /// This machine as it is now.
  package static func current(threads: Int? = nil) -> Machine {
    Machine(
      processor: processorName, features: features(bits: swk_cpu_features()),
      kernelTarget: String(cString: swk_target_name()),
      threads: threads ?? RuntimeDescription.processorCount,
      processors: RuntimeDescription.processorCount,
      memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory),
      availableBytes: availableBytes,
      oneDNNVersion: RuntimeDescription.kernelLibraryVersion,
      oneDNNInstructionSet: RuntimeDescription.instructionSet,
      waitPolicy: WaitPolicy.words(environment: ProcessInfo.processInfo.environment))
  }

  /// The features of this kind of processor, those that it lacks included.
  static func features(bits: UInt32) -> [Feature] {
    #if arch(arm64)
      let known: [(swk_cpu_feature, String, String)] = [
        (SWK_CPU_NEON, "NEON", "vectors of 128 bits"),
        (SWK_CPU_DOTPROD, "dot product", "8-bit products"),
      ]
    #else
      let known: [(swk_cpu_feature, String, String)] = [
        (SWK_CPU_SSE4, "SSE4.1", "vectors of 128 bits"),
        (SWK_CPU_AVX2, "AVX2", "vectors of 256 bits"),
        (SWK_CPU_FMA, "FMA", "multiply and add in one step"),
        (SWK_CPU_AVX512, "AVX-512", "vectors of 512 bits"),
        (SWK_CPU_AVX512_VNNI, "AVX-512 VNNI", "8-bit products, about 4 per float product"),
        (SWK_CPU_AVX_VNNI, "AVX VNNI", "8-bit products in vectors of 256 bits"),
        (SWK_CPU_AVX512_BF16, "AVX-512 BF16", "bf16 products, about 2 per float product"),
        (SWK_CPU_AMX_INT8, "AMX int8", "8-bit matrix products in tiles"),
        (SWK_CPU_AMX_BF16, "AMX bf16", "bf16 matrix products in tiles"),
      ]
    #endif
    return known.map { flag, name, enables in
      Feature(name: name, isPresent: bits & UInt32(flag.rawValue) != 0, enables: enables)
    }
  }

  /// The machine in a line, as `quantize` prints it.
  package var line: String {
    let present = features.filter(\.isPresent).map(\.name)
    let notable = present.filter { $0.hasPrefix("AVX-512") || $0.hasPrefix("AMX") || $0 == "NEON" }
    let words = notable.isEmpty ? present.suffix(1) : notable[...]
    return words.joined(separator: ", ") + " · \(threads) thread\(threads == 1 ? "" : "s")"
      + " · oneDNN \(oneDNNVersion) on \(oneDNNInstructionSet)"
  }

  var table: Table {
    var table = Table(columns: [
      Table.Column("", fit: .keep), Table.Column("", fit: .keep), Table.Column("", fit: .wrap),
    ])
    func add(_ label: String, _ value: String, _ note: String = "", tone: Tone = .plain) {
      table.add(
        Table.Cell(label, tone: .strong), Table.Cell(value, tone: tone),
        Table.Cell(note, tone: .faint))
    }
    add("Processor", processor)
    for (position, feature) in features.enumerated() {
      add(
        position == 0 ? "Instructions" : "",
        "\(feature.isPresent ? "yes" : "no ")  \(feature.name)", feature.enables,
        tone: feature.isPresent ? .good : .faint)
    }
    add(
      "Kernels", "our own on \(kernelTarget)", "oneDNN \(oneDNNVersion) on \(oneDNNInstructionSet)")
    add("Threads", "\(threads)", "\(processors) processors for this process; \(waitPolicy)")
    let free = availableBytes.map { "\(Format.bytes($0)) available" } ?? ""
    add("Memory", Format.bytes(memoryBytes), free)
    return table
  }

  var json: JSONValue {
    [
      "processor": .string(processor),
      "features": .object(
        features.map { JSONValue.Member($0.name, .bool($0.isPresent)) }),
      "kernel_target": .string(kernelTarget), "threads": .integer(threads),
      "processors": .integer(processors), "memory_bytes": .integer(memoryBytes),
      "available_bytes": .optional(availableBytes), "onednn_version": .string(oneDNNVersion),
      "onednn_isa": .string(oneDNNInstructionSet), "wait_policy": .string(waitPolicy),
    ]
  }

  private static var processorName: String {
    #if os(Linux)
      let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
      let name = line?.split(separator: ":", maxSplits: 1).last.map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      return name ?? "unknown"
    #else
      var size = 0
      sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var name = [CChar](repeating: 0, count: max(size, 1))
      sysctlbyname("machdep.cpu.brand_string", &name, &size, nil, 0)
      return String(cString: name)
    #endif
  }

  private static var availableBytes: Int? {
    #if os(Linux)
      let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
      return line?.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 }
    #else
      return nil
    #endif
  }
}
