import Codecs
package import HTTPTypes

/// Fields that concern one connection only, removed wherever HTTP over TCP begins or ends (RFC 9110 §7.6.1).
package enum HopByHop {
  /// Removed whether `Connection` names them or not.
  ///
  /// `Trailer` goes with them because trailers are not carried on, and `Keep-Alive`, `Proxy-Connection` because senders
  /// forget to name them. `Proxy-Authenticate` and `Proxy-Authorization` are meant for the next proxy: for us.
  private static let names = FieldNameSet([
    "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authentication-info",
    "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
  ])
  /// Never removed, though a sender names them in `Connection`: RFC 9110 §7.6.1 forbids to do so, and their absence
  /// would change what the message means.
  private static let kept: Set<String> = [
    "cache-control", "content-length", "content-type", "content-encoding", "host", "authorization", "cookie",
    "set-cookie",
  ]

  /// Removes `Connection`, what it names, and the fields of `names`; order, case and duplicates of the others survive.
  /// Most heads have none of these, and stay as they are without being copied.
  package static func strip(_ fields: inout HTTPFields) {
    guard let first = fields.index(in: names) else { return }
    let options = options(of: fields)
    guard !options.isEmpty || fields.index(in: names, from: first + 1) != nil else {
      fields[fields[first].name] = nil
      return
    }
    fields.removeAll { names.contains($0.name) || options.contains($0.name.canonicalName) }
  }

  /// The same for a request. `Upgrade` stays where it asks for a WebSocket, which is carried from end to end.
  package static func strip(_ head: inout HTTPRequest) {
    let upgrades = head.asksForWebSocket
    strip(&head.headerFields)
    if upgrades { head.headerFields[.upgrade] = "websocket" }
  }

  /// The same for a response, which may agree to one.
  package static func strip(_ head: inout HTTPResponse) {
    let agrees = head.headerFields.has(.upgrade) && head.status == .switchingProtocols
    strip(&head.headerFields)
    if agrees { head.headerFields[.upgrade] = "websocket" }
  }

  /// Fields that `Connection` names and that may be removed.
  private static func options(of fields: HTTPFields) -> [String] {
    var options: [String] = []
    var next = fields.index(of: .connection)
    while let index = next {
      let field = fields[index]
      next = fields.index(of: .connection, from: index + 1)
      // By far the most that are sent.
      if field.value == "keep-alive" || field.value == "close" { continue }
      for option in field.value.split(separator: ",") {
        let name = option.trimmingSpace.lowercased()
        if !kept.contains(name), !options.contains(name) { options.append(name) }
      }
    }
    return options
  }
}
