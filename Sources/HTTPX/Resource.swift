import Codecs
import HTTPTypes

/// The `resource` of a request: where XEP-0332 has what HTTP calls the request target.
enum Resource {
  /// Accepts the origin form, and `*` for OPTIONS (RFC 9112 §3.2.1, §3.2.4).
  ///
  /// Never the absolute or the authority form, with which a peer would choose the host. `//host/x` is a path, for it
  /// begins with `/` and stays behind the authority that the origin has.
  static func check(_ resource: String, method: HTTPRequest.Method) throws(HTTPXError) {
    guard let target = RequestTarget(resource)
    else { throw HTTPXError(.malformed, "the resource is empty, or has characters that a request line cannot carry") }
    guard target.form == .origin || target.form == .asterisk && method == .options
    else { throw HTTPXError(.malformed, "the resource must be a path that begins with / (RFC 9112 §3.2.1)") }
  }
}
