import Codecs
import HTTPEdge
import HTTPTypes
import HTTPX
import Mesh
import Trust
import XMPP

/// What changes in a request's head between a peer and the app (RFC 9110 §7.6).
struct ForwardedFields {
  private static let peer = name("Hearth-Peer")
  private static let peerID = name("Hearth-Peer-Id")
  private static let peerTrust = name("Hearth-Peer-Trust")
  private static let forwardedFor = name("X-Forwarded-For")
  private static let forwardedHost = name("X-Forwarded-Host")
  private static let forwardedProto = name("X-Forwarded-Proto")
  private static let host = name("Host")

  /// Only we say who asked and for what: these are removed as the peer sent them, and so is all of `Hearth-Peer-…`, for
  /// an app that knows more of them than we do.
  ///
  /// With them go the fields by which proxies in front of apps tell who has signed in, and what was asked before a URL was
  /// rewritten: apps that trust their proxy would take them from us.
  private static let ours: Set<String> = [
    "hearth-peer", "host", "forwarded", "x-real-ip", "x-original-url", "x-original-uri", "x-rewrite-url",
    "x-remote-user",
    "x-webauth-user",
  ]
  private static let ourPrefixes = ["hearth-peer-", "x-forwarded-", "x-auth-request-", "remote-"]

  private static let initials = ASCIISet(String((ours + ourPrefixes).compactMap(\.first)))

  /// The names above are tokens.
  private static func name(_ text: String) -> HTTPField.Name { HTTPField.Name(text)! }

  /// The `Host` that the app expects: its own.
  let authority: String

  init(_ address: HTTPAddress) {
    authority = address.authority
  }

  /// Sets `Host`, removes hop-by-hop fields, and says who asked in `Hearth-Peer…` and `X-Forwarded-…`.
  ///
  /// - `Hearth-Peer`: a friend's petname, else the caller's address on the mesh, percent-encoded as in an `httpx` URI.
  ///   Only addresses hold an `@`: one without it could pass for a petname, and is left out, as is one that is not known.
  /// - `Hearth-Peer-Id`: the node id, all eight groups; absent without a key.
  /// - `Hearth-Peer-Trust`: `self` (the owner at this node), `friend`, `stranger` (a key that nobody knows) or `plaintext`
  ///   (whatever the name says, it may be anyone).
  /// - `X-Forwarded-For`: the address in any case, `unknown` where there is none: it has no other.
  ///
  /// Names from the peer are compared as CGI, WSGI, Rack and PHP show them to an app, which do not tell `Hearth_Peer` from
  /// `Hearth-Peer`.
  func apply(to head: inout HTTPRequest, from caller: Caller) {
    let asked = head.authority ?? head.headerFields[Self.host]
    let scheme = head.scheme ?? "http"
    HopByHop.strip(&head.headerFields)
    head.headerFields.removeAll { Self.isOurs($0.name) || $0.name == .expect }
    head.authority = authority
    let said = [
      (Self.peer, caller.shownName), (Self.peerID, caller.identity.id?.description),
      (Self.peerTrust, caller.standing.word),
      // RFC 7239 §6.3 has this word for those who do not say.
      (Self.forwardedFor, caller.identity.address?.fieldItem ?? "unknown"), (Self.forwardedHost, asked),
      (Self.forwardedProto, scheme),
    ]
    // None of them is there any more.
    for case (let name, let value?) in said { head.headerFields.append(HTTPField(name: name, value: value)) }
  }

  private static func isOurs(_ name: HTTPField.Name) -> Bool {
    // Most names begin with another letter than all of these, and need not be folded.
    guard let first = name.canonicalName.utf8.first, initials.contains(first) else { return false }
    let folded = name.folded
    return ours.contains(folded) || ourPrefixes.contains { folded.hasPrefix($0) }
  }
}

extension Caller {
  fileprivate var shownName: String? {
    if case .friend(let petname) = standing { return petname.text }
    return identity.address.flatMap { $0.localpart == nil ? nil : $0.fieldItem }
  }
}

extension JID {
  /// Percent-encoded, so that it is one item whoever splits the field.
  fileprivate var fieldItem: String { PercentEncoding.encode(text, except: .fieldItem) }
}
