// SPDX-License-Identifier: Apache-2.0
import Foundation
import Swiftlet

/// Peak memory of running one network, measured in a process of its own.
enum ChildBench {
  /// Bytes that a process was resident with at most while it read, compiled and ran the network;
  /// `nil` where that cannot be measured.
  static func peakMemory(of path: String, precision: Precision, threads: Int) -> Int? {
    // Within other programs, such as tests, there is no command to start.
    guard let program = Bundle.main.executableURL, program.lastPathComponent == "swiftlet" else {
      return nil
    }
    let process = Process()
    process.executableURL = program
    process.arguments = [
      "bench", path, "--precision", precision.rawValue, "--threads", "\(threads)", "--runs", "3",
      "--json", "--quiet",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0,
      let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { return nil }
    return object["peak_memory_bytes"] as? Int
  }
}
