// SPDX-License-Identifier: Apache-2.0
import COneDNN
import TensorCore

/// A call of oneDNN that failed.
struct OneDNNError: Error, Equatable, Sendable {
  let call: String
  let status: UInt32
}

/// Turns a status of oneDNN into an error.
func check(_ status: dnnl_status_t, _ call: String) throws(OneDNNError) {
  guard status == dnnl_success else { throw OneDNNError(call: call, status: status.rawValue) }
}

/// The processor as oneDNN's engine, with a stream that runs primitives in order.
///
/// A class because it owns two handles of the library.
final class Engine: @unchecked Sendable {
  // Safe to share: the handles are set once, and oneDNN's processor engine and stream keep no
  // state that an execution changes.
  let handle: dnnl_engine_t
  let stream: dnnl_stream_t

  init() throws(OneDNNError) {
    var engine: dnnl_engine_t?
    try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine")
    guard let engine else { throw OneDNNError(call: "engine", status: dnnl_runtime_error.rawValue) }
    var stream: dnnl_stream_t?
    try check(
      dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue), "stream")
    guard let stream else { throw OneDNNError(call: "stream", status: dnnl_runtime_error.rawValue) }
    handle = engine
    self.stream = stream
  }

  deinit {
    dnnl_stream_destroy(stream)
    dnnl_engine_destroy(handle)
  }
}

/// Shape, type and layout of memory that oneDNN reads or writes.
///
/// A class because it owns a handle of the library.
final class MemoryDescriptor: @unchecked Sendable {
  // Safe to share: the handle is never changed after it was made.
  let handle: dnnl_memory_desc_t

  /// Takes over a descriptor.
  init(owning handle: dnnl_memory_desc_t) { self.handle = handle }

  init(_ type: dnnl_data_type_t, shape: [Int], strides: [Int]) throws(OneDNNError) {
    var made: dnnl_memory_desc_t?
    let dims = shape.map { dnnl_dim_t($0) }
    let steps = strides.map { dnnl_dim_t($0) }
    try check(
      dnnl_memory_desc_create_with_strides(&made, Int32(dims.count), dims, type, steps),
      "memory descriptor")
    guard let made else {
      throw OneDNNError(call: "memory descriptor", status: dnnl_runtime_error.rawValue)
    }
    handle = made
  }

  /// Memory whose layout the primitive may choose.
  init(any type: dnnl_data_type_t, shape: [Int]) throws(OneDNNError) {
    var made: dnnl_memory_desc_t?
    let dims = shape.map { dnnl_dim_t($0) }
    try check(
      dnnl_memory_desc_create_with_tag(
        &made, Int32(dims.count), dims, type, dnnl_format_tag_any), "memory descriptor")
    guard let made else {
      throw OneDNNError(call: "memory descriptor", status: dnnl_runtime_error.rawValue)
    }
    handle = made
  }

  convenience init(dense type: dnnl_data_type_t, shape: [Int]) throws(OneDNNError) {
    try self.init(type, shape: shape, strides: Tensor.strides(of: shape))
  }

  deinit { dnnl_memory_desc_destroy(handle) }

  var byteCount: Int { dnnl_memory_desc_get_size(handle) }

  func isEqual(to other: MemoryDescriptor) -> Bool {
    dnnl_memory_desc_equal(handle, other.handle) != 0
  }
}

/// Memory at an address, described; owns the handle, not the memory.
final class MemoryHandle {
  let handle: dnnl_memory_t

  init(
    _ descriptor: MemoryDescriptor, at address: UnsafeMutableRawPointer?, on engine: Engine
  ) throws(OneDNNError) {
    var made: dnnl_memory_t?
    try check(dnnl_memory_create(&made, descriptor.handle, engine.handle, address), "memory")
    guard let made else { throw OneDNNError(call: "memory", status: dnnl_runtime_error.rawValue) }
    handle = made
  }

  deinit { dnnl_memory_destroy(handle) }
}

extension ElementType {
  /// The type as oneDNN names it, where it has it.
  var oneDNN: dnnl_data_type_t? {
    switch self {
    case .float32: dnnl_f32
    case .bfloat16: dnnl_bf16
    case .float16: dnnl_f16
    case .int8: dnnl_s8
    case .uint8: dnnl_u8
    case .int32: dnnl_s32
    default: nil
    }
  }
}
