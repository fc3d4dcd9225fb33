import HTTPEdge
import HTTPTypes
import Mesh
import XMPP

/// What changes in a request's head between a peer and the app (RFC 9110 §7.6).
struct ForwardedFields {
  private static let host = name("Host")
  private static let forwardedFor = name("X-Forwarded-For")
  private static let forwardedHost = name("X-Forwarded-Host")
  private static let forwardedProto = name("X-Forwarded-Proto")
  /// Only we say who asked and for what: these are removed as the peer sent them.
  private static let ours: Set<HTTPField.Name> = [
    host, forwardedFor, forwardedHost, forwardedProto, name("Forwarded"), name("X-Real-IP"), name("X-Forwarded-Port"),
    name("X-Forwarded-Server"), name("X-Forwarded-Prefix"),
  ]

  /// The names above are tokens.
  private static func name(_ text: String) -> HTTPField.Name { HTTPField.Name(text)! }

  /// The `Host` that the app expects: its own.
  let authority: String

  init(_ address: HTTPAddress) {
    authority = address.authority
  }

  /// Sets `Host`, removes hop-by-hop fields, and says who asked in `X-Forwarded-*`.
  ///
  /// `X-Forwarded-For` is the caller's address on the mesh, percent-encoded as in an `httpx` URI: it has no other.
  func apply(to head: inout HTTPRequest, from caller: Caller) {
    let asked = head.authority ?? head.headerFields[Self.host]
    let scheme = head.scheme ?? "http"
    HopByHop.strip(&head.headerFields)
    head.headerFields.removeAll { Self.ours.contains($0.name) || $0.name == .expect }
    head.authority = authority
    // RFC 7239 §6.3 has this word for those who do not say.
    head.headerFields[Self.forwardedFor] = caller.jid?.text.encodedForField ?? "unknown"
    if let asked { head.headerFields[Self.forwardedHost] = asked }
    head.headerFields[Self.forwardedProto] = scheme
  }
}

extension String {
  /// Percent-encoded except for what may stand in an address: no space, comma, quote or byte beyond ASCII is left.
  fileprivate var encodedForField: String {
    utf8.reduce(into: "") { result, byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x40:
        result.unicodeScalars.append(.init(byte))
      default: result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
  }
}
