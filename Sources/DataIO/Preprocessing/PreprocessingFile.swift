// SPDX-License-Identifier: Apache-2.0
import Foundation
import Yams

/// Reading and writing of preprocessing as YAML.
///
/// ```yaml
/// preset: imagenet        # optional; the rest overrides its parts
/// scale: 255
/// mean: [0.485, 0.456, 0.406]
/// std: [0.229, 0.224, 0.225]
/// resize: 256
/// crop: 224
/// channel_order: rgb
/// ```
public enum PreprocessingFile {
  /// The preprocessing in the YAML file at `path`; parts that are absent are those of the preset
  /// or, without one, of `raw`.
  ///
  /// - Throws: `DataError` if the file cannot be read, is no YAML mapping, or has a key or a value
  ///   that cannot be used.
  public static func read(_ path: String) throws(DataError) -> Preprocessing {
    let options = try readOptions(path)
    var base = Preprocessing.raw
    if let name = options.preprocess {
      guard let preset = Preprocessing.preset(name) else {
        throw .invalidOption(
          option: "\(path): preset", value: name,
          accepted: Preprocessing.presets.map(\.name).joined(separator: ", "))
      }
      base = preset
    }
    let result = options.applied(to: base)
    try result.validate(prefix: "\(path): ")
    return result
  }

  /// Writes the preprocessing as a YAML file.
  ///
  /// - Throws: `DataError.unwritable`; nothing half-written is left.
  public static func write(_ preprocessing: Preprocessing, to path: String) throws(DataError) {
    func list(_ values: [Double]) -> String {
      "[" + values.map { Preprocessing.text($0) }.joined(separator: ", ") + "]"
    }
    var lines = [
      "scale: \(Preprocessing.text(preprocessing.scale))", "mean: \(list(preprocessing.mean))",
      "std: \(list(preprocessing.std))",
    ]
    if let resize = preprocessing.resize { lines.append("resize: \(resize)") }
    if let crop = preprocessing.crop { lines.append("crop: \(crop)") }
    lines.append("channel_order: \(preprocessing.channelOrder.rawValue)")
    try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: path)
  }

  /// The YAML file beside the model: `model.preprocess.yaml` or `model.yaml` for `model.onnx`.
  public static func sidecar(ofModel path: String) -> String? {
    let stem = path.hasSuffix(".onnx") ? String(path.dropLast(5)) : path
    let candidates = [
      "\(stem).preprocess.yaml", "\(stem).preprocess.yml", "\(stem).yaml", "\(stem).yml",
    ]
    return candidates.first { FileManager.default.fileExists(atPath: $0) }
  }

  private static func readOptions(_ path: String) throws(DataError) -> PreprocessingOptions {
    func malformed(_ defect: String) -> DataError {
      .malformed(path: path, format: .preprocessing, defect: defect)
    }
    let file = try RandomAccessFile(path: path)
    guard file.size <= 65_536 else { throw malformed("\(file.size) bytes are too many") }
    let text = String(decoding: try file.contents(), as: UTF8.self)
    // Aliases can make a small text expand without bound.
    guard !text.contains("&") else { throw malformed("YAML anchors are not accepted") }
    let node: Node?
    do { node = try compose(yaml: text) } catch { throw malformed("it is no YAML: \(error)") }
    guard var mapping = node?.mapping else { throw malformed("it is no YAML mapping") }
    if mapping.count == 1, let inner = mapping["preprocess"]?.mapping { mapping = inner }
    var parts: [String: String] = [:]
    for (key, value) in mapping {
      let name = Self.partName(key.string ?? "")
      guard PreprocessingOptions.partNames.contains(name) || name == "preset" else {
        throw malformed("key \"\(key.string ?? "?")\" is unknown")
      }
      if let scalar = value.scalar {
        if !["", "~", "null"].contains(scalar.string) { parts[name] = scalar.string }
      } else if let sequence = value.sequence {
        parts[name] = sequence.map { $0.scalar?.string ?? "?" }.joined(separator: ",")
      } else {
        throw malformed("key \"\(name)\" is neither a value nor a list")
      }
    }
    var options = try PreprocessingOptions(parts, prefix: "\(path): ")
    options.preprocess = parts["preset"]
    return options
  }

  /// The name in `PreprocessingOptions.partNames` for `channelOrder`, `channel-order` and the like.
  private static func partName(_ key: String) -> String {
    let name = key.lowercased().replacing("-", with: "_")
    return name == "channelorder" ? "channel_order" : name
  }
}
