import Codecs
package import HTTPTypes

/// Fields that concern one connection only, removed wherever HTTP over TCP begins or ends (RFC 9110 §7.6.1).
package enum HopByHop {
  /// Removed whether `Connection` names them or not.
  ///
  /// `Trailer` goes with them because trailers are not carried on, and `Keep-Alive`, `Proxy-Connection` because senders
  /// forget to name them. `Proxy-Authenticate` and `Proxy-Authorization` are meant for the next proxy: for us.
  private static let names: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authentication-info",
    "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
  ]
  /// Never removed, though a sender names them in `Connection`: RFC 9110 §7.6.1 forbids to do so, and their absence
  /// would change what the message means.
  private static let kept: Set<String> = [
    "cache-control", "content-length", "content-type", "content-encoding", "host", "authorization", "cookie",
    "set-cookie",
  ]

  /// Removes `Connection`, what it names, and the fields of `names`; order, case and duplicates of the others survive.
  /// Most heads have none of these, and stay as they are without being copied.
  package static func strip(_ fields: inout HTTPFields) {
    guard fields.contains(where: { names.contains($0.name.canonicalName) }) else { return }
    var removed = names
    for value in fields[values: .connection] {
      for option in value.split(separator: ",") {
        let name = option.trimmingSpace.lowercased()
        if !kept.contains(name) { removed.insert(name) }
      }
    }
    fields.removeAll { removed.contains($0.name.canonicalName) }
  }
}
