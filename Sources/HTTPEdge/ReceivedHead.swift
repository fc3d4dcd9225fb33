import HTTPTypes
import NIOHTTP1

/// The head of a request as it came, its fields converted once.
struct ReceivedHead {
  let request: HTTPRequest
  let traits: ServerMachine.RequestTraits

  /// Nil where it has no `Host`, or more than one (RFC 9112 §3.2; HTTP/1.0 may have none).
  ///
  /// `Expect: 100-continue` is answered here, and goes no further.
  init?(_ head: HTTPRequestHead) {
    guard let method = HTTPRequest.Method(head.method.rawValue) else { return nil }
    let isHTTP10 = head.version.minor == 0
    var fields = HTTPFields()
    fields.reserveCapacity(head.headers.count)
    var (host, expects) = (String?.none, false)
    for (name, value) in head.headers {
      guard let name = HTTPField.Name(name) else { continue }
      if name.canonicalName == "host" {
        guard host == nil else { return nil }
        host = value
      } else if name == .expect, value.lowercased() == "100-continue" {
        expects = !isHTTP10
      } else {
        fields.append(HTTPField(name: name, value: value))
      }
    }
    guard host != nil || isHTTP10 else { return nil }
    request = HTTPRequest(method: method, scheme: "http", authority: host, path: head.uri, headerFields: fields)
    // NIO's parser stops behind a request that could change the protocol, so nothing can follow it.
    let mayChangeProtocol = method == .connect || fields.contains(.upgrade)
    traits = ServerMachine.RequestTraits(
      isHead: method == .head, isHTTP10: isHTTP10, keepsAlive: head.isKeepAlive && !mayChangeProtocol, expects: expects)
  }
}

extension HTTPResponse {
  /// Nil where its status is none. A `Host` has nothing to say in it.
  init?(received head: HTTPResponseHead) {
    guard head.status.code <= 999 else { return nil }
    var fields = HTTPFields()
    fields.reserveCapacity(head.headers.count)
    for (name, value) in head.headers {
      guard let name = HTTPField.Name(name), name.canonicalName != "host" else { continue }
      fields.append(HTTPField(name: name, value: value))
    }
    self.init(
      status: Status(code: Int(head.status.code), reasonPhrase: head.status.reasonPhrase), headerFields: fields)
  }
}
