/// The authority of a URI, or a `Host`, without a user (RFC 3986 §3.2).
package enum Authority {
  /// The host, an IPv6 address with its brackets, and what stands behind its colon; nil where there is none.
  package static func split(_ authority: some StringProtocol) -> (host: Substring, port: Substring?) {
    let text = Substring(authority)
    // Before the bracket the colons are the address's own.
    guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") else { return (text, nil) }
    return (text[..<colon], text[text.index(after: colon)...])
  }
}
