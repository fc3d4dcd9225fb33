package import HTTPTypes
package import NIOCore
package import XML
package import XMPP

/// How a peer spells XEP-0332; it is answered in kind.
package enum Dialect: String, Sendable, Hashable {
  /// `<req/>` and `<resp/>`.
  case xep
  /// COMPAT(slixmpp): `<request/>` and `<response/>`, and bodies inside the stanza only.
  case slixmpp

  init?(_ element: Element, xep: String, slixmpp: String) {
    guard element.namespace == Namespace.http else { return nil }
    switch element.name {
    case xep: self = .xep
    case slixmpp: self = .slixmpp
    default: return nil
    }
  }
}

/// An HTTP request as the payload of an IQ (XEP-0332 §4).
///
/// The `Host` field and `head.authority` are one thing: where HTTPTypes has the authority, XEP-0332, like HTTP/1.1, has
/// the field. It is written first, as RFC 9110 §7.2 advises, and its own spelling of the name is not kept; every other
/// field keeps order, case and duplicates. `head.scheme` is `httpx` in requests that were received, and not sent.
package struct RequestStanza: Sendable, Hashable {
  /// What the requester lets the answer's body come by; nil where it does not say, which the XEP reads as yes.
  package struct Allowance: Sendable, Hashable {
    package var sipub: Bool?
    package var ibb: Bool?
    package var jingle: Bool?

    package init(sipub: Bool? = nil, ibb: Bool? = nil, jingle: Bool? = nil) {
      self.sipub = sipub
      self.ibb = ibb
      self.jingle = jingle
    }

    /// What this node understands.
    package static let own = Allowance(sipub: false, ibb: true, jingle: false)
    /// The same for peers whose bodies may come beside the stream.
    package static let ownDirect = Allowance(sipub: false, ibb: true, jingle: true)
  }

  package var head: HTTPRequest
  package var data: BodyData
  /// In bytes before base64, within 256 and 65536; nil where the requester named none.
  package var maxChunkSize: Int?
  package var allows: Allowance
  package var dialect: Dialect

  package init(
    _ head: HTTPRequest, data: BodyData = .none, maxChunkSize: Int? = HTTPXLimits.ownChunkSize,
    allows: Allowance = .own, dialect: Dialect = .xep
  ) {
    self.head = head
    self.data = data
    self.maxChunkSize = maxChunkSize
    self.allows = allows
    self.dialect = dialect
  }
}

extension RequestStanza {
  /// nil for an element that is no request; throws what to answer where one cannot be read.
  package init?(_ element: Element) throws(StanzaError) {
    guard let dialect = Dialect(element, xep: "req", slixmpp: "request") else { return nil }
    do {
      try self.init(element, dialect)
    } catch {
      throw error.stanzaError
    }
  }

  private init(_ element: Element, _ dialect: Dialect) throws(HTTPXError) {
    self.init(
      try Self.head(element), data: try BodyData(of: element), maxChunkSize: try Self.maxChunkSize(element),
      allows: Allowance(
        sipub: try Self.flag("sipub", of: element), ibb: try Self.flag("ibb", of: element),
        jingle: try Self.flag("jingle", of: element)),
      dialect: dialect)
  }

  private static func head(_ element: Element) throws(HTTPXError) -> HTTPRequest {
    guard let method = element["method"].flatMap({ HTTPRequest.Method($0) })
    else { throw HTTPXError(.malformed, "the request needs a method that is a token (RFC 9110 §9.1)") }
    guard let resource = element["resource"] else { throw HTTPXError(.malformed, "the request needs a resource") }
    try Resource.check(resource, method: method)
    try checkVersion(element)
    let (fields, host) = try Fields.readRequest(from: element)
    return HTTPRequest(method: method, scheme: HTTPXURI.scheme, authority: host, path: resource, headerFields: fields)
  }

  /// One that is missing is taken for 1.1; what it says changes nothing.
  private static func checkVersion(_ element: Element) throws(HTTPXError) {
    guard let version = element["version"], version != "1.1" else { return }
    let parts = version.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ UInt8($0) != nil })
    else { throw HTTPXError(.malformed, "the version must be like 1.1") }
  }

  private static func maxChunkSize(_ element: Element) throws(HTTPXError) -> Int? {
    guard let text = element["maxChunkSize"] else { return nil }
    guard let size = Int(text) else { throw HTTPXError(.malformed, "maxChunkSize must be a number of bytes") }
    return min(max(size, HTTPXLimits.chunkSizes.lowerBound), HTTPXLimits.chunkSizes.upperBound)
  }

  private static func flag(_ name: String, of element: Element) throws(HTTPXError) -> Bool? {
    switch element[name] {
    case nil: return nil
    case "true", "1": return true
    case "false", "0": return false
    default: throw HTTPXError(.malformed, "\(name) must be true or false")
    }
  }
}

extension RequestStanza {
  /// Appends the payload up to its `<data/>`; that and `writeEnd` follow. Compact: one library loses the body at any space
  /// between the parts.
  package func writeStart(into buffer: inout ByteBuffer) {
    let start: StaticString =
      dialect == .xep ? "<req xmlns='urn:xmpp:http' method='" : "<request xmlns='urn:xmpp:http' method='"
    buffer.write(start, attributeValue: head.method.rawValue, "' resource='")
    buffer.write("", attributeValue: head.path ?? "/", "' version='1.1'")
    if dialect == .xep { writeAllowances(into: &buffer) }
    buffer.writeStaticString(">")
    Fields.write(head.headerFields, host: head.authority, into: &buffer)
  }

  private func writeAllowances(into buffer: inout ByteBuffer) {
    if let maxChunkSize { buffer.write(attribute: "maxChunkSize", String(maxChunkSize)) }
    guard allows != .own else {
      buffer.writeStaticString(" sipub='false' ibb='true' jingle='false' s5='false'")
      return
    }
    buffer.writeStaticString(allows.sipub ?? false ? " sipub='true'" : " sipub='false'")
    buffer.writeStaticString(allows.ibb ?? false ? " ibb='true'" : " ibb='false'")
    buffer.writeStaticString(allows.jingle ?? false ? " jingle='true'" : " jingle='false'")
    // COMPAT(IoTGateway): takes an absent one for yes, and answers with a SOCKS5 stream.
    buffer.writeStaticString(" s5='false'")
  }

  package func writeEnd(into buffer: inout ByteBuffer) {
    buffer.writeStaticString(dialect == .xep ? "</req>" : "</request>")
  }
}
