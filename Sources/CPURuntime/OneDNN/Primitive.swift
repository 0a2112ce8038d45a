// SPDX-License-Identifier: Apache-2.0
import COneDNN
import GraphIR

/// A compiled operation of oneDNN with the layouts that it chose.
///
/// A class because it owns handles of the library.
final class Primitive: @unchecked Sendable {
  // Safe to share: a primitive is immutable, and with the scratchpad given by the caller its
  // execution keeps no state in it.
  let descriptor: dnnl_primitive_desc_t
  let handle: dnnl_primitive_t

  /// Takes over a primitive descriptor and makes its primitive.
  init(owning descriptor: dnnl_primitive_desc_t) throws(OneDNNError) {
    var made: dnnl_primitive_t?
    let status = dnnl_primitive_create(&made, descriptor)
    guard status == dnnl_success, let made else {
      dnnl_primitive_desc_destroy(descriptor)
      throw OneDNNError(call: "primitive", status: status.rawValue)
    }
    self.descriptor = descriptor
    handle = made
  }

  deinit {
    dnnl_primitive_destroy(handle)
    dnnl_primitive_desc_destroy(descriptor)
  }

  /// The layout that the primitive wants for one of its arguments.
  func layout(of argument: Int32) throws(OneDNNError) -> MemoryDescriptor {
    guard
      let queried = dnnl_primitive_desc_query_md(descriptor, dnnl_query_exec_arg_md, argument)
    else { throw OneDNNError(call: "layout", status: dnnl_invalid_arguments.rawValue) }
    var copy: dnnl_memory_desc_t?
    try check(dnnl_memory_desc_clone(&copy, queried), "layout")
    guard let copy else {
      throw OneDNNError(call: "layout", status: dnnl_runtime_error.rawValue)
    }
    return MemoryDescriptor(owning: copy)
  }

  /// The name of the kernel that oneDNN chose.
  var implementation: String { Primitive.implementation(of: descriptor) }

  /// The name of the kernel that a descriptor stands for.
  static func implementation(of descriptor: dnnl_primitive_desc_t) -> String {
    var name: UnsafePointer<CChar>?
    guard dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name) == dnnl_success,
      let name
    else { return "onednn" }
    return String(cString: name)
  }
}

/// What a primitive does beside its operation: scales, zero points, fused steps.
final class PrimitiveAttributes {
  let handle: dnnl_primitive_attr_t
  private let postOperations: dnnl_post_ops_t

  init() throws(OneDNNError) {
    var attributes: dnnl_primitive_attr_t?
    try check(dnnl_primitive_attr_create(&attributes), "attributes")
    var operations: dnnl_post_ops_t?
    try check(dnnl_post_ops_create(&operations), "fused steps")
    guard let attributes, let operations else {
      throw OneDNNError(call: "attributes", status: dnnl_runtime_error.rawValue)
    }
    handle = attributes
    postOperations = operations
    try check(
      dnnl_primitive_attr_set_scratchpad_mode(handle, dnnl_scratchpad_mode_user), "scratchpad")
  }

  deinit {
    dnnl_post_ops_destroy(postOperations)
    dnnl_primitive_attr_destroy(handle)
  }

  func appendEltwise(_ step: Eltwise) throws(OneDNNError) {
    try check(
      dnnl_post_ops_append_eltwise(postOperations, step.algorithm, step.alpha, step.beta),
      "fused activation")
    try check(dnnl_primitive_attr_set_post_ops(handle, postOperations), "fused activation")
  }

  func appendSum(
    scale: Float, zeroPoint: Int32, type: dnnl_data_type_t
  ) throws(OneDNNError) {
    try check(dnnl_post_ops_append_sum(postOperations, scale, zeroPoint, type), "fused sum")
    try check(dnnl_primitive_attr_set_post_ops(handle, postOperations), "fused sum")
  }

  func setScales(of argument: Int32, mask: Int32) throws(OneDNNError) {
    try check(dnnl_primitive_attr_set_scales_mask(handle, argument, mask), "scales")
  }

  func setZeroPoint(of argument: Int32) throws(OneDNNError) {
    try check(dnnl_primitive_attr_set_zero_points_mask(handle, argument, 0), "zero point")
  }
}

/// An elementwise function with its two parameters, as oneDNN knows it.
struct Eltwise: Sendable {
  var algorithm: dnnl_alg_kind_t
  var alpha: Float = 0
  var beta: Float = 0

  static func clip(_ lower: Float, _ upper: Float) -> Eltwise {
    Eltwise(algorithm: dnnl_eltwise_clip, alpha: lower, beta: upper)
  }

  static func linear(_ factor: Float, _ offset: Float) -> Eltwise {
    Eltwise(algorithm: dnnl_eltwise_linear, alpha: factor, beta: offset)
  }

  /// The function as oneDNN has it; `nil` where it has none.
  init?(_ function: Unary.Function) {
    switch function {
    case .relu: self.init(algorithm: dnnl_eltwise_relu)
    case .leakyRelu(let alpha): self.init(algorithm: dnnl_eltwise_relu, alpha: alpha)
    case .elu(let alpha): self.init(algorithm: dnnl_eltwise_elu, alpha: alpha)
    case .sigmoid: self.init(algorithm: dnnl_eltwise_logistic)
    case .tanh: self.init(algorithm: dnnl_eltwise_tanh)
    case .hardSigmoid(let alpha, let beta):
      self.init(algorithm: dnnl_eltwise_hardsigmoid, alpha: alpha, beta: beta)
    case .hardSwish:
      self.init(algorithm: dnnl_eltwise_hardswish, alpha: 1.0 / 6.0, beta: 0.5)
    case .swish(let alpha): self.init(algorithm: dnnl_eltwise_swish, alpha: alpha)
    case .gelu(let approximates):
      self.init(algorithm: approximates ? dnnl_eltwise_gelu_tanh : dnnl_eltwise_gelu_erf)
    case .exp: self.init(algorithm: dnnl_eltwise_exp)
    case .log: self.init(algorithm: dnnl_eltwise_log)
    case .sqrt: self.init(algorithm: dnnl_eltwise_sqrt)
    case .abs: self.init(algorithm: dnnl_eltwise_abs)
    case .mish: self.init(algorithm: dnnl_eltwise_mish)
    case .softplus: self.init(algorithm: dnnl_eltwise_soft_relu, alpha: 1)
    case .negate: self.init(algorithm: dnnl_eltwise_linear, alpha: -1)
    case .round: self.init(algorithm: dnnl_eltwise_round)
    default: return nil
    }
  }

  init(algorithm: dnnl_alg_kind_t, alpha: Float = 0, beta: Float = 0) {
    self.algorithm = algorithm
    self.alpha = alpha
    self.beta = beta
  }

  /// The function `g` with `g(x / unit) = f(x) / unit`, where it is of the same family.
  func rescaled(by unit: Float) -> Eltwise? {
    switch algorithm {
    case dnnl_eltwise_relu, dnnl_eltwise_abs: self
    case dnnl_eltwise_clip: .clip(alpha / unit, beta / unit)
    case dnnl_eltwise_linear: .linear(alpha, beta / unit)
    default: nil
    }
  }
}
