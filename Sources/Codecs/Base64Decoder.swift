internal import CBase64
package import NIOCore

/// Reads base64 (RFC 4648 §4) that arrives in pieces of any length, and appends what it stands for to a buffer.
///
/// Strict where XEP-0047 §7 asks for it: every character outside the alphabet is refused, save the white space of XML;
/// padding is accepted at the very end only, whole or not at all; bits that no byte uses must be zero, so that there is
/// one spelling for every sequence of bytes and no room for a covert channel. Between two pieces it carries at most
/// three characters. After a refusal it is of no further use.
package struct Base64Decoder: Sendable {
  /// The values of the carried characters, six bits each.
  private var sextets: UInt32 = 0
  /// Characters carried, at most 3.
  private var carried = 0
  /// Padding characters seen.
  private var pads = 0

  package init() {}

  /// Appends the bytes that are complete; false where `text` is no base64. Needs no more than 3/4 of its length, plus 2.
  package mutating func decode(_ text: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) -> Bool {
    guard let base = text.baseAddress, text.count > 0 else { return true }
    let source = base.assumingMemoryBound(to: UInt8.self)
    var isValid = false
    _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: (text.count + 3) / 4 * 3) { output in
      // Room for at least three bytes was asked for.
      let target = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
      let written = decode(source, text.count, into: target)
      isValid = written != nil
      return written ?? 0
    }
    return isValid
  }

  package mutating func decode(_ text: ByteBuffer, into buffer: inout ByteBuffer) -> Bool {
    text.withUnsafeReadableBytes { decode($0, into: &buffer) }
  }

  /// Appends what the carried characters stand for; false where the text broke off, or is padded wrongly.
  package mutating func finish(into buffer: inout ByteBuffer) -> Bool {
    guard pads == 0 || pads + carried == 4 else { return false }
    switch carried {
    case 0: return true
    case 2 where sextets & 0b1111 == 0: buffer.writeInteger(UInt8(truncatingIfNeeded: sextets >> 4))
    case 3 where sextets & 0b11 == 0: buffer.writeInteger(UInt16(truncatingIfNeeded: sextets >> 2))
    default: return false
    }
    carried = 0
    return true
  }

  /// Four characters at a time where none is carried, one at a time across white space and the edges of pieces.
  private mutating func decode(
    _ source: UnsafePointer<UInt8>, _ count: Int, into target: UnsafeMutablePointer<UInt8>
  ) -> Int? {
    var read = 0
    var written = 0
    while read < count {
      if carried == 0, pads == 0 {
        let quads = Self.decodeQuads(source + read, count &- read, into: target + written)
        read &+= quads &* 4
        written &+= quads &* 3
        if read == count { break }
      }
      guard take(source[read]) else { return nil }
      read &+= 1
      if carried == 4 {
        target[written] = UInt8(truncatingIfNeeded: sextets &>> 16)
        target[written &+ 1] = UInt8(truncatingIfNeeded: sextets &>> 8)
        target[written &+ 2] = UInt8(truncatingIfNeeded: sextets)
        written &+= 3
        carried = 0
        sextets = 0
      }
    }
    return written
  }

  private mutating func take(_ character: UInt8) -> Bool {
    switch character {
    case 0x20, 0x09, 0x0A, 0x0D:
      return true
    case UInt8(ascii: "="):
      pads += 1
      return carried >= 2 && pads + carried <= 4
    default:
      let value = Self.table[768 + Int(character)]
      guard pads == 0, value <= 63 else { return false }
      sextets = sextets << 6 | value
      carried += 1
      return true
    }
  }
}

extension Base64Decoder {
  /// Four tables of 256, one for each place in a group of four: the character's six bits where they belong in 24 bits,
  /// or bits above these where it is outside the alphabet.
  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0xFF00_0000, count: 4 * 256)
    for (value, character) in Base64.alphabet.enumerated() {
      for place in 0..<4 { table[place * 256 + Int(character)] = UInt32(value) << UInt32(18 - 6 * place) }
    }
    return table
  }()

  /// Decodes groups of four, by vector instructions first, up to one that holds anything but the alphabet; returns how many.
  private static func decodeQuads(
    _ source: UnsafePointer<UInt8>, _ count: Int, into target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    table.withUnsafeBufferPointer { table in
      // The table is never empty.
      let first = table.baseAddress!
      let (second, third, fourth) = (first + 256, first + 512, first + 768)
      var read = CBase64_decode(source, count, target)
      var written = read / 4 * 3
      while read &+ 4 <= count {
        let word =
          first[Int(source[read])] | second[Int(source[read &+ 1])] | third[Int(source[read &+ 2])]
          | fourth[Int(source[read &+ 3])]
        if word > 0xFF_FFFF { break }
        target[written] = UInt8(truncatingIfNeeded: word &>> 16)
        target[written &+ 1] = UInt8(truncatingIfNeeded: word &>> 8)
        target[written &+ 2] = UInt8(truncatingIfNeeded: word)
        read &+= 4
        written &+= 3
      }
      return read / 4
    }
  }
}
