// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What can go wrong with data files, image sets and preprocessing.
public enum DataError: Error, Equatable, Sendable {
  case missing(path: String)
  case unreadable(path: String, code: Int32)
  case unwritable(path: String, code: Int32)
  case malformed(path: String, format: DataFormat, defect: String)
  case unsupported(path: String, format: DataFormat, feature: String)
  case noDataFound(path: String, found: [String])
  case splitMissing(path: String, split: DatasetSplit, found: [String])
  case arrayMissing(path: String, name: String, found: [String])
  case countMismatch(path: String, labels: Int, samples: Int)
  case invalidLabel(path: String, line: Int, text: String)
  case labelBeyondClasses(path: String, label: Int, classCount: Int)
  case sampleOutOfRange(index: Int, count: Int)
  case sizeMismatch(path: String, found: [Int], expected: [Int])
  case cropTooLarge(path: String, crop: Int, width: Int, height: Int)
  case channelCountMismatch(option: String, given: Int, channels: Int)
  case notFinite(path: String)
  case invalidOption(option: String, value: String, accepted: String)
  case labelsMissing(path: String)
  case tooFewSamples(path: String, count: Int, needed: Int)
  case augmentationUnsupported(path: String, name: String, shape: [Int])
}

extension DataError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let path):
      "\(path): no such file or folder"
    case .unreadable(let path, let code):
      "\(path): cannot be read: \(Self.reason(code))"
    case .unwritable(let path, let code):
      "\(path): cannot be written: \(Self.reason(code)); nothing was left behind"
    case .malformed(let path, let format, let defect):
      "\(path): not a valid \(format.name): \(defect) (expected \(format.accepted))"
    case .unsupported(let path, let format, let feature):
      "\(path): \(format.name) with \(feature) is unsupported (accepted: \(format.accepted))"
    case .noDataFound(let path, let found):
      """
      \(path): no data set found here (\(Self.listing(found)))
             looked for CIFAR binary batches (data_batch_*.bin, test_batch.bin, train.bin, \
      test.bin), IDX files (train-*, t10k-*, plain or .gz), images (.jpg, .jpeg, .png, flat, in \
      class folders, or with labels.csv), or an .npz with x and y
      """
    case .splitMissing(let path, let split, let found):
      """
      \(path): the set has no \(split.words) split (\(Self.listing(found)))
             give a folder that has one, or the file itself to use it whatever its split
      """
    case .arrayMissing(let path, let name, let found):
      "\(path): no array \"\(name)\" (\(Self.listing(found)); expected x and, for labels, y)"
    case .countMismatch(let path, let labels, let samples):
      "\(path): \(labels) labels for \(samples) samples (expected one each)"
    case .invalidLabel(let path, let line, let text):
      "\(path): line \(line): \"\(text)\" (expected: file,label)"
    case .labelBeyondClasses(let path, let label, let classCount):
      """
      \(path): label \(label) is beyond the network's \(classCount) classes \
      (expected 0…\(classCount - 1))
      """
    case .sampleOutOfRange(let index, let count):
      "sample \(index) of a set of \(count) (expected 0…\(count - 1))"
    case .sizeMismatch(let path, let found, let expected):
      """
      \(path): gives \(Self.dimensions(found)) after preprocessing, the network takes \
      \(Self.dimensions(expected)) (channels × height × width; see --resize and --crop)
      """
    case .cropTooLarge(let path, let crop, let width, let height):
      """
      \(path): an image of \(width) × \(height) is too small for a crop of \(crop) \
      (use --resize \(crop) or more, or a smaller --crop)
      """
    case .channelCountMismatch(let option, let given, let channels):
      """
      \(option): \(given) values for \(channels) channel\(channels == 1 ? "" : "s") \
      (expected 1 or \(channels))
      """
    case .notFinite(let path):
      "\(path): holds NaN or infinity (expected finite values)"
    case .invalidOption(let option, let value, let accepted):
      "\(option) \(value): accepted: \(accepted)"
    case .labelsMissing(let path):
      """
      \(path): the samples have no labels (expected class folders, labels.csv, label files or the \
      array y)
      """
    case .tooFewSamples(let path, let count, let needed):
      """
      \(path): \(count) samples do not fill one batch of \(needed) \
      (use a smaller --batch or more samples)
      """
    case .augmentationUnsupported(let path, let name, let shape):
      """
      \(path): \(name) cannot be used on arrays of shape \(Self.dimensions(shape)) \
      (pad_crop, horizontal_flip, cutout and random_erasing take channels × height × width; \
      random_resized_crop and color_jitter take images of bytes)
      """
    }
  }

  private static func reason(_ code: Int32) -> String {
    switch code {
    case ENOSPC: "the disk is full"
    case EROFS: "the file system is read-only"
    case EACCES, EPERM: "permission denied"
    case ENOENT: "its folder does not exist"
    case EISDIR: "it is a folder"
    case EINVAL: "it is neither a file nor a folder"
    case EDQUOT: "the disk quota is used up"
    default: String(cString: strerror(code))
    }
  }

  private static func listing(_ found: [String]) -> String {
    guard !found.isEmpty else { return "found nothing" }
    let shown = found.prefix(6).joined(separator: ", ")
    return found.count > 6 ? "found \(shown) and \(found.count - 6) more" : "found \(shown)"
  }

  private static func dimensions(_ shape: [Int]) -> String {
    shape.map { $0 < 0 ? "?" : String($0) }.joined(separator: "×")
  }
}
