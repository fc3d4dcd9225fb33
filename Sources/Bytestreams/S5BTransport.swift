package import XML
package import XMPP

/// An address at which one side of a session listens (XEP-0260 §2.2). Others than its own (`proxy`) are not read, and none is sent.
package struct S5BCandidate: Sendable, Hashable {
  package var id: String
  /// An IP address without a scope.
  package var host: String
  package var port: Int
  /// Whose it is.
  package var jid: String
  package var priority: UInt32

  package init(id: String, host: String, port: Int, jid: String, priority: UInt32) {
    self.id = id
    self.host = host
    self.port = port
    self.jid = jid
    self.priority = priority
  }

  /// (2^16) × 126, for an address of one's own, and the local preference: those of the initiator come first, so that which one is
  /// used is known as soon as the responder has connected (XEP-0260 §2.2), and among those of one side the first.
  package static func priority(isInitiator: Bool, place: Int = 0) -> UInt32 {
    126 << 16 + (isInitiator ? 65535 : UInt32(BytestreamLimits.candidates)) - UInt32(clamping: place)
  }

  /// nil for one that is not the other side's own, or cannot be read.
  fileprivate init?(_ element: Element) {
    guard element["type"] ?? "direct" == "direct", let id = element["cid"],
      id.utf8.count <= BytestreamLimits.identifierBytes, let host = element["host"],
      host.utf8.count <= BytestreamLimits.identifierBytes,
      let port = element["port"].flatMap({ UInt16($0) }), port != 0,
      let priority = element["priority"].flatMap({ UInt32($0) })
    else { return nil }
    self.init(id: id, host: host, port: Int(port), jid: element["jid"] ?? "", priority: priority)
  }

  fileprivate var element: Element {
    Element(
      "candidate", namespace: Namespace.jingleS5B,
      ["cid": id, "host": host, "jid": jid, "port": "\(port)", "priority": "\(priority)", "type": "direct"])
  }
}

/// How to reach one side of a session beside the stream (XEP-0260 §2.2). What passes there is always TLS.
package struct S5BTransport: Sendable, Hashable {
  package var sid: String
  /// What to ask its candidates for: `destination` of both addresses. nil where the other side did not say.
  package var destination: String?
  /// Those that are tried first come first.
  package var candidates: [S5BCandidate]

  package init(sid: String, destination: String?, candidates: [S5BCandidate]) {
    self.sid = sid
    self.destination = destination
    self.candidates = candidates
  }

  /// The destination of the candidates that `offerer` has, who is the requester of XEP-0065 §5.3.2 there.
  package static func destination(sid: String, offerer: String, other: String) -> String {
    SHA1.hexadecimal((sid + offerer + other).utf8)
  }

  /// Reads `<transport/>`; candidates that are not the other side's own, and those beyond `BytestreamLimits.candidates`, are left out.
  package init(_ transport: Element) throws(StanzaError) {
    guard transport["mode"] ?? "tcp" == "tcp" else { throw refusal(.featureNotImplemented, "mode must be tcp") }
    sid = try SIPub.identifier("sid", of: transport)
    destination = transport["dstaddr"].flatMap { $0.utf8.count == SOCKS5.destinationLength ? $0 : nil }
    let candidates = transport.elements.lazy.filter { $0.is("candidate", Namespace.jingleS5B) }
      .compactMap { S5BCandidate($0) }.prefix(BytestreamLimits.candidates)
    self.candidates = candidates.sorted { $0.priority > $1.priority }
  }

  package var element: Element {
    Element(
      "transport", namespace: Namespace.jingleS5B, ["dstaddr": destination, "mode": "tcp", "sid": sid],
      candidates.map(\.element))
  }

  /// Says that the bytestream is protected by TLS, between the two nodes' own certificates.
  static var security: Element {
    Element(
      "security", namespace: Namespace.jingleXTLS, [:],
      [Element("method", namespace: Namespace.jingleXTLS, ["name": "x509"])])
  }
}

/// What one side can offer for every body of a stream: its own addresses.
package struct S5BOffer: Sendable, Hashable {
  /// Without a scope, the one to be tried first before the others; `BytestreamLimits.candidates` at most.
  package var hosts: [String]
  package var port: Int
  /// This side's address, and the other's.
  package var local: String
  package var remote: String

  package init(hosts: [String], port: Int, local: String, remote: String) {
    self.hosts = hosts
    self.port = port
    self.local = local
    self.remote = remote
  }

  package func transport(sid: String, isInitiator: Bool) -> S5BTransport {
    S5BTransport(
      sid: sid, destination: S5BTransport.destination(sid: sid, offerer: local, other: remote),
      candidates: hosts.enumerated().map { index, host in
        S5BCandidate(
          id: "\(isInitiator ? "i" : "r")\(index)", host: host, port: port, jid: local,
          priority: S5BCandidate.priority(isInitiator: isInitiator, place: index))
      })
  }
}
