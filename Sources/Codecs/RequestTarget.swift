/// What stands in a request line behind the method: whom or what a request is for (RFC 9112 §3.2).
///
/// It cannot end the line or the target: it has no white space, control character or `#`. Bytes beyond ASCII pass.
package struct RequestTarget: Sendable, Hashable {
  package enum Form: Sendable, Hashable {
    /// A path and perhaps a query (§3.2.1).
    case origin
    /// A URI, or `host:port`, with which the sender chooses the host (§3.2.2, §3.2.3).
    case absoluteOrAuthority
    /// `*`, the server as a whole (§3.2.4).
    case asterisk
  }

  package let text: String

  /// nil where no request line can carry it.
  package init?(_ text: String) {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "#") })
    else { return nil }
    self.text = text
  }

  package var form: Form {
    if text.utf8.first == UInt8(ascii: "/") { return .origin }
    return text == "*" ? .asterisk : .absoluteOrAuthority
  }

  /// Without its query.
  package var path: Substring {
    text.utf8.firstIndex(of: UInt8(ascii: "?")).map { text[..<$0] } ?? text[...]
  }

  /// With its question mark; empty where there is none.
  package var query: Substring { text[path.endIndex...] }

  package var isASCII: Bool { text.utf8.allSatisfy { $0 < 0x80 } }

  /// Origin form that no server takes for a URL with another host, as some do with `/\host/`. A path whose first segment is
  /// empty stays a path here (RFC 9112 §3.2.1), though as a reference `//host/` would name a host (RFC 3986 §4.2).
  package var staysAtHost: Bool {
    form == .origin && text.utf8.dropFirst().first != UInt8(ascii: "\\")
  }
}
