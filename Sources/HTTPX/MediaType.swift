import Codecs

/// What a `Content-Type` says about sending a body as text (RFC 9110 §8.3). By bytes, since every message asks.
enum MediaType {
  private static let textual = [
    "application/json", "application/javascript", "application/x-javascript", "application/xml",
    "application/x-www-form-urlencoded", "application/x-ndjson", "application/graphql", "application/sparql-query",
    "application/toml", "application/yaml",
  ]
  private static let charsets = ["utf-8", "utf8", "us-ascii"]

  /// Whether it is for reading, in UTF-8 as far as it says: a receiver may put text into the charset that is named here.
  static func isText(_ contentType: String) -> Bool {
    var rest = contentType.utf8[...]
    let type = nextPart(&rest)
    guard
      type.starts(with: "text/") || type.ends(with: "+json") || type.ends(with: "+xml")
        || textual.contains(where: type.equals)
    else { return false }
    while !rest.isEmpty {
      guard isUTF8(nextPart(&rest)) else { return false }
    }
    return true
  }

  /// Whether it is an XML document (RFC 7303 §4), in UTF-8 as far as it says.
  static func isXML(_ contentType: String) -> Bool {
    var rest = contentType.utf8[...]
    let type = nextPart(&rest)
    return isText(contentType) && (type.ends(with: "/xml") || type.ends(with: "+xml"))
  }

  /// The same type for bytes that are UTF-8 now; nil where it names no other charset.
  static func inUTF8(_ contentType: String) -> String? {
    let parts = contentType.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
    let kept = parts.enumerated().filter { $0 == 0 || isUTF8($1.trimmingSpace) }.map { $1 }
    guard kept.count < parts.count else { return nil }
    return kept.map { String($0) ?? "" }.joined(separator: ";") + "; charset=utf-8"
  }

  /// True for every parameter but a foreign charset.
  private static func isUTF8(_ parameter: Substring.UTF8View) -> Bool {
    guard let sign = parameter.firstIndex(of: UInt8(ascii: "=")), parameter[..<sign].trimmingSpace.equals("charset")
    else { return true }
    let charset = parameter[parameter.index(after: sign)...].trimmingSpace.filter { $0 != UInt8(ascii: "\"") }
    return charsets.contains {
      charset.count == $0.utf8.count && zip(charset, $0.utf8).allSatisfy { $0.asciiLowercased == $1 }
    }
  }

  /// Up to the next semicolon, which is taken as well.
  private static func nextPart(_ rest: inout Substring.UTF8View) -> Substring.UTF8View {
    let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
    defer { rest = end == rest.endIndex ? rest[end...] : rest[rest.index(after: end)...] }
    return rest[..<end].trimmingSpace
  }
}

extension Substring.UTF8View {
  /// Compared with small letters, in whatever case these are.
  fileprivate func equals(_ text: String) -> Bool {
    count == text.utf8.count && starts(with: text)
  }

  fileprivate func starts(with text: String) -> Bool {
    var bytes = makeIterator()
    for byte in text.utf8 {
      guard bytes.next()?.asciiLowercased == byte else { return false }
    }
    return true
  }

  fileprivate func ends(with text: String) -> Bool { suffix(text.utf8.count).equals(text) }
}
