// SPDX-License-Identifier: Apache-2.0
import Foundation
import SwiftProtobuf

/// A file of events that TensorBoard draws curves from.
///
/// Source: TensorFlow, `record_writer.h` and `event.proto`: each record is the length of the event
/// in eight bytes, the masked checksum of these eight, the event, and its masked checksum.
///
/// A class because it owns an open file. Each call is written to the file at once, so that the
/// curves grow while the work goes on and nothing is lost if the process ends.
package final class TensorBoardLog {
  /// The file that is written.
  package let path: String
  private let file: FileHandle

  /// Makes a new file in `folder`, which is made if it is not there.
  ///
  /// - Parameters:
  ///   - folder: What `tensorboard --logdir` is given, or a folder in it.
  ///   - time: Now, in seconds since 1970.
  ///   - step: The first step that will be logged; where an earlier file of the folder has later
  ///     ones, TensorBoard forgets them.
  /// - Throws: `ReportingError.cannotWriteFile` naming the folder or file.
  package init(folder: String, time: Double, step: Int = 0) throws(ReportingError) {
    let manager = FileManager.default
    do {
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .cannotWriteFile(path: folder, reason: "the folder cannot be made")
    }
    let host = ProcessInfo.processInfo.hostName.filter { $0.isLetter || $0.isNumber || $0 == "-" }
    let stem = "\(folder)/events.out.tfevents.\(Int(time)).\(host).\(getpid())"
    var path = stem
    var serial = 0
    while manager.fileExists(atPath: path) {
      serial += 1
      path = "\(stem).\(serial)"
    }
    guard manager.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else { throw .cannotWriteFile(path: path, reason: "the file cannot be made") }
    self.path = path
    self.file = file
    var version = TensorBoardEvent()
    version.wallTime = time
    version.fileVersion = "brain.Event:2"
    try append(version)
    var start = TensorBoardEvent()
    start.wallTime = time
    start.step = Int64(step)
    start.sessionLog.status = .start
    try append(start)
  }

  deinit { try? file.close() }

  /// Adds the value of each tag at a step.
  ///
  /// - Parameters:
  ///   - scalars: Values by tag; a slash in a tag makes a group: `loss/training`.
  ///   - step: Where they stand on the horizontal axis.
  ///   - time: Now, in seconds since 1970.
  /// - Throws: `ReportingError.cannotWriteFile`.
  package func add(
    _ scalars: [(tag: String, value: Double)], step: Int, time: Double
  ) throws(ReportingError) {
    var event = TensorBoardEvent()
    event.wallTime = time
    event.step = Int64(step)
    event.summary.value = scalars.map { scalar in
      var value = TensorBoardSummary.Value()
      value.tag = scalar.tag
      value.simpleValue = Float(scalar.value)
      return value
    }
    try append(event)
  }

  private func append(_ event: TensorBoardEvent) throws(ReportingError) {
    do {
      try file.write(contentsOf: Data(Self.record(try event.serializedBytes() as [UInt8])))
    } catch {
      throw .cannotWriteFile(path: path, reason: "\(error.localizedDescription)")
    }
  }

  /// The event's bytes between their length and checksums.
  private static func record(_ event: [UInt8]) -> [UInt8] {
    var record: [UInt8] = []
    func append(_ value: UInt64, bytes: Int) {
      for index in 0..<bytes { record.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
    append(UInt64(event.count), bytes: 8)
    append(UInt64(Checksum.masked(record)), bytes: 4)
    record += event
    append(UInt64(Checksum.masked(event)), bytes: 4)
    return record
  }
}

/// The checksum of TensorFlow's records.
package enum Checksum {
  /// CRC-32C: Castagnoli's polynomial, reflected.
  package static func castagnoli(_ bytes: [UInt8]) -> UInt32 {
    var remainder: UInt32 = 0xffff_ffff
    for byte in bytes { remainder = table[Int((remainder ^ UInt32(byte)) & 0xff)] ^ remainder >> 8 }
    return ~remainder
  }

  /// The checksum turned and shifted, so that it can be checksummed itself.
  package static func masked(_ bytes: [UInt8]) -> UInt32 {
    let sum = castagnoli(bytes)
    return (sum >> 15 | sum << 17) &+ 0xa282_ead8
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1
    }
  }
}
