import Codecs
package import Bytestreams
package import NIOCore
package import XML
import XMPP

/// What `<data/>` says about a body: the body itself, or where it will come from (XEP-0332 §4.2).
package enum BodyData: Sendable, Hashable {
  case none
  case text(String)
  /// The root of an XML document, as it was written.
  case xml(Element)
  case base64(ByteBuffer)
  case chunks(streamId: String)
  case ibb(sid: String)
  case sipub(Publication)
  case jingle(JingleSession)
  /// Received by a name that this node does not understand, or `jingle` by other ways than ours. Never sent.
  case unsupported(String)

  /// The whole body where it is inside the stanza, nil where it comes otherwise.
  package var bytes: ByteBuffer? {
    switch self {
    case .none: ByteBuffer()
    case .text(let text): ByteBuffer(string: text)
    case .xml(let root): Self.document(root)
    case .base64(let bytes): bytes
    case .chunks, .ibb, .sipub, .jingle, .unsupported: nil
    }
  }

  /// The document as it was embedded: what has the namespace of the tags around it declares none, as in the examples of the XEP.
  private static func document(_ root: Element) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.write(document: root, inside: root.namespace.isEmpty ? "" : Namespace.http)
    return bytes
  }
}

extension ByteBuffer {
  /// Appends `<data/>`, or nothing where there is no body.
  package mutating func write(_ data: BodyData) {
    switch data {
    case .none, .unsupported: break
    case .text(let text): writeData("<text>", "</text>") { $0.write(text: text) }
    case .xml(let root): writeData("<xml>", "</xml>") { $0.write(document: root, inside: Namespace.http) }
    case .base64(let bytes): writeData("<base64>", "</base64>") { Base64.encode(bytes, into: &$0) }
    case .chunks(let id): writeData("<chunkedBase64", "/>") { $0.write(attribute: "streamId", id) }
    case .ibb(let sid): writeData("<ibb", "/>") { $0.write(attribute: "sid", sid) }
    case .jingle(let session): writeData("", "") { $0.write(session.initiate, inside: Namespace.http) }
    case .sipub(let publication): writeData("", "") { $0.write(publication.element, inside: Namespace.http) }
    }
  }

  private mutating func writeData(
    _ start: StaticString, _ end: StaticString, _ content: (inout ByteBuffer) -> Void
  ) {
    writeStaticString("<data>")
    writeStaticString(start)
    content(&self)
    writeStaticString(end)
    writeStaticString("</data>")
  }
}

extension BodyData {
  /// Reads the `<data/>` of a request or response.
  ///
  /// COMPAT(xmpp-httpx): it may be in no namespace.
  init(of message: Element) throws(HTTPXError) {
    guard let data = message.first("data") ?? message.first("data", namespace: "") else {
      self = .none
      return
    }
    let mechanisms = data.elements
    guard let mechanism = mechanisms.first else {
      guard data.text.allSatisfy(\.isWhitespace)
      else { throw HTTPXError(.malformed, "data needs an element that says how the body is encoded") }
      self = .none
      return
    }
    guard mechanisms.count == 1 else { throw HTTPXError(.malformed, "data has more than one element") }
    try self.init(mechanism, in: data, of: message)
  }

  private init(_ mechanism: Element, in data: Element, of message: Element) throws(HTTPXError) {
    if let control = try Self.control(mechanism) {
      self = control
      return
    }
    guard mechanism.namespace == Namespace.http || mechanism.namespace == data.namespace else {
      self = .unsupported(mechanism.name)
      return
    }
    switch mechanism.name {
    case "text": self = .text(mechanism.text)
    case "xml": self = .xml(try Self.root(mechanism, in: [mechanism, data, message]))
    case "base64": self = .base64(try Self.decoded(mechanism))
    case "chunkedBase64": self = .chunks(streamId: try Self.identifier("streamId", of: mechanism))
    case "ibb": self = .ibb(sid: try Self.identifier("sid", of: mechanism))
    default: self = .unsupported(mechanism.name)
    }
  }

  private static func root(_ xml: Element, in ancestors: [Element]) throws(HTTPXError) -> Element {
    let roots = xml.elements
    guard let root = roots.first, roots.count == 1, xml.text.allSatisfy(\.isWhitespace)
    else { throw HTTPXError(.malformed, "xml needs exactly one root element, and no text beside it") }
    let document = root.inheriting(from: ancestors)
    let whole = xml.namespace.isEmpty ? document.standingAlone : document
    var bytes = ByteBuffer()
    guard bytes.write(document: whole, inside: Namespace.http, upTo: HTTPXLimits.documentBytes)
    else { throw HTTPXError(.limit, "a document of more than \(HTTPXLimits.documentBytes) bytes") }
    return whole
  }

  /// Where the body has to be asked for; nil for any other element.
  private static func control(_ mechanism: Element) throws(HTTPXError) -> BodyData? {
    do throws(StanzaError) {
      switch (mechanism.namespace, mechanism.name) {
      case (Namespace.sipub, "sipub"): return .sipub(try Publication(mechanism))
      case (Namespace.jingle, "jingle"): return try JingleSession(mechanism).map { .jingle($0) }
      default: return nil
      }
    } catch {
      throw HTTPXError(.malformed, error.text ?? error.condition.rawValue)
    }
  }

  private static func decoded(_ base64: Element) throws(HTTPXError) -> ByteBuffer {
    guard let bytes = base64.base64
    else { throw HTTPXError(.malformed, "the body is no base64 (RFC 4648 §4)") }
    return bytes
  }

  private static func identifier(_ name: String, of mechanism: Element) throws(HTTPXError) -> String {
    guard let value = mechanism[name], !value.isEmpty, value.utf8.count <= BytestreamLimits.identifierBytes
    else { throw HTTPXError(.malformed, "\(mechanism.name) needs a \(name)") }
    return value
  }
}
