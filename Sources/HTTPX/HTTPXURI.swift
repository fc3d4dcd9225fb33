import Codecs
package import XMPP

/// `httpx://user@machine/path?query#fragment` (XEP-0332 §4.3.1.1): a device's address, and a resource on it.
package struct HTTPXURI: Sendable, Hashable {
  /// Without a resource.
  package let jid: JID
  /// Begins with `/`, as it goes into the request: with the query, still percent-encoded.
  package let path: String
  /// Behind `#`, nil where there is none. It is for browsers and never sent.
  package let fragment: String?

  package static let scheme = "httpx"
  /// `web+httpx` is the spelling that browsers let a page register.
  private static let schemes = [scheme, "web+httpx"]

  /// `path` must begin with `/`.
  package init(jid: JID, path: String = "/", fragment: String? = nil) {
    self.jid = jid
    self.path = path
    self.fragment = fragment
  }

  /// Reads a URI as people type it: an empty path is `/`, and what RFC 3986 wants encoded (spaces, UTF-8) may stand as it is.
  package init(_ text: String) throws(HTTPXError) {
    guard text.utf8.count <= HTTPXLimits.uriBytes else { throw HTTPXError(.limit, "this URI is too long") }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { throw HTTPXError(.uri, "a URI has no line breaks or control characters: write them as %0A and the like") }
    // By bytes throughout: a letter may combine with the delimiter before it.
    let rest = try Self.behindScheme(text)
    let authority = rest.utf8.prefix { !Self.delimiters.contains($0) }
    let target = rest.utf8[authority.endIndex...]
    let hash = target.firstIndex(of: UInt8(ascii: "#"))
    let path = Self.target(target[..<(hash ?? target.endIndex)])
    jid = try Self.jid(Substring(authority))
    self.path = path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    fragment = hash.map { Self.target(target[target.index(after: $0)...]) }
  }

  /// A path, query or fragment as it was written, save what no request line carries safely.
  private static func target(_ text: Substring.UTF8View) -> String {
    PercentEncoding.encode(Substring(text), except: .visible)
  }

  /// What ends the authority (RFC 3986 §3.2).
  private static let delimiters = Array("/?#".utf8)

  private static func behindScheme(_ text: String) throws(HTTPXError) -> Substring {
    let scheme = text.utf8.prefix { $0 != UInt8(ascii: ":") }
    let rest = text.utf8[scheme.endIndex...]
    guard rest.starts(with: "://".utf8) else {
      throw HTTPXError(.uri, "“\(text)” is no httpx address: write httpx://name@machine/path")
    }
    let name = Substring(scheme).lowercased()
    guard schemes.contains(name) else {
      throw HTTPXError(.uri, "“\(name)” is not a scheme of devices: write httpx://name@machine/path")
    }
    return Substring(rest.dropFirst(3))
  }

  private static func jid(_ authority: Substring) throws(HTTPXError) -> JID {
    guard !authority.isEmpty
    else { throw HTTPXError(.uri, "the device is missing: write httpx://name@machine/path") }
    if let colon = authority.lastIndex(of: ":"), authority[authority.index(after: colon)...].allSatisfy(\.isNumber) {
      throw HTTPXError(.uri, "devices have no port: leave out “\(authority[colon...])”")
    }
    guard let name = PercentEncoding.decodeText(authority)
    else { throw HTTPXError(.uri, "“\(authority)” is not percent-encoded UTF-8: write % as %25") }
    guard name.utf8.count <= DNSLabel.maximumLength, let jid = JID(bare: name) else {
      throw HTTPXError(.uri, "“\(name)” is no device's name: that has 1 to \(DNSLabel.maximumLength) bytes of text")
    }
    return jid
  }
}

extension HTTPXURI: CustomStringConvertible {
  /// The device's address, percent-encoded where RFC 3986 wants it: also what a `Host` field says.
  package var authority: String { PercentEncoding.encode(jid.text, except: .authority) }

  /// Percent-encoded where RFC 3986 wants it.
  package var description: String {
    "\(Self.scheme)://\(authority)\(path)\(fragment.map { "#" + $0 } ?? "")"
  }
}
