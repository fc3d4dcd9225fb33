import FoundationEssentials
package import NIOCore
package import TLS

/// What a scripted peer says until a stream is open, step by step, for scripts that leave steps out or take others.
extension ScriptedPeer {
  package static let tls = "urn:ietf:params:xml:ns:xmpp-tls"
  package static let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
  package static let external = "<mechanisms xmlns='\(sasl)'><mechanism>EXTERNAL</mechanism></mechanisms>"
  /// As a device says it that speaks HTTP and is no Hearth node.
  package static let http =
    "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='bot'/>"
    + "<feature var='urn:xmpp:http'/></query>"

  package static func header(from: String?, to: String?) -> String {
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
      + (from.map { " from='\($0)'" } ?? "") + (to.map { " to='\($0)'" } ?? "") + " id='1' version='1.0'>"
  }

  /// TLS from here on; returns when its handshake is done.
  ///
  /// - Parameters:
  ///   - last: sent in the clear just before.
  ///   - handler: sits between TLS and the socket.
  /// - Throws: `TLSError`, or `ChannelError` where the other side hangs up.
  @discardableResult
  package func shakeHands(
    _ configuration: TLSConfiguration, behind last: String? = nil,
    over handler: (@Sendable () -> any ChannelHandler)? = nil
  ) async throws -> PeerCertificate? {
    let channel = self.channel
    try await channel.eventLoop.submit {
      if let last { channel.writeAndFlush(ByteBuffer(string: last), promise: nil) }
      try channel.pipeline.syncOperations.addHandler(TLSHandler(configuration), position: .first)
      if let handler { try channel.pipeline.syncOperations.addHandler(handler(), position: .first) }
    }.get()
    return try await handshake.futureResult.get()
  }

  // MARK: As the one who dialled

  /// Sends a header, and takes what answers it, to the end of the features.
  @discardableResult
  package func greet(from: String?, to: String?) async throws -> String {
    try await send(Self.header(from: from, to: to))
    return try await expect("</stream:features>")
  }

  package func startTLS(_ configuration: TLSConfiguration) async throws {
    try await send("<starttls xmlns='\(Self.tls)'/>")
    try await expect("<proceed xmlns='\(Self.tls)'/>")
    try await shakeHands(configuration)
  }

  /// SASL EXTERNAL; `authzid` is who to be.
  package func authenticate(as authzid: String) async throws {
    let response = authzid.isEmpty ? "=" : Data(authzid.utf8).base64EncodedString()
    try await send("<auth xmlns='\(Self.sasl)' mechanism='EXTERNAL'>\(response)</auth>")
    try await expect("<success xmlns='\(Self.sasl)'/>")
  }

  /// All that a node does until it may send stanzas, with this key, as whoever it says it is.
  package func secure(as identity: Identity, from: String? = "romeo@forza", to: String) async throws {
    try await greet(from: from, to: to)
    try await startTLS(.node(identity, role: .client))
    try await greet(from: from, to: to)
    try await authenticate(as: from ?? "")
    try await greet(from: from, to: to)
  }

  // MARK: As the one who was dialled

  /// Takes a header, and answers it.
  package func answerHeader(as jid: String, features: String) async throws {
    try await expect("version='1.0'>")
    try await send(Self.header(from: jid, to: nil) + "<stream:features>\(features)</stream:features>")
  }

  package func proceed(_ configuration: TLSConfiguration) async throws {
    try await expect("<starttls xmlns='\(Self.tls)'/>")
    try await shakeHands(configuration, behind: "<proceed xmlns='\(Self.tls)'/>")
  }

  /// All that a node does for one who dials it, until requests may come.
  package func answerSecurely(as jid: String, with identity: Identity) async throws {
    try await answerHeader(as: jid, features: "<starttls xmlns='\(Self.tls)'/>")
    try await proceed(.node(identity, role: .server))
    try await answerHeader(as: jid, features: Self.external)
    try await expect("</auth>")
    try await send("<success xmlns='\(Self.sasl)'/>")
    try await answerHeader(as: jid, features: Self.http)
  }

  // MARK: Stanzas

  /// An HTTP request, and the whole IQ that answers it.
  package func ask(
    _ method: String = "GET", _ path: String = "/", fields: [String: String] = [:], attributes: String = ""
  ) async throws -> String {
    let headers = fields.map { "<header name='\($0.key)'>\($0.value)</header>" }.joined()
    try await send(
      "<iq type='set' id='ask'\(attributes)><req xmlns='urn:xmpp:http' method='\(method)' resource='\(path)' "
        + "version='1.1'><headers xmlns='http://jabber.org/protocol/shim'>\(headers)</headers></req></iq>")
    try await expect("id='ask'")
    return try await expect("</iq>")
  }

  /// Returns when all that was sent before has been read over there.
  package func ping() async throws {
    try await send("<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>")
    try await expect("type='result' id='ping'/>")
  }
}
