// SPDX-License-Identifier: Apache-2.0
import DataIO
import Testing

@Suite("Preprocessing is resolved, printed and stored")
struct PreprocessingTests {
  @Test("the presets have the documented parts")
  func presets() {
    #expect(Preprocessing.presets.map(\.name) == ["imagenet", "cifar10", "mnist", "raw"])
    #expect(
      Preprocessing.imagenet
        == Preprocessing(
          scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], resize: 256,
          crop: 224))
    #expect(
      Preprocessing.cifar10
        == Preprocessing(
          scale: 255, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.2010]))
    #expect(Preprocessing.mnist == Preprocessing(scale: 255, mean: [0.1307], std: [0.3081]))
    #expect(Preprocessing.raw == Preprocessing(scale: 1, mean: [0], std: [1]))
  }

  @Test("the description is the arithmetic")
  func description() {
    var parts = Preprocessing.imagenet
    #expect(
      "\(parts)" == "resize 256, crop 224, (x/255 − 0.485 0.456 0.406) / 0.229 0.224 0.225")
    #expect(
      parts.description(of: .cifar) == "(x/255 − 0.485 0.456 0.406) / 0.229 0.224 0.225")
    parts = Preprocessing(mean: [104, 117, 123], crop: 227, channelOrder: .bgr)
    #expect("\(parts)" == "crop 227, BGR, x − 104 117 123")
    #expect("\(Preprocessing(scale: 255, mean: [0.5, 0.5], std: [0.5]))" == "(x/255 − 0.5) / 0.5")
    #expect("\(Preprocessing.raw)" == "x as it is")
  }

  @Test("metadata reads back exactly")
  func metadata() throws {
    var preprocessing = Preprocessing.imagenet
    preprocessing.mean = [1.0 / 3, 0.1 + 0.2, 5e-324]
    preprocessing.channelOrder = .bgr
    let entries = preprocessing.metadata
    #expect(entries["swiftlet.preprocess.scale"] == "255")
    #expect(try Preprocessing(metadata: entries.merging(["author": "x"]) { $1 }) == preprocessing)
    #expect(try Preprocessing(metadata: ["author": "x"]) == nil)
    let key = "swiftlet.preprocess.std"
    #expect(throws: DataError.self) { try Preprocessing(metadata: [key: "1,zwei"]) }
    #expect(throws: DataError.self) { try Preprocessing(metadata: [key: "0"]) }
  }

  @Test("YAML files read back, presets in them are overridden in parts")
  func yaml() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/p.yaml"
    try PreprocessingFile.write(.imagenet, to: path)
    #expect(try PreprocessingFile.read(path) == .imagenet)
    try AtomicFile.write("preset: imagenet\ncrop: 192\nchannel-order: bgr\nmean: 0.5\n", to: path)
    var expected = Preprocessing.imagenet
    expected.crop = 192
    expected.channelOrder = .bgr
    expected.mean = [0.5]
    #expect(try PreprocessingFile.read(path) == expected)
  }

  @Test(
    "YAML that cannot be used is refused by file and key",
    arguments: [
      ("colour: red", "colour"), ("mean: [a, b]", "mean"), ("std: [0]", "std"),
      ("preset: imagenette", "imagenette"), ("- 1", "mapping"), ("crop: 0", "crop"),
      ("mean: [[1], [2]]", "mean"), ("a: &a [1]\nmean: *a", "anchors"), ("mean: [1", "YAML"),
    ])
  func badYAML(text: String, words: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/p.yaml"
    try AtomicFile.write(text, to: path)
    let error = #expect(throws: DataError.self) { try PreprocessingFile.read(path) }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    #expect(error?.description.contains(path) == true)
  }

  @Test("YAML of ten thousand nested lists is refused", arguments: ["[", "{a: ", "- ", "? ["])
  func nestedYAML(opening: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/p.yaml"
    try AtomicFile.write(String(repeating: opening, count: 10_000), to: path)
    #expect(throws: DataError.self) { try PreprocessingFile.read(path) }
  }

  @Test("options go before metadata, that before a file beside the model, that before a guess")
  func precedence() throws {
    let folder = try TemporaryFolder()
    let model = folder.path + "/model.onnx"
    let guess = try Preprocessing.resolve(modelPath: model, kind: .cifar)
    #expect(guess.preprocessing == .cifar10)
    #expect(guess.origin.isGuess)
    #expect(guess.originWords.hasPrefix("a guess from the CIFAR data"))

    try AtomicFile.write("scale: 127.5\nmean: 1", to: folder.path + "/model.yaml")
    let beside = try Preprocessing.resolve(modelPath: model, kind: .cifar)
    #expect(beside.preprocessing == Preprocessing(scale: 127.5, mean: [1]))
    #expect(beside.origin == .sidecar(path: folder.path + "/model.yaml"))

    let stored = try Preprocessing.resolve(
      metadata: Preprocessing.mnist.metadata, modelPath: model, kind: .cifar)
    #expect(stored.preprocessing == .mnist)
    #expect(stored.origin == .metadata)

    let asked = try Preprocessing.resolve(
      options: PreprocessingOptions(preprocess: "imagenet", crop: 227),
      metadata: Preprocessing.mnist.metadata, modelPath: model, kind: .images)
    var expected = Preprocessing.imagenet
    expected.crop = 227
    #expect(asked.preprocessing == expected)
    #expect(asked.originWords == "from --preprocess imagenet --crop")
  }

  @Test("parts override what would have been used, and the rest is told")
  func parts() throws {
    let options = PreprocessingOptions(
      mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
    let resolved = try Preprocessing.resolve(
      options: options, kind: .cifar, inputShape: [3, 32, 32])
    #expect(resolved.preprocessing.scale == 255)
    #expect(resolved.preprocessing.resize == nil)
    #expect(resolved.originWords.hasPrefix("from --mean --std, the rest a guess"))
  }

  @Test("a crop alone does not resize")
  func cropAlone() throws {
    let resolved = try Preprocessing.resolve(
      options: PreprocessingOptions(crop: 224), kind: .images)
    #expect(resolved.preprocessing.resize == nil)
    #expect(resolved.preprocessing.crop == 224)
  }

  @Test("an .npz is used as it is unless an option is given")
  func npz() throws {
    let metadata = Preprocessing.mnist.metadata
    let resolved = try Preprocessing.resolve(metadata: metadata, kind: .npz)
    #expect(resolved.preprocessing == .raw)
    #expect(resolved.origin == .asIs)
    let asked = try Preprocessing.resolve(
      options: PreprocessingOptions(scale: 2), metadata: metadata, kind: .npz)
    #expect(asked.preprocessing.scale == 2)
    #expect(asked.preprocessing.mean == [0.1307])
  }

  @Test("a guess for images is fitted to the network's size and channels")
  func fitted() throws {
    let large = try Preprocessing.resolve(kind: .images, inputShape: [3, 299, 299])
    #expect(large.preprocessing.crop == 299)
    #expect(large.preprocessing.resize == 342)
    let grey = try Preprocessing.resolve(kind: .images, inputShape: [1, 224, 224])
    #expect(grey.preprocessing.channelOrder == .grey)
    #expect(grey.preprocessing.mean.count == 1)
    #expect(grey.preprocessing.resize == 256)
  }

  @Test("wrong options are refused by name")
  func refused() {
    #expect(throws: DataError.channelCountMismatch(option: "--mean", given: 2, channels: 3)) {
      try Preprocessing.resolve(
        options: PreprocessingOptions(mean: [1, 2]), kind: .cifar, inputShape: [3, 32, 32])
    }
    for options in [
      PreprocessingOptions(preprocess: "imagenette"), PreprocessingOptions(scale: 0),
      PreprocessingOptions(std: [1, 0, 1]), PreprocessingOptions(crop: -1),
    ] {
      #expect(throws: DataError.self) { try Preprocessing.resolve(options: options, kind: .images) }
    }
  }

  @Test("lists of numbers are read, others refused", arguments: ["", "1,,2", "1;2", "nan", "a"])
  func numbers(text: String) throws {
    #expect(try PreprocessingOptions.numbers("0.5, 1,-2e-3", option: "--mean") == [0.5, 1, -0.002])
    #expect(throws: DataError.self) { try PreprocessingOptions.numbers(text, option: "--mean") }
  }
}
