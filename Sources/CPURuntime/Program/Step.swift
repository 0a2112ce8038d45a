// SPDX-License-Identifier: Apache-2.0
import TensorCore

/// What a step is for, for profiles and reports.
public struct StepLabel: Sendable, Equatable {
  /// Names of the nodes in the file whose work it does; empty for copies between layouts.
  public var nodes: [String]
  /// The operator, or what kind of copy.
  public var kind: String
  /// Which kernel does it, such as `brgconv:avx512_core_vnni` or `reference`.
  public var implementation: String
  /// Such as `f32`, `bf16` or `u8`.
  public var precision: String
}

/// The memory that a step is bound to: addresses of buffers for one caller.
///
/// A class because it owns memory that steps write.
final class StepMemory {
  private let addresses: [UnsafeMutableRawPointer?]
  let threads: Int

  init(addresses: [UnsafeMutableRawPointer?], threads: Int) {
    self.addresses = addresses
    self.threads = threads
  }

  func address(_ placement: Placement) -> UnsafeMutableRawPointer {
    address(buffer: placement.buffer) + placement.offset
  }

  func address(buffer: Int) -> UnsafeMutableRawPointer {
    guard let address = addresses[buffer] else {
      preconditionFailure("buffer \(buffer) is read as memory of the program but is an input")
    }
    return address
  }
}

/// Addresses of the caller's input tensors during one run, and who looks at its outputs.
///
/// A class because runners hold on to it while its entries change from run to run.
final class InputTable {
  private var addresses: [UnsafeRawPointer?]

  /// Called with the index and the address of each observed output as soon as it is computed.
  var observer: ((Int, UnsafeRawPointer) -> Void)?

  init(count: Int) { addresses = Array(repeating: nil, count: count) }

  subscript(input: Int) -> UnsafeRawPointer {
    get {
      guard let address = addresses[input] else {
        preconditionFailure("input \(input) is read before it is set")
      }
      return address
    }
    set { addresses[input] = newValue }
  }
}

/// A bound step: runs on fixed addresses.
typealias Runner = (InputTable) throws(OneDNNError) -> Void

/// One piece of a program's work.
struct Step: Sendable {
  var label: StepLabel
  /// Buffers that it reads.
  var reads: [Int]
  /// Buffers that it writes, scratch memory among them.
  var writes: [Int]
  /// Makes the step's runner for one caller's memory.
  var bind: @Sendable (StepMemory) throws(OneDNNError) -> Runner
}
