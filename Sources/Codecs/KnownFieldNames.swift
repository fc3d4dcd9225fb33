package import HTTPTypes

/// Names of header fields that most messages have, as they are mostly spelt: made once, where others are checked, copied and
/// folded each time.
package enum KnownFieldNames {
  private struct Entry {
    let key: TextKey
    let name: HTTPField.Name
  }

  /// Nil for a name that is not known, or not spelt so.
  package static func name(_ bytes: UnsafeRawBufferPointer) -> HTTPField.Name? {
    guard !bytes.isEmpty else { return nil }
    let key = TextKey(bytes)
    var slot = key.slot
    while let entry = table[slot] {
      if entry.key == key, bytes.count <= TextKey.whole || entry.name.rawName.utf8.elementsEqual(bytes) {
        return entry.name
      }
      slot = (slot + 1) & 255
    }
    return nil
  }

  /// Each in the slot of its key, or soon behind.
  private static let table: [Entry?] = {
    var table = [Entry?](repeating: nil, count: 256)
    for text in names.flatMap({ [$0, $0.lowercased()] }) {
      guard let name = HTTPField.Name(text) else { continue }
      let key = Array(text.utf8).withUnsafeBytes { TextKey($0) }
      var slot = key.slot
      while table[slot] != nil { slot = (slot + 1) & 255 }
      table[slot] = Entry(key: key, name: name)
    }
    return table
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
