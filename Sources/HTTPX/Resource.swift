import HTTPTypes

/// The `resource` of a request: where XEP-0332 has what HTTP calls the request target.
enum Resource {
  /// Accepts the origin form, and `*` for OPTIONS (RFC 9112 §3.2.1, §3.2.4).
  ///
  /// Never the absolute or the authority form, with which a peer would choose the host. `//host/x` is a path, for it
  /// begins with `/` and stays behind the authority that the origin has. White space, controls and `#` have no place in a
  /// request line; bytes beyond ASCII pass, as they do over TCP.
  static func check(_ resource: String, method: HTTPRequest.Method) throws(HTTPXError) {
    if resource == "*", method == .options { return }
    guard resource.utf8.first == UInt8(ascii: "/")
    else { throw HTTPXError(.malformed, "the resource must be a path that begins with / (RFC 9112 §3.2.1)") }
    let isClean = resource.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "#") }
    guard isClean else { throw HTTPXError(.malformed, "the resource has characters that a request line cannot carry") }
  }
}
