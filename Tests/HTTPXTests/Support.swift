import Bytestreams
import HTTPTypes
import HTTPX
import NIOCore
import XML
import XMPP

struct NoPayload: Error {}

/// The payload of the one stanza in `xml`, as it arrives.
func payload(of xml: String) throws -> Element {
  let reader = XMLReader(limits: .established)
  var stanza: Element?
  let header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
  try reader.feed(ByteBuffer(string: header + xml)) { event in
    if case .element(let element) = event { stanza = element }
  }
  guard let payload = stanza?.elements.first else { throw NoPayload() }
  return payload
}

/// As it is sent.
func written(_ element: Element) -> String {
  var buffer = ByteBuffer()
  buffer.write(element)
  return String(buffer: buffer)
}

func written(_ request: RequestStanza) -> String {
  var buffer = ByteBuffer()
  request.writeStart(into: &buffer)
  buffer.write(request.data)
  request.writeEnd(into: &buffer)
  return String(buffer: buffer)
}

func written(_ response: ResponseStanza) -> String {
  var buffer = ByteBuffer()
  response.writeStart(into: &buffer)
  buffer.write(response.data)
  response.writeEnd(into: &buffer)
  return String(buffer: buffer)
}

func written(_ data: BodyData) -> String {
  var buffer = ByteBuffer()
  buffer.write(data)
  return String(buffer: buffer)
}

/// A request's payload with these attributes and this content.
func req(_ attributes: String = "method='GET' resource='/' version='1.1'", _ content: String = "") throws -> Element {
  try payload(of: "<iq><req xmlns='urn:xmpp:http' \(attributes)>\(content)</req></iq>")
}

func resp(_ attributes: String = "version='1.1' statusCode='200'", _ content: String = "") throws -> Element {
  try payload(of: "<iq><resp xmlns='urn:xmpp:http' \(attributes)>\(content)</resp></iq>")
}

func headers(_ content: String) -> String {
  "<headers xmlns='http://jabber.org/protocol/shim'>\(content)</headers>"
}

extension HTTPFields {
  /// Names as they were written, and values.
  var lines: [String] { map { "\($0.name.rawName): \($0.value)" } }
}

extension BodyData {
  var kind: String {
    switch self {
    case .none: "none"
    case .text: "text"
    case .xml(let root): "xml \(root.name)"
    case .base64: "base64"
    case .chunks(let id): "chunks \(id)"
    case .ibb(let sid): "ibb \(sid)"
    case .jingle(let session): "jingle \(session.sid)"
    case .sipub(let publication): "sipub \(publication.id)"
    case .unsupported(let name): "unsupported \(name)"
    }
  }
}
