// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The preprocessing that will be used, and why.
public struct PreprocessingResolution: Sendable, Equatable {
  /// Where the preprocessing came from.
  public enum Origin: Sendable, Equatable {
    /// The options, by name.
    case options(String)
    case metadata
    case sidecar(path: String)
    /// Guessed from how the data is stored.
    case guess(DatasetKind)
    /// The arrays of an `.npz` are the network's input.
    case asIs

    /// Whether nothing said what to do.
    public var isGuess: Bool { if case .guess = self { true } else { false } }
  }

  public let preprocessing: Preprocessing
  public let origin: Origin

  /// What the options did not say and was taken from, if they said anything.
  public let base: Origin?

  /// The origin as it is printed: "from --mean --std", "a guess from the CIFAR data".
  public var originWords: String {
    let words = Self.words(origin)
    guard let base, base != .asIs else { return words }
    return "\(words), the rest \(Self.words(base))"
  }

  private static func words(_ origin: Origin) -> String {
    switch origin {
    case .options(let names): "from \(names)"
    case .metadata: "from the model"
    case .sidecar(let path): "from \(path)"
    case .guess(.cifar): "a guess from the CIFAR data; say --preprocess if it is another"
    case .guess(.idx): "a guess from the IDX data; say --preprocess if it is another"
    case .guess: "a guess from the images; say --preprocess if it is another"
    case .asIs: "the .npz as it is"
    }
  }
}

extension Preprocessing {
  /// Decides on the preprocessing: options, then the model's metadata, then a file beside the
  /// model, then a guess from the kind of data.
  ///
  /// A preset or file given in the options is whole; parts given without one override what would
  /// have been used. The arrays of an `.npz` are used as they are unless an option is given. A
  /// guess for images is fitted to the network: its crop is the network's height, its resize 8/7
  /// of that, and a network of one channel gets brightness.
  ///
  /// - Parameters:
  ///   - options: What the user asked for.
  ///   - metadata: All metadata of the model.
  ///   - modelPath: The model's file, beside which a YAML file is looked for.
  ///   - kind: How the data is stored.
  ///   - inputShape: `[channels, height, width]` of the network's input; an unknown size is
  ///     negative or 0.
  /// - Throws: `DataError` if an option, an entry or the file cannot be used.
  public static func resolve(
    options: PreprocessingOptions = PreprocessingOptions(), metadata: [String: String] = [:],
    modelPath: String? = nil, kind: DatasetKind, inputShape: [Int]? = nil
  ) throws(DataError) -> PreprocessingResolution {
    let resolved: PreprocessingResolution
    if let name = options.preprocess {
      resolved = PreprocessingResolution(
        preprocessing: options.applied(to: try named(name)), origin: .options(options.names),
        base: nil)
    } else {
      var (base, origin) = try unasked(
        metadata: metadata, modelPath: modelPath, kind: kind, inputShape: inputShape,
        isAsked: !options.isEmpty)
      // "--crop alone" cuts and does not resize, whatever the guess would have done.
      if origin.isGuess, options.crop != nil { base.resize = nil }
      let isWhole = options.scale != nil && options.mean != nil && options.std != nil
      resolved =
        options.isEmpty
        ? PreprocessingResolution(preprocessing: base, origin: origin, base: nil)
        : PreprocessingResolution(
          preprocessing: options.applied(to: base), origin: .options(options.names),
          base: isWhole ? nil : origin)
    }
    try resolved.preprocessing.validate()
    if let channels = inputShape?.first, channels > 0, inputShape?.count == 3 {
      for (name, values) in [
        ("mean", resolved.preprocessing.mean), ("std", resolved.preprocessing.std),
      ] where values.count != 1 && values.count != channels {
        throw .channelCountMismatch(
          option: "--\(name)", given: values.count, channels: channels)
      }
    }
    return resolved
  }

  /// The preset or the file that `--preprocess` names.
  private static func named(_ name: String) throws(DataError) -> Preprocessing {
    if let preset = preset(name) { return preset }
    guard FileManager.default.fileExists(atPath: name) else {
      throw .invalidOption(
        option: "--preprocess", value: name,
        accepted: presets.map(\.name).joined(separator: ", ") + ", or a YAML file that exists")
    }
    return try PreprocessingFile.read(name)
  }

  /// What is used where no preset or file is asked for.
  private static func unasked(
    metadata: [String: String], modelPath: String?, kind: DatasetKind, inputShape: [Int]?,
    isAsked: Bool
  ) throws(DataError) -> (Preprocessing, PreprocessingResolution.Origin) {
    if kind == .npz && !isAsked { return (.raw, .asIs) }
    if let stored = try Preprocessing(metadata: metadata) { return (stored, .metadata) }
    if let path = modelPath.flatMap({ PreprocessingFile.sidecar(ofModel: $0) }) {
      return (try PreprocessingFile.read(path), .sidecar(path: path))
    }
    switch kind {
    case .npz: return (.raw, .asIs)
    case .cifar: return (.cifar10, .guess(kind))
    case .idx: return (.mnist, .guess(kind))
    case .images: return (imagenetGuess(inputShape), .guess(kind))
    }
  }

  private static func imagenetGuess(_ inputShape: [Int]?) -> Preprocessing {
    var guess = Preprocessing.imagenet
    guard let shape = inputShape, shape.count == 3 else { return guess }
    if shape[1] > 0, shape[1] == shape[2], shape[1] != guess.crop {
      guess.crop = shape[1]
      guess.resize = (shape[1] * 8 + 6) / 7
    }
    if shape[0] == 1 {
      guess.channelOrder = .grey
      guess.mean = [0.449]
      guess.std = [0.226]
    }
    return guess
  }
}
