// SPDX-License-Identifier: Apache-2.0

/// The file formats that this module reads.
public enum DataFormat: String, Sendable, Equatable, CaseIterable {
  case npy, npz, gzip, idx, cifar, jpeg, png, image, labelsCSV, preprocessing, safetensors

  /// The format's name in a sentence.
  public var name: String {
    switch self {
    case .npy: ".npy array"
    case .npz: ".npz archive"
    case .gzip: "gzip file"
    case .idx: "IDX file"
    case .cifar: "CIFAR binary batch"
    case .jpeg: "JPEG image"
    case .png: "PNG image"
    case .image: "image"
    case .labelsCSV: "labels.csv"
    case .preprocessing: "preprocessing description"
    case .safetensors: "safetensors file"
    }
  }

  /// What a valid file of this format holds.
  public var accepted: String {
    switch self {
    case .npy:
      "version 1 to 3, little-endian bool, int8…int64, uint8…uint64, float16, float32, float64"
    case .npz: "a zip of .npy files, stored or deflated"
    case .gzip: "a whole gzip stream"
    case .idx: "unsigned bytes, images of 3 or 4 dimensions, labels of 1"
    case .cifar: "records of 3073 bytes (CIFAR-10) or 3074 bytes (CIFAR-100)"
    case .jpeg: "baseline or progressive JPEG of at most 100 million pixels"
    case .png: "PNG of at most 100 million pixels"
    case .image: "JPEG or PNG"
    case .labelsCSV: "lines of file,label"
    case .preprocessing: "preset, scale, mean, std, resize, crop, channel_order"
    case .safetensors:
      "a JSON header and tensors of F64, F32, F16, BF16, I8…I64, U8…U64, BOOL without gaps"
    }
  }
}
