package import HTTPTypes

/// Names of header fields that most messages have, as they are mostly spelt: made once, where others are checked, copied and
/// folded each time.
package enum KnownFieldNames {
  private struct Entry {
    let bytes: [UInt8]
    let name: HTTPField.Name
  }

  /// Nil for a name that is not known, or not spelt so.
  package static func name(_ bytes: UnsafeRawBufferPointer) -> HTTPField.Name? {
    guard let slot = slot(bytes), let entry = table[slot], entry.bytes.count == bytes.count else { return nil }
    for index in 0..<bytes.count where entry.bytes[index] != bytes[index] { return nil }
    return entry.name
  }

  /// Of two names with one slot the first is known.
  private static let table: [Entry?] = {
    var table = [Entry?](repeating: nil, count: 256)
    for name in names.flatMap({ [$0, $0.lowercased()] }) {
      let bytes = Array(name.utf8)
      guard let slot = bytes.withUnsafeBytes({ slot($0) }), table[slot] == nil, let name = HTTPField.Name(name) else {
        continue
      }
      table[slot] = Entry(bytes: bytes, name: name)
    }
    return table
  }()

  private static func slot(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let first = bytes.first, let last = bytes.last else { return nil }
    let middle = bytes[bytes.count / 2]
    return (bytes.count &* 29 &+ Int(first) &* 7 &+ Int(middle) &* 13 &+ Int(last) &* 31) & 255
  }

  private static let names = [
    "Accept", "Accept-Encoding", "Accept-Language", "Accept-Ranges", "Age", "Authorization", "Cache-Control",
    "Connection",
    "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Range",
    "Content-Security-Policy", "Content-Type", "Cookie", "Date", "ETag", "Expires", "Host", "If-Modified-Since",
    "Hearth-Via", "If-None-Match", "Keep-Alive", "Last-Modified", "Location", "Origin", "Pragma", "Range", "Referer",
    "Referrer-Policy",
    "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Server", "Set-Cookie", "Transfer-Encoding",
    "Upgrade-Insecure-Requests", "User-Agent", "Vary", "X-Content-Type-Options", "X-Forwarded-Host",
    "X-Forwarded-Proto", "X-Frame-Options",
  ]
}
