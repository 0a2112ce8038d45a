// SPDX-License-Identifier: Apache-2.0
import COneDNN

/// What the runtime stands on, for `doctor` and reports.
public enum RuntimeDescription {
  /// Version of oneDNN, such as `3.2.0`.
  public static var kernelLibraryVersion: String {
    guard let version = dnnl_version()?.pointee else { return "unknown" }
    return "\(version.major).\(version.minor).\(version.patch)"
  }

  /// The most capable instruction set that oneDNN uses here, as oneDNN names it.
  public static var instructionSet: String {
    let names: [(dnnl_cpu_isa_t, String)] = [
      (dnnl_cpu_isa_sse41, "SSE4.1"), (dnnl_cpu_isa_avx, "AVX"), (dnnl_cpu_isa_avx2, "AVX2"),
      (dnnl_cpu_isa_avx2_vnni, "AVX2 VNNI"), (dnnl_cpu_isa_avx2_vnni_2, "AVX2 VNNI 2"),
      (dnnl_cpu_isa_avx512_core, "AVX-512"), (dnnl_cpu_isa_avx512_core_vnni, "AVX-512 VNNI"),
      (dnnl_cpu_isa_avx512_core_bf16, "AVX-512 VNNI BF16"),
      (dnnl_cpu_isa_avx512_core_fp16, "AVX-512 FP16"),
      (dnnl_cpu_isa_avx512_core_amx, "AVX-512 AMX"),
      (dnnl_cpu_isa_avx512_core_amx_fp16, "AVX-512 AMX FP16"),
    ]
    let isa = dnnl_get_effective_cpu_isa()
    return names.first { $0.0 == isa }?.1 ?? "number \(isa.rawValue)"
  }

  /// Processors that this process may run on.
  public static var processorCount: Int { ThreadTeam.processorCount }
}
