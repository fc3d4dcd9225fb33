import Codecs
package import NIOCore
package import TLS
package import XML
package import XMPP

/// The client's side of one connection to a server (RFC 6120 §§4–7, XEP-0198 §§3, 5), up to the open stream and its end.
///
///     idle ─ greeting ─ awaitingFeatures ─ startingTLS ─ securing ─┐
///               ├──────────────────────────────────────────────────┘
///               ├─ awaitingFeatures ─ authenticating ⇄ deriving ───┐
///               ├──────────────────────────────────────────────────┘
///               └─ awaitingFeatures ─ resuming ─ binding ─ beginningSession ─ enabling ─ open ─ closing ─ closed
///
/// Each `greeting` is a new stream on the same connection. With direct TLS it begins in `securing`. Nothing that is worth anything
/// is said before TLS, and nothing but TLS is taken. `resuming` is there where a former session may be gone on with, `enabling`
/// where the server keeps one. While it is `open`, elements pass. `closed` is the end, and `closed` the last action.
package struct ClientMachine: ~Copyable {
  package struct Setting: Sendable {
    package var configuration: AccountConfiguration
    package var security: AccountConfiguration.Security
    /// The session to go on with.
    package var resumption: StreamManagement.Resumption?
    /// Whether this server has offered to bind logins before.
    package var hasOfferedBinding: Bool
    /// For SCRAM.
    package var nonce: String
    /// Whether it is about the password only: it ends once the server has taken that.
    package var isTrial: Bool

    package init(
      configuration: AccountConfiguration, security: AccountConfiguration.Security,
      resumption: StreamManagement.Resumption? = nil, hasOfferedBinding: Bool = false, nonce: String,
      isTrial: Bool = false
    ) {
      self.configuration = configuration
      self.security = security
      self.resumption = resumption
      self.hasOfferedBinding = hasOfferedBinding
      self.nonce = nonce
      self.isTrial = isTrial
    }
  }

  enum Level { case plaintext, encrypted, authenticated }

  private enum State {
    case idle
    case greeting(Level)
    case awaitingFeatures(Level)
    case startingTLS
    case securing
    case authenticating(Login)
    /// The password is being hashed.
    case deriving(SCRAM)
    case resuming(ServerFeatures)
    case binding(ServerFeatures, isFree: Bool)
    case beginningSession(ServerFeatures, JID)
    case enabling(ServerFeatures, JID)
    case open
    case closing(AccountProblem?)
    case closed
  }

  private enum Login {
    case plain
    /// Our first message is out.
    case first(SCRAM)
    /// Our last one.
    case final(SCRAM)
    /// The server has shown that it knows the password, and success is to follow.
    case verified
  }

  private let setting: Setting
  private var state = State.idle
  private var bindings: [ChannelBinding: [UInt8]] = [:]
  private var version = TLSVersion.v13

  package init(_ setting: Setting) {
    self.setting = setting
  }

  package var isOpen: Bool {
    if case .open = state { true } else { false }
  }

  private var domain: String { setting.configuration.address.domainpart }

  // MARK: The connection

  /// It stands.
  package mutating func connected() -> [ClientAction] {
    guard case .idle = state else { return [] }
    switch setting.security {
    case .direct:
      state = .securing
      return []
    case .startTLS: return greet(.plaintext)
    }
  }

  /// TLS is there, and the certificate was accepted.
  package mutating func secured(bindings: [ChannelBinding: [UInt8]], version: TLSVersion) -> [ClientAction] {
    guard case .securing = state else { return [] }
    (self.bindings, self.version) = (bindings, version)
    return greet(.encrypted)
  }

  /// There is no TLS, or none any more; nothing can be said.
  package mutating func tlsFailed(_ error: TLSError) -> [ClientAction] {
    switch state {
    case .open: end(AccountProblem(.lost, "the connection broke: \(error.message)"))
    case .closing(let problem): end(problem)
    case .closed: []
    case .idle, .greeting, .awaitingFeatures, .startingTLS, .securing, .authenticating, .deriving, .resuming, .binding,
      .beginningSession, .enabling:
      end(AccountProblem(error, domain: domain))
    }
  }

  /// The connection, or the server's half of it, is gone.
  package mutating func disconnected(_ reason: String = "the connection broke") -> [ClientAction] {
    switch state {
    case .closing(let problem): end(problem)
    case .closed: []
    case .open: end(AccountProblem(.lost, reason))
    case .idle, .greeting, .awaitingFeatures, .startingTLS, .securing, .authenticating, .deriving, .resuming, .binding,
      .beginningSession, .enabling:
      end(AccountProblem(.lost, "\(reason) before the stream was open"))
    }
  }

  /// Negotiation should have been over by now.
  package mutating func timedOut() -> [ClientAction] {
    switch state {
    case .open, .closing, .closed: []
    case .idle, .greeting, .awaitingFeatures, .startingTLS, .securing, .authenticating, .deriving, .resuming, .binding,
      .beginningSession, .enabling:
      end(
        AccountProblem(
          .timedOut,
          "the server did not finish opening the stream within \(AccountTimes.negotiation.nanoseconds / 1_000_000_000) s"
        ))
    }
  }

  /// What came cannot be read on.
  package mutating func failed(_ error: XMLError) -> [ClientAction] {
    violated("\(error)")
  }

  /// Says goodbye. `problem`: why, where it is no ordinary end.
  package mutating func close(_ problem: AccountProblem? = nil) -> [ClientAction] {
    switch state {
    case .open:
      state = .closing(problem)
      return [.write(Self.streamEnd), .closing]
    case .closing, .closed: return []
    case .idle, .greeting, .awaitingFeatures, .startingTLS, .securing, .authenticating, .deriving, .resuming, .binding,
      .beginningSession, .enabling:
      return end(problem)
    }
  }

  // MARK: What comes

  /// `unread`: bytes that came with this and were not looked at. Where a new stream or TLS begins there must be none.
  package mutating func received(_ event: XMLEvent, unread: Int) -> [ClientAction] {
    switch event {
    case .opened(let root): receivedHeader(root)
    case .element(let element): receivedElement(element, unread: unread)
    case .closed: disconnected("the server ended the stream")
    }
  }

  private mutating func receivedHeader(_ root: Element) -> [ClientAction] {
    guard case .greeting(let level) = state else { return [] }
    do throws(StreamError) {
      guard let version = try StreamHeader(root).version, version >= .xmpp1 else {
        return violated("it speaks XMPP from before 1.0")
      }
    } catch {
      return violated("it opens no stream (\(error.condition.rawValue))")
    }
    state = .awaitingFeatures(level)
    return []
  }

  private mutating func receivedElement(_ element: Element, unread: Int) -> [ClientAction] {
    if element.is("error", Namespace.streams) { return receivedError(StreamError(element)) }
    switch state {
    case .awaitingFeatures(let level):
      guard element.is("features", Namespace.streams) else { return stray(element) }
      return receivedFeatures(ServerFeatures(element), level)
    case .startingTLS: return receivedTLSAnswer(element, unread)
    case .authenticating(let login): return received(element, in: login, unread)
    case .resuming(let features): return receivedResumption(element, features)
    case .binding(let features, let isFree): return receivedBinding(element, features, isFree: isFree)
    case .beginningSession(let features, let jid): return receivedSession(element, features, jid)
    case .enabling(let features, let jid): return receivedManagement(element, features, jid)
    case .open: return [.element(element)]
    case .securing, .deriving, .idle, .greeting: return stray(element)
    case .closing, .closed: return []
    }
  }

  private mutating func receivedError(_ error: StreamError) -> [ClientAction] {
    guard case .closing(let problem) = state else { return end(AccountProblem(error), saying: Self.streamEnd) }
    return end(problem ?? AccountProblem(error))
  }

  private mutating func receivedFeatures(_ features: ServerFeatures, _ level: Level) -> [ClientAction] {
    switch level {
    case .plaintext:
      guard features.stream.startTLS != .none else {
        return end(
          AccountProblem(.tls, "the server offers no TLS, without which nobody logs in here"), saying: Self.streamEnd)
      }
      state = .startingTLS
      return [.write(Self.bytes(Element("starttls", namespace: Namespace.tls)))]
    case .encrypted: return authenticate(features)
    case .authenticated: return resumeOrBind(features)
    }
  }

  private mutating func receivedTLSAnswer(_ element: Element, _ unread: Int) -> [ClientAction] {
    guard element.namespace == Namespace.tls else { return stray(element) }
    guard element.name == "proceed" else { return end(AccountProblem(.tls, "the server refuses to begin TLS")) }
    // Who puts plaintext there wants it to be taken for what came over TLS (RFC 6120 §5.4.3.3).
    guard unread == 0 else { return violated("plaintext comes behind the start of TLS") }
    state = .securing
    return [.startTLS]
  }

  // MARK: Logging in

  private mutating func authenticate(_ features: ServerFeatures) -> [ClientAction] {
    let offer = Mechanism.Offer(
      mechanisms: features.stream.mechanisms, bindingTypes: features.bindingTypes,
      hasOfferedBinding: setting.hasOfferedBinding, bindings: bindings, version: version)
    let mechanism: Mechanism
    do throws(AccountProblem) {
      mechanism = try Mechanism.choose(offer, allowsPlain: setting.configuration.allowsPlain)
    } catch {
      return end(error, saying: Self.streamEnd)
    }
    let user = setting.configuration.address.localpart ?? ""
    let response: [UInt8]
    switch mechanism {
    case .plain:
      state = .authenticating(.plain)
      response = [0] + Array(user.utf8) + [0] + Array(setting.configuration.password.utf8)
    case .scram(let hash, let binding):
      let scram = SCRAM(hash, user: user, nonce: setting.nonce, binding: binding)
      state = .authenticating(.first(scram))
      response = Array(scram.clientFirst.utf8)
    }
    let auth = Element(
      "auth", namespace: Namespace.sasl, ["mechanism": mechanism.name], text: Base64.encode(response))
    return [.chose(mechanism, offersBinding: offer.offersBinding), .write(Self.bytes(auth))]
  }

  private mutating func received(_ element: Element, in login: Login, _ unread: Int) -> [ClientAction] {
    guard element.namespace == Namespace.sasl else { return stray(element) }
    if element.name == "failure" {
      let text = element.first("text")?.text
      return end(
        AccountProblem(SASL.condition(element), text, address: setting.configuration.address), saying: Self.streamEnd)
    }
    guard let data = try? SASL.decode(element.text) else { return violated("what it says of the login is no base64") }
    do throws(SCRAM.Failure) {
      switch (element.name, login) {
      case ("challenge", .first(var scram)):
        let derivation = try scram.received(first: data)
        state = .deriving(scram)
        return [.derive(derivation)]
      case ("challenge", .final(let scram)):
        try scram.received(final: data)
        state = .authenticating(.verified)
        return [.write(Self.bytes(Element("response", namespace: Namespace.sasl)))]
      case ("success", .final(let scram)):
        try scram.received(final: data)
        return authenticated(unread)
      case ("success", .verified), ("success", .plain): return authenticated(unread)
      case ("success", .first):
        return forged("the server says that we are logged in and has not shown that it knows the password")
      default: return stray(element)
      }
    } catch {
      switch error {
      case .malformed(let what): return violated("its part of the login cannot be used: \(what)")
      case .refused(let what):
        return end(
          AccountProblem(.notAuthorized, what, address: setting.configuration.address), saying: Self.streamEnd)
      case .wrongSignature: return forged("the server does not know the password either")
      }
    }
  }

  private mutating func forged(_ what: String) -> [ClientAction] {
    end(AccountProblem(.forged, "\(what): it is another one, or somebody is in between"), saying: Self.streamEnd)
  }

  /// The password has been hashed as `derive` asked.
  package mutating func derived(_ key: [UInt8]) -> [ClientAction] {
    guard case .deriving(var scram) = state else { return [] }
    let final = scram.clientFinal(key)
    state = .authenticating(.final(scram))
    return [
      .write(
        Self.bytes(Element("response", namespace: Namespace.sasl, [:], text: Base64.encode(Array(final.utf8)))))
    ]
  }

  private mutating func authenticated(_ unread: Int) -> [ClientAction] {
    guard !setting.isTrial else { return end(nil, saying: Self.streamEnd) }
    guard unread == 0 else { return violated("bytes come behind the end of SASL") }
    return greet(.authenticated)
  }

  // MARK: A session

  private mutating func resumeOrBind(_ features: ServerFeatures) -> [ClientAction] {
    guard let resumption = setting.resumption, features.hasManagement else { return bind(features) }
    state = .resuming(features)
    return [
      .write(
        Self.bytes(
          Element(
            "resume", namespace: Namespace.streamManagement,
            ["h": String(resumption.handled), "previd": resumption.id])))
    ]
  }

  private mutating func receivedResumption(_ element: Element, _ features: ServerFeatures) -> [ClientAction] {
    guard element.namespace == Namespace.streamManagement else { return stray(element) }
    switch element.name {
    case "resumed":
      guard let handled = element["h"].flatMap({ UInt32($0) }) else { return violated("it resumes without a count") }
      state = .open
      return [.opened(.resumed(handled: handled), stanzaBytes: Self.stanzaBytes(features))]
    case "failed": return bind(features)
    default: return stray(element)
    }
  }

  /// - Parameter isFree: the server is to choose the resource.
  private mutating func bind(_ features: ServerFeatures, isFree: Bool = false) -> [ClientAction] {
    guard features.hasBind else { return violated("it offers no resource to bind") }
    state = .binding(features, isFree: isFree)
    let resource = Element("resource", namespace: Namespace.bind, text: setting.configuration.resource)
    let bind = Element("bind", namespace: Namespace.bind, [:], isFree ? [] : [resource])
    return [.write(Self.bytes(Stanza.set(id: "bind", bind).element))]
  }

  private mutating func receivedBinding(
    _ element: Element, _ features: ServerFeatures, isFree: Bool
  ) -> [ClientAction] {
    guard let stanza = Stanza(element), stanza.isAnswer, stanza.id == "bind" else { return stray(element) }
    if let error = stanza.error {
      guard error.condition == .conflict, !isFree else {
        return end(
          AccountProblem(.refused, "the server binds no resource (\(error.condition.rawValue))"), saying: Self.streamEnd
        )
      }
      return bind(features, isFree: true)
    }
    guard let text = stanza.first("bind", Namespace.bind)?.first("jid")?.text, let jid = JID(text),
      jid.bare == setting.configuration.address.bare, jid.resource != nil
    else { return violated("it binds another address than this account's") }
    guard features.needsSession else { return enable(features, jid) }
    state = .beginningSession(features, jid)
    let session = Stanza.set(id: "session", Element("session", namespace: Namespace.session))
    return [.write(Self.bytes(session.element))]
  }

  private mutating func receivedSession(_ element: Element, _ features: ServerFeatures, _ jid: JID) -> [ClientAction] {
    guard let stanza = Stanza(element), stanza.isAnswer, stanza.id == "session" else { return stray(element) }
    if let error = stanza.error {
      return end(
        AccountProblem(.refused, "the server begins no session (\(error.condition.rawValue))"), saying: Self.streamEnd)
    }
    return enable(features, jid)
  }

  private mutating func enable(_ features: ServerFeatures, _ jid: JID) -> [ClientAction] {
    guard features.hasManagement else { return open(features, jid, management: nil) }
    state = .enabling(features, jid)
    return [.write(Self.bytes(Element("enable", namespace: Namespace.streamManagement, ["resume": "true"])))]
  }

  private mutating func receivedManagement(_ element: Element, _ features: ServerFeatures, _ jid: JID) -> [ClientAction]
  {
    guard element.namespace == Namespace.streamManagement else { return stray(element) }
    switch element.name {
    case "enabled":
      let isResumable = ["true", "1"].contains(element["resume"])
      return open(features, jid, management: StreamManagement(id: isResumable ? element["id"] : nil))
    case "failed": return open(features, jid, management: nil)
    default: return stray(element)
    }
  }

  private mutating func open(
    _ features: ServerFeatures, _ jid: JID, management: StreamManagement?
  ) -> [ClientAction] {
    state = .open
    return [.opened(.new(jid, management), stanzaBytes: Self.stanzaBytes(features))]
  }

  /// XEP-0478.
  private static func stanzaBytes(_ features: ServerFeatures) -> Int {
    min(features.stream.limits?.maxBytes ?? AccountLimits.stanzaBytes, AccountLimits.largestStanzaBytes)
  }

  // MARK: Words, and the end

  private mutating func greet(_ level: Level) -> [ClientAction] {
    state = .greeting(level)
    // In the clear nobody need know whose account it is (RFC 6120 §4.7.1).
    let header = StreamHeader(
      from: level == .plaintext ? nil : setting.configuration.address.bare, to: JID(bare: domain))
    var bytes = ByteBuffer()
    bytes.write(header)
    return [.restart, .write(bytes)]
  }

  private mutating func stray(_ element: Element) -> [ClientAction] {
    violated("<\(element.name.prefix(40))> has no place where the stream is")
  }

  private mutating func violated(_ what: String) -> [ClientAction] {
    if case .closing(let problem) = state { return end(problem) }
    return end(AccountProblem(.violation, "the server breaks the rules of XMPP: \(what)"), saying: Self.streamEnd)
  }

  private mutating func end(_ problem: AccountProblem?, saying farewell: ByteBuffer? = nil) -> [ClientAction] {
    if case .closed = state { return [] }
    let isWritable = if case .securing = state { false } else { true }
    state = .closed
    return (isWritable ? farewell.map { [.write($0)] } ?? [] : []) + [.closed(problem)]
  }

  private static var streamEnd: ByteBuffer {
    var bytes = ByteBuffer()
    bytes.writeStreamEnd()
    return bytes
  }

  private static func bytes(_ element: Element) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.write(element)
    return bytes
  }
}

package enum ClientAction: Sendable {
  case write(ByteBuffer)
  /// What comes next is a new document.
  case restart
  case startTLS
  /// How the login goes; whether the server would bind it to the connection.
  case chose(Mechanism, offersBinding: Bool)
  /// `derived` is to be told, once that is done elsewhere: it takes long.
  case derive(SCRAM.KeyDerivation)
  /// `stanzaBytes`: the most that the server takes in one stanza.
  case opened(ClientOpening, stanzaBytes: Int)
  case element(Element)
  /// The end tag is out; the server's is waited for, but not for long.
  case closing
  /// The last one. nil: as it was wanted.
  case closed(AccountProblem?)
}

package enum ClientOpening: Sendable {
  /// Bound to this full address; without XEP-0198 where the server has none.
  case new(JID, StreamManagement?)
  case resumed(handled: UInt32)
}
