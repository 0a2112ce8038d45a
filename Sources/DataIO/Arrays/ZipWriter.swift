// SPDX-License-Identifier: Apache-2.0

/// Assembles a zip file of stored members, the same bytes for the same members.
///
/// Source: PKWARE, ".ZIP File Format Specification" 6.3.10. Every member carries the date
/// 1980-01-01; 64-bit fields are written where a size or offset needs them.
struct ZipWriter {
  private(set) var pieces: [[UInt8]] = []
  private var directory: [UInt8] = []
  private var offset = 0
  private var count = 0

  mutating func append(name: String, contents: [UInt8]) {
    let checksum = Inflater.checksum(contents)
    let isWide = contents.count >= 0xffff_ffff
    var local: [UInt8] = []
    local.append(littleEndian: 0x0403_4b50, width: 4)
    appendCommon(to: &local, checksum, contents.count, isWide)
    local.append(littleEndian: UInt64(name.utf8.count), width: 2)
    local.append(littleEndian: isWide ? 20 : 0, width: 2)
    local += name.utf8
    if isWide { local += Self.wideExtra([contents.count, contents.count]) }

    let isFar = offset >= 0xffff_ffff
    let wide = (isWide ? [contents.count, contents.count] : []) + (isFar ? [offset] : [])
    let extra = wide.isEmpty ? [] : Self.wideExtra(wide)
    directory.append(littleEndian: 0x0201_4b50, width: 4)
    directory.append(littleEndian: 45, width: 2)
    appendCommon(to: &directory, checksum, contents.count, isWide)
    directory.append(littleEndian: UInt64(name.utf8.count), width: 2)
    directory.append(littleEndian: UInt64(extra.count), width: 2)
    directory.append(littleEndian: 0, width: 2 + 2 + 2 + 4)
    directory.append(littleEndian: isFar ? 0xffff_ffff : UInt64(offset), width: 4)
    directory += name.utf8
    directory += extra

    pieces += [local, contents]
    offset += local.count + contents.count
    count += 1
  }

  /// All pieces of the file, the directory last.
  func finished() -> [[UInt8]] {
    var end: [UInt8] = []
    if offset >= 0xffff_ffff || count >= 0xffff {
      end.append(littleEndian: 0x0606_4b50, width: 4)
      end.append(littleEndian: 44, width: 8)
      end.append(littleEndian: 45, width: 2)
      end.append(littleEndian: 45, width: 2)
      end.append(littleEndian: 0, width: 8)
      end.append(littleEndian: UInt64(count), width: 8)
      end.append(littleEndian: UInt64(count), width: 8)
      end.append(littleEndian: UInt64(directory.count), width: 8)
      end.append(littleEndian: UInt64(offset), width: 8)
      end.append(littleEndian: 0x0706_4b50, width: 4)
      end.append(littleEndian: 0, width: 4)
      end.append(littleEndian: UInt64(offset + directory.count), width: 8)
      end.append(littleEndian: 1, width: 4)
    }
    end.append(littleEndian: 0x0605_4b50, width: 4)
    end.append(littleEndian: 0, width: 4)
    end.append(littleEndian: UInt64(min(count, 0xffff)), width: 2)
    end.append(littleEndian: UInt64(min(count, 0xffff)), width: 2)
    end.append(littleEndian: UInt64(directory.count), width: 4)
    end.append(littleEndian: UInt64(min(offset, 0xffff_ffff)), width: 4)
    end.append(littleEndian: 0, width: 2)
    return pieces + [directory, end]
  }

  /// The fields that a member's header and its directory entry share.
  private func appendCommon(
    to bytes: inout [UInt8], _ checksum: UInt32, _ size: Int, _ isWide: Bool
  ) {
    let shownSize = isWide ? 0xffff_ffff : UInt64(size)
    bytes.append(littleEndian: isWide ? 45 : 20, width: 2)
    bytes.append(littleEndian: 0x0800, width: 2)
    bytes.append(littleEndian: 0, width: 2)
    bytes.append(littleEndian: 0, width: 2)
    bytes.append(littleEndian: 0x21, width: 2)
    bytes.append(littleEndian: UInt64(checksum), width: 4)
    bytes.append(littleEndian: shownSize, width: 4)
    bytes.append(littleEndian: shownSize, width: 4)
  }

  private static func wideExtra(_ values: [Int]) -> [UInt8] {
    var extra: [UInt8] = []
    extra.append(littleEndian: 1, width: 2)
    extra.append(littleEndian: UInt64(8 * values.count), width: 2)
    for value in values { extra.append(littleEndian: UInt64(value), width: 8) }
    return extra
  }
}
