internal import CBase64
package import NIOCore

/// Base64 with the standard alphabet and padding (RFC 4648 §4), straight between buffers.
package enum Base64 {
  /// Characters that `count` bytes become, padding included.
  package static func encodedLength(of count: Int) -> Int { (count + 2) / 3 * 4 }

  /// Appends the readable bytes of `bytes` as base64 to `buffer`, padded at the end where they are no multiple of three.
  package static func encode(_ bytes: ByteBuffer, into buffer: inout ByteBuffer) {
    bytes.withUnsafeReadableBytes { input in
      _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: encodedLength(of: input.count)) { output in
        encode(input, into: output)
      }
    }
  }

  package static func encode(_ bytes: ByteBuffer) -> String {
    bytes.withUnsafeReadableBytes { input in
      String(unsafeUninitializedCapacity: encodedLength(of: input.count)) { output in
        encode(input, into: UnsafeMutableRawBufferPointer(output))
      }
    }
  }

  /// The bytes that `text` stands for; nil unless it is base64 from beginning to end (see `Base64Decoder`).
  package static func decode(_ text: String) -> ByteBuffer? {
    var text = text
    return text.withUTF8 { decode(UnsafeRawBufferPointer($0)) }
  }

  /// The same of its characters.
  package static func decode(_ characters: UnsafeRawBufferPointer) -> ByteBuffer? {
    var decoder = Base64Decoder()
    var bytes = ByteBuffer()
    guard decoder.decode(characters, into: &bytes), decoder.finish(into: &bytes) else { return nil }
    return bytes
  }

  package static func encode(_ bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { input in
      String(unsafeUninitializedCapacity: encodedLength(of: input.count)) { output in
        encode(input, into: UnsafeMutableRawBufferPointer(output))
      }
    }
  }

  /// The bytes that `text` stands for; nil unless it is exactly what `encode` writes: padded, and without white space.
  ///
  /// For values where nothing else may stand, as in SASL (RFC 6120 §6.4.2) and in keys.
  package static func decodeCanonical(_ text: String) -> [UInt8]? {
    guard let bytes = decode(text).map({ Array($0.readableBytesView) }), encode(bytes) == text else { return nil }
    return bytes
  }
}

extension Base64 {
  static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let pad = UInt8(ascii: "=")

  /// The two characters of every 12-bit number, the first one in the low byte.
  private static let pairs: [UInt16] = (0..<4096).map { UInt16(alphabet[$0 >> 6]) | UInt16(alphabet[$0 & 63]) << 8 }

  /// Writes `encodedLength(of: input.count)` characters and returns their number; `output` has room for them.
  private static func encode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
    guard let source = input.baseAddress, let target = output.baseAddress, input.count > 0 else { return 0 }
    return pairs.withUnsafeBufferPointer { pairs in
      // The table is never empty.
      let table = pairs.baseAddress!
      let done = encodeWide(source, input.count, into: target, table)
      return encodeRest(source, from: done, input.count, into: target, table)
    }
  }

  /// By vector instructions, then six bytes at a time for as long as eight may be loaded; returns how many were encoded, a
  /// multiple of six.
  private static func encodeWide(
    _ source: UnsafeRawPointer, _ count: Int, into target: UnsafeMutableRawPointer, _ table: UnsafePointer<UInt16>
  ) -> Int {
    var read = CBase64_encode(source, count, target)
    var written = read / 3 * 4
    while read &+ 8 <= count {
      let word = source.loadUnaligned(fromByteOffset: read, as: UInt64.self).bigEndian
      let first = UInt64(table[Int(word &>> 52)]) | UInt64(table[Int((word &>> 40) & 4095)]) &<< 16
      let second = UInt64(table[Int((word &>> 28) & 4095)]) | UInt64(table[Int((word &>> 16) & 4095)]) &<< 16
      target.storeBytes(of: (first | second &<< 32).littleEndian, toByteOffset: written, as: UInt64.self)
      read &+= 6
      written &+= 8
    }
    return read
  }

  /// From byte `start`, a multiple of three, to the end; returns the number of characters in all.
  private static func encodeRest(
    _ source: UnsafeRawPointer, from start: Int, _ count: Int, into target: UnsafeMutableRawPointer,
    _ table: UnsafePointer<UInt16>
  ) -> Int {
    var read = start
    var written = start / 3 * 4
    while read < count {
      let left = count - read
      let second = left > 1 ? Int(source.load(fromByteOffset: read + 1, as: UInt8.self)) : 0
      let third = left > 2 ? Int(source.load(fromByteOffset: read + 2, as: UInt8.self)) : 0
      let word = Int(source.load(fromByteOffset: read, as: UInt8.self)) << 16 | second << 8 | third
      target.storeBytes(of: table[word >> 12].littleEndian, toByteOffset: written, as: UInt16.self)
      target.storeBytes(of: table[word & 4095].littleEndian, toByteOffset: written + 2, as: UInt16.self)
      if left < 3 { target.storeBytes(of: pad, toByteOffset: written + 3, as: UInt8.self) }
      if left < 2 { target.storeBytes(of: pad, toByteOffset: written + 2, as: UInt8.self) }
      read += 3
      written += 4
    }
    return written
  }
}
