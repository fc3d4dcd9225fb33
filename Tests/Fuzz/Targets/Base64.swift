import Codecs
import NIOCore

extension FuzzTarget {
  /// Base64, of which every body consists, and base32.
  static let base64 = FuzzTarget("base64", longest: 1024) { bytes in
    let text = Base64.encode(bytes)
    requireEqual(text.utf8.count, Base64.encodedLength(of: bytes.count), "Another length")
    requireEqual(Base64.decode(text).map { Array($0.readableBytesView) }, bytes, "It is decoded to other bytes")
    for base32 in [Base32.lowercase, .uppercase] {
      requireEqual(base32.decode(base32.encode(bytes).utf8), bytes, "It is decoded to other bytes")
      if let decoded = base32.decode(bytes) {
        requireEqual(Array(base32.encode(decoded).utf8), bytes, "A value has two texts")
      }
    }
    var draw = Draw(bytes)
    let whole = decoded([ByteBuffer(bytes: bytes)])
    requireEqual(decoded(draw.parts(of: bytes)), whole, "Another split gives something else")
    guard let whole else { return }
    let characters = bytes.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let padded = characters + Array(repeating: UInt8(ascii: "="), count: (4 - characters.count % 4) % 4)
    requireEqual(Base64.encode(whole), String(decoding: padded, as: UTF8.self), "A value has two texts")
  }

  private static func decoded(_ parts: [ByteBuffer]) -> [UInt8]? {
    var decoder = Base64Decoder()
    var decoded = ByteBuffer()
    for part in parts {
      guard decoder.decode(part, into: &decoded) else { return nil }
    }
    return decoder.finish(into: &decoded) ? Array(decoded.readableBytesView) : nil
  }
}
