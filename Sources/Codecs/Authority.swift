/// The authority of a URI, or a `Host`, without a user (RFC 3986 §3.2).
package enum Authority {
  /// The host, an IPv6 address with its brackets, and what stands behind its colon; nil where there is none.
  package static func split(_ authority: some StringProtocol) -> (host: Substring, port: Substring?) {
    let text = Substring(authority)
    // By bytes: a mark that combines with a colon or bracket would hide it. Before the bracket the colons are the address's own.
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")), !text.utf8[colon...].contains(UInt8(ascii: "]"))
    else {
      return (text, nil)
    }
    return (text[..<colon], text[text.utf8.index(after: colon)...])
  }
}
