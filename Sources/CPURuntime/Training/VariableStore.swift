// SPDX-License-Identifier: Apache-2.0
import Synchronization
public import TensorCore

/// Named values that outlive programs: weights, running statistics, states of optimizers.
///
/// Several programs may share one store; each works on the same memory. A class because it owns
/// that memory. A run of a program holds the store, so reading or setting a value waits for it.
public final class VariableStore: Sendable {
  /// One variable's memory.
  final class Block: @unchecked Sendable {
    // Safe to share: the bytes are touched only while the store's lock is held.
    let elementType: ElementType
    let shape: [Int]
    let byteCount: Int
    let address: UnsafeMutableRawPointer

    init(_ tensor: Tensor) {
      elementType = tensor.elementType
      shape = tensor.shape
      byteCount = tensor.bytes.count
      address = .allocate(
        byteCount: MemoryPlan.aligned(max(byteCount, 1)), alignment: MemoryPlan.alignment)
      write(tensor)
    }

    deinit { address.deallocate() }

    func write(_ tensor: Tensor) {
      tensor.bytes.withUnsafeBytes { bytes in
        if let base = bytes.baseAddress {
          address.copyMemory(from: base, byteCount: min(bytes.count, byteCount))
        }
      }
    }

    var tensor: Tensor {
      Tensor(
        uncheckedElementType: elementType, shape: shape,
        bytes: [UInt8](UnsafeRawBufferPointer(start: address, count: byteCount)))
    }
  }

  private struct Contents {
    var blocks: [String: Block] = [:]
    var order: [String] = []
  }

  private let contents = Mutex(Contents())

  public init() {}

  /// Names of the variables in the order in which they were added.
  public var names: [String] { contents.withLock { $0.order } }

  /// A copy of a variable's value; `nil` for a name that the store does not have.
  public func value(of name: String) -> Tensor? {
    contents.withLock { $0.blocks[name]?.tensor }
  }

  /// Sets a variable's value, adding the variable if the store does not have it.
  ///
  /// - Throws: `CompileError.variableMismatch` if the variable has another element type or shape.
  public func set(_ tensor: Tensor, for name: String) throws(CompileError) {
    let block = try block(named: name, initial: tensor)
    contents.withLock { _ in block.write(tensor) }
  }

  /// The memory of a variable, made with `initial` as its value where the store does not have it.
  func block(named name: String, initial: Tensor) throws(CompileError) -> Block {
    try contents.withLock { contents throws(CompileError) in
      if let known = contents.blocks[name] {
        guard known.elementType == initial.elementType, known.shape == initial.shape else {
          throw .variableMismatch(
            name: name, found: "\(initial.elementType.rawValue) \(initial.shape)",
            expected: "\(known.elementType.rawValue) \(known.shape)")
        }
        return known
      }
      let made = Block(initial)
      contents.blocks[name] = made
      contents.order.append(name)
      return made
    }
  }

  /// Does work on the variables' memory while nobody else reads or writes it.
  func withExclusiveAccess(_ body: () throws(CompileError) -> Void) throws(CompileError) {
    try contents.withLock { _ throws(CompileError) in try body() }
  }
}
