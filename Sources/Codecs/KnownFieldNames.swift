package import HTTPTypes

/// Names of header fields that most messages have, as they are mostly spelt: made once, where others are checked, copied and
/// folded each time.
package enum KnownFieldNames {
  /// Nil for a name that is not known, or not spelt so.
  package static func name(_ bytes: UnsafeRawBufferPointer) -> HTTPField.Name? {
    guard !bytes.isEmpty else { return nil }
    let key = TextKey(bytes)
    var slot = key.slot
    while let other = table.keys[slot] {
      if other == key, bytes.count <= TextKey.whole || table.names[slot]?.rawName.utf8.elementsEqual(bytes) ?? false {
        return table.names[slot]
      }
      slot = (slot + 1) & 255
    }
    return nil
  }

  /// Each in the slot of its key, or soon behind.
  private static let table: (keys: [TextKey?], names: [HTTPField.Name?]) = {
    var keys = [TextKey?](repeating: nil, count: 256)
    var table = [HTTPField.Name?](repeating: nil, count: 256)
    for text in names.flatMap({ [$0, $0.lowercased()] }) {
      let key = Array(text.utf8).withUnsafeBytes { TextKey($0) }
      var slot = key.slot
      while keys[slot] != nil { slot = (slot + 1) & 255 }
      (keys[slot], table[slot]) = (key, HTTPField.Name(text))
    }
    return (keys, table)
  }()

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
