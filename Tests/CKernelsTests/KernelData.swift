// SPDX-License-Identifier: Apache-2.0
import CKernels
import TensorCore

/// The element kinds that activations are stored in.
let storedTypes: [swk_type] = [SWK_F32, SWK_BF16, SWK_U8, SWK_S8]

/// Activations whose results are the same bytes on every instruction set.
let exactActivations: [swk_activation] = [
  SWK_NONE, SWK_RELU, SWK_CLIP, SWK_HARD_SWISH, SWK_HARD_SIGMOID, SWK_LEAKY_RELU,
]

func byteCount(of type: swk_type) -> Int {
  switch type {
  case SWK_F32, SWK_S32: 4
  case SWK_BF16: 2
  default: 1
  }
}

extension RandomSource {
  /// The bytes of `count` elements: any code, or reals of moderate size.
  mutating func elements(_ type: swk_type, count: Int) -> [UInt8] {
    switch type {
    case SWK_F32:
      return reals(count: count).withUnsafeBytes { Array($0) }
    case SWK_BF16:
      let bits = reals(count: count).map { UInt16($0.bitPattern >> 16) }
      return bits.withUnsafeBytes { Array($0) }
    default:
      return (0..<count * byteCount(of: type)).map { _ in UInt8(nextIndex(below: 256)) }
    }
  }

  mutating func reals(count: Int) -> [Float] {
    (0..<count).map { _ in Float(nextUniform() - 0.5) * 40 }
  }

  mutating func zeroPoint(of type: swk_type) -> Int32 {
    switch type {
    case SWK_U8: Int32(nextIndex(below: 256))
    case SWK_S8: Int32(nextIndex(below: 256)) - 128
    default: 0
    }
  }

  mutating func format(_ type: swk_type) -> swk_format {
    swk_format(
      type: type, scale: Float(nextUniform() + 0.01) * 0.2, zero_point: zeroPoint(of: type))
  }

  mutating func epilogue(_ type: swk_type, _ activation: swk_activation) -> swk_epilogue {
    let clips = activation == SWK_CLIP
    return swk_epilogue(
      type: type, activation: activation, alpha: clips ? -0.5 : 1 / 6, beta: clips ? 6 : 0.5,
      inverse_scale: Float(nextUniform() + 0.1) * 30, zero_point: zeroPoint(of: type))
  }
}

/// The bytes that `write` leaves in a buffer for `count` elements of `type`, with a margin behind
/// them that must stay as it was.
func written(
  _ type: swk_type, count: Int, by write: (UnsafeMutableRawPointer) -> Void
) -> [UInt8] {
  var bytes = [UInt8](repeating: 0xA5, count: count * byteCount(of: type) + 64)
  bytes.withUnsafeMutableBytes { buffer in
    if let base = buffer.baseAddress { write(base) }
  }
  return bytes
}
