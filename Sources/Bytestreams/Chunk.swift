import Codecs
package import NIOCore
package import XML
import XMPP

/// A part of a body in `chunkedBase64` (XEP-0332 §4.2.5).
package struct Chunk: Sendable, Hashable {
  package var streamId: String
  /// From 0; nil: the one after those before it.
  ///
  /// COMPAT(Smack): versions of 2014 leave it out.
  package var nr: UInt64?
  package var isLast: Bool
  package var bytes: ByteBuffer

  package init(streamId: String, nr: UInt64?, isLast: Bool = false, bytes: ByteBuffer) {
    self.streamId = streamId
    self.nr = nr
    self.isLast = isLast
    self.bytes = bytes
  }
}

/// What one stanza says about a row of chunks (XEP-0332 §4.2.5).
package enum ChunkElement: Sendable, Hashable {
  case chunk(Chunk)
  /// No more chunks are wanted, or none will come.
  case close(streamId: String)

  /// nil for any other element; throws where one of these cannot be read.
  package init?(_ element: Element) throws(UnreadableElement) {
    guard element.namespace == Namespace.http else { return nil }
    switch element.name {
    case "chunk": self = .chunk(try Self.chunk(element))
    // COMPAT(IoTGateway): its word for close.
    case "close", "cancel": self = .close(streamId: try Identifier.read("streamId", of: element))
    default: return nil
    }
  }

  /// The payload of one message.
  package var elements: [Element] {
    switch self {
    case .chunk(let chunk):
      [
        Element(
          "chunk", namespace: Namespace.http,
          ["streamId": chunk.streamId, "nr": chunk.nr.map(String.init), "last": chunk.isLast ? "true" : nil],
          text: Base64.encode(chunk.bytes))
      ]
    case .close(let streamId):
      // COMPAT(IoTGateway): knows only `cancel`, and would send the rest of the body for nobody. Others ignore it.
      ["close", "cancel"].map { Element($0, namespace: Namespace.http, ["streamId": streamId]) }
    }
  }

  private static func chunk(_ element: Element) throws(UnreadableElement) -> Chunk {
    let streamId = try Identifier.read("streamId", of: element)
    var nr: UInt64?
    if let text = element["nr"] {
      guard let number = UInt64(text)
      else { throw UnreadableElement(transfer: streamId, refusal(.badRequest, "nr must be a number from 0")) }
      nr = number
    }
    guard let isLast = schemaBoolean(element["last"] ?? "false")
    else { throw UnreadableElement(transfer: streamId, refusal(.badRequest, "last must be true or false")) }
    guard let bytes = element.base64
    else { throw UnreadableElement(transfer: streamId, refusal(.badRequest, "the chunk is no base64 (RFC 4648 §4)")) }
    return Chunk(streamId: streamId, nr: nr, isLast: isLast, bytes: bytes)
  }
}

extension Chunk {
  /// Writes `<chunk/>` with its base64 straight into `buffer`, without building the text first.
  package func write(into buffer: inout ByteBuffer) {
    buffer.writeString("<chunk xmlns='\(Namespace.http)'")
    buffer.write(attribute: "streamId", streamId)
    if let nr { buffer.write(attribute: "nr", "\(nr)") }
    // COMPAT(Smack): reads last='1' as false.
    if isLast { buffer.write(attribute: "last", "true") }
    buffer.writeStaticString(">")
    Base64.encode(bytes, into: &buffer)
    buffer.writeStaticString("</chunk>")
  }
}
