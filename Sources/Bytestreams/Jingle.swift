package import XML
package import XMPP

/// A session for one file, as whoever has the file begins it (XEP-0166, XEP-0234): by an in-band bytestream (XEP-0261), or by a
/// connection beside the stream (XEP-0260), with the other as what it falls back to.
package struct JingleSession: Sendable, Hashable {
  package var sid: String
  /// Whose it is.
  package var initiator: String?
  package var file: SIFile
  /// As it will be opened once the session is accepted, or `direct` has failed.
  package var transport: IBBOpen
  /// How the one who begins it can be reached, where it is to go beside the stream.
  package var direct: S5BTransport?
  /// The content's name, and who made it.
  private var name = "body"
  private var creator = "initiator"
  /// With its version.
  private var application = Namespace.jingleFileTransfer

  package init(
    sid: String, initiator: String? = nil, file: SIFile, transport: IBBOpen, direct: S5BTransport? = nil
  ) {
    self.sid = sid
    self.initiator = initiator
    self.file = file
    self.transport = transport
    self.direct = direct
  }

  /// Reads `<jingle action='session-initiate'/>`; nil where it offers no file, or by other ways only: in the clear, for one.
  ///
  /// Of several contents the first is the one that HTTP would have given (XEP-0332 §4.2.8 note 2). Throws where it cannot be read.
  package init?(_ jingle: Element) throws(StanzaError) {
    guard jingle["action"] == "session-initiate", let content = jingle.first("content"),
      let description = content.elements.first(where: { $0.name == "description" }),
      description.namespace.hasPrefix(Self.applications),
      let way = content.elements.first(where: { $0.name == "transport" && Self.transports.contains($0.namespace) }),
      way.namespace == Namespace.jingleIBB || content.first("security", namespace: Namespace.jingleXTLS) != nil
    else { return nil }
    sid = try SIPub.identifier("sid", of: jingle)
    initiator = jingle["initiator"]
    name = content["name"] ?? ""
    creator = content["creator"] ?? creator
    application = description.namespace
    let file = description.first("file")
    var size: Int?
    if let text = file?.first("size")?.text {
      guard let count = UInt64(text).flatMap({ Int(exactly: $0) })
      else { throw refusal(.badRequest, "size must be a number of bytes") }
      size = count
    }
    self.file = SIFile(name: file?.first("name")?.text ?? "", size: size, mimeType: file?.first("media-type")?.text)
    guard way.namespace == Namespace.jingleS5B else {
      transport = try Jingle.transport(way)
      return
    }
    let direct = try S5BTransport(way)
    // How large its blocks are is told when it comes to that.
    transport = IBBOpen(sid: direct.sid, blockSize: BytestreamLimits.largestBlockSize)
    self.direct = direct
  }

  private static let transports = [Namespace.jingleIBB, Namespace.jingleS5B]
  /// Of all versions.
  private static let applications = "urn:xmpp:jingle:apps:file-transfer:"

  package var initiate: Element {
    element("session-initiate", ["initiator": initiator], senders: "initiator")
  }

  /// Accepts it as it is.
  package var accept: Element { element("session-accept", [:], senders: nil) }

  /// Accepts one that goes beside the stream, and tells where this side can be reached.
  package func accept(at own: S5BTransport) -> Element {
    var session = self
    session.direct = own
    return session.accept
  }

  /// What this side tells of its connection: that it stands, or will not (XEP-0260 §2.3).
  package func connection(_ result: Jingle.Connection) -> Element {
    let told =
      switch result {
      case .used(let candidate): Element("candidate-used", namespace: Namespace.jingleS5B, ["cid": candidate])
      case .failed: Element("candidate-error", namespace: Namespace.jingleS5B)
      }
    let way = Element("transport", namespace: Namespace.jingleS5B, ["sid": transport.sid], [told])
    return Jingle.element("transport-info", sid, [content([way], senders: nil)])
  }

  /// Goes on in-band (XEP-0260 §3), and the answer to that.
  package var replace: Element { Jingle.element("transport-replace", sid, [content([inBand], senders: nil)]) }
  package func acceptReplacement(_ open: IBBOpen) -> Element {
    var session = self
    session.transport = open
    return Jingle.element("transport-accept", sid, [session.content([session.inBand], senders: nil)])
  }

  private func element(_ action: String, _ more: KeyValuePairs<String, String?>, senders: String?) -> Element {
    let description = Element("description", namespace: application, [:], [fileElement])
    let ways = direct.map { [$0.element, S5BTransport.security] } ?? [inBand]
    var jingle = Jingle.element(action, sid, [content([description] + ways, senders: senders)])
    for (name, value) in more { jingle[name] = value }
    return jingle
  }

  private func content(_ elements: [Element], senders: String?) -> Element {
    Element(
      "content", namespace: Namespace.jingle, ["creator": creator, "name": name, "senders": senders], elements)
  }

  private var inBand: Element {
    Element(
      "transport", namespace: Namespace.jingleIBB,
      [
        "block-size": "\(transport.blockSize)", "sid": transport.sid,
        "stanza": transport.carrier == .iq ? nil : transport.carrier.rawValue,
      ])
  }

  private var fileElement: Element {
    let texts = [("media-type", file.mimeType), ("name", file.name), ("size", file.size.map { "\($0)" })]
    let hash = Element("hash-used", namespace: "urn:xmpp:hashes:2", ["algo": "sha-256"])
    return Element(
      "file", namespace: application, [:],
      texts.compactMap { name, text in text.map { Element(name, namespace: application, text: $0) } } + [hash])
  }
}

/// What one stanza says about a session.
package enum Jingle: Sendable {
  /// What became of one side's attempt to connect.
  package enum Connection: Sendable, Equatable {
    case used(candidate: String)
    case failed
  }

  /// The other side wants what this one offered: in blocks of at most this many bytes, or by the addresses that it has.
  case accept(sid: String, blockSize: Int?, direct: S5BTransport?)
  case connection(sid: String, Connection)
  /// The other side wants to go on in-band, or accepts that, in blocks of at most this many bytes.
  case replace(sid: String, IBBOpen)
  case replacementAccepted(sid: String, blockSize: Int?)
  /// - Parameter isSuccess: all has been sent.
  case terminate(sid: String, isSuccess: Bool)
  /// The beginning of one, or anything else that changes nothing.
  case other(sid: String)

  package init(_ element: Element) throws(StanzaError) {
    let sid = try SIPub.identifier("sid", of: element)
    let content = element.first("content")
    let inBand = content?.first("transport", namespace: Namespace.jingleIBB)
    let direct = content?.first("transport", namespace: Namespace.jingleS5B)
    switch element["action"] {
    case "session-accept":
      self = .accept(sid: sid, blockSize: try Self.blockSize(inBand), direct: try Self.read(direct))
    case "transport-info":
      self = direct.flatMap(Self.connection).map { .connection(sid: sid, $0) } ?? .other(sid: sid)
    case "transport-replace":
      guard let inBand else { throw refusal(.featureNotImplemented, "no transport that is understood") }
      self = .replace(sid: sid, try Self.transport(inBand))
    case "transport-accept": self = .replacementAccepted(sid: sid, blockSize: try Self.blockSize(inBand))
    // Nothing is left to go by.
    case "transport-reject": self = .terminate(sid: sid, isSuccess: false)
    case "session-terminate":
      self = .terminate(sid: sid, isSuccess: element.first("reason")?.first("success") != nil)
    default: self = .other(sid: sid)
    }
  }

  private static func blockSize(_ transport: Element?) throws(StanzaError) -> Int? {
    guard let transport else { return nil }
    return try Self.transport(transport).blockSize
  }

  private static func read(_ transport: Element?) throws(StanzaError) -> S5BTransport? {
    guard let transport else { return nil }
    return try S5BTransport(transport)
  }

  private static func connection(_ transport: Element) -> Connection? {
    if let used = transport.first("candidate-used") { return .used(candidate: used["cid"] ?? "") }
    return transport.first("candidate-error") == nil ? nil : .failed
  }

  /// The end of a session.
  package static func terminate(_ sid: String, reason: String) -> Element {
    element(
      "session-terminate", sid,
      [Element("reason", namespace: Namespace.jingle, [:], [Element(reason, namespace: Namespace.jingle)])])
  }

  static func element(_ action: String, _ sid: String, _ content: [Element]) -> Element {
    Element("jingle", namespace: Namespace.jingle, ["action": action, "sid": sid], content)
  }

  static func transport(_ transport: Element) throws(StanzaError) -> IBBOpen {
    let sid = try SIPub.identifier("sid", of: transport)
    guard let size = transport["block-size"].flatMap(Int.init),
      (1...BytestreamLimits.largestBlockSize).contains(size)
    else { throw refusal(.badRequest, "block-size must be within 1 and 65535") }
    guard let carrier = IBBOpen.Carrier(rawValue: transport["stanza"] ?? "iq")
    else { throw refusal(.badRequest, "stanza must be iq or message") }
    return IBBOpen(sid: sid, blockSize: size, carrier: carrier)
  }
}
