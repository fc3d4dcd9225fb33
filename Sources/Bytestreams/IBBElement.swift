import Codecs
package import NIOCore
package import XML
import XMPP

/// A block of an in-band bytestream (XEP-0047 §2.2).
package struct IBBBlock: Sendable, Hashable {
  package var sid: String
  /// From 0 in each direction, and 0 again after 65535.
  package var seq: UInt16
  package var bytes: ByteBuffer

  package init(sid: String, seq: UInt16, bytes: ByteBuffer) {
    self.sid = sid
    self.seq = seq
    self.bytes = bytes
  }
}

/// The offer of an in-band bytestream (XEP-0047 §2.1).
package struct IBBOpen: Sendable, Hashable {
  package enum Carrier: String, Sendable {
    /// Every block is answered: that is the flow control.
    case iq
    /// Nothing is answered, so nothing slows the sender down.
    case message
  }

  package var sid: String
  /// In bytes, before base64.
  package var blockSize: Int
  package var carrier: Carrier

  package init(sid: String, blockSize: Int, carrier: Carrier = .iq) {
    self.sid = sid
    self.blockSize = blockSize
    self.carrier = carrier
  }
}

/// What one stanza says about an in-band bytestream (XEP-0047).
package enum IBBElement: Sendable, Hashable {
  case open(IBBOpen)
  case data(IBBBlock)
  case close(sid: String)

  /// nil for elements of other namespaces; throws where one of this namespace cannot be read.
  package init?(_ element: Element) throws(UnreadableElement) {
    guard element.namespace == Namespace.ibb else { return nil }
    switch element.name {
    case "open": self = .open(try Self.open(element))
    case "data": self = .data(try Self.block(element))
    case "close": self = .close(sid: try Identifier.read("sid", of: element))
    default: throw UnreadableElement(transfer: nil, refusal(.badRequest, "XEP-0047 has no <\(element.name)/>"))
    }
  }

  package var element: Element {
    switch self {
    case .open(let open):
      Element(
        "open", namespace: Namespace.ibb,
        ["block-size": "\(open.blockSize)", "sid": open.sid, "stanza": open.carrier.rawValue])
    case .data(let block):
      Element(
        "data", namespace: Namespace.ibb, ["seq": "\(block.seq)", "sid": block.sid], text: Base64.encode(block.bytes))
    case .close(let sid):
      Element("close", namespace: Namespace.ibb, ["sid": sid])
    }
  }

  private static func open(_ element: Element) throws(UnreadableElement) -> IBBOpen {
    let sid = try Identifier.read("sid", of: element)
    guard let size = element["block-size"].flatMap(Int.init),
      (1...BytestreamLimits.largestBlockSize).contains(size)
    else { throw UnreadableElement(transfer: sid, refusal(.badRequest, "block-size must be within 1 and 65535")) }
    guard let carrier = IBBOpen.Carrier(rawValue: element["stanza"] ?? "iq")
    else { throw UnreadableElement(transfer: sid, refusal(.badRequest, "stanza must be iq or message")) }
    return IBBOpen(sid: sid, blockSize: size, carrier: carrier)
  }

  private static func block(_ element: Element) throws(UnreadableElement) -> IBBBlock {
    let sid = try Identifier.read("sid", of: element)
    // COMPAT(IoTGateway): counts on behind 65535 instead of starting again at 0.
    guard let seq = element["seq"].flatMap(UInt64.init).map(UInt16.init(truncatingIfNeeded:))
    else { throw UnreadableElement(transfer: sid, refusal(.badRequest, "seq must be a number from 0")) }
    guard let bytes = element.base64
    else { throw UnreadableElement(transfer: sid, refusal(.badRequest, "the data is no base64 (RFC 4648 §4)")) }
    return IBBBlock(sid: sid, seq: seq, bytes: bytes)
  }
}

extension IBBBlock {
  /// Writes `<data/>` with its base64 straight into `buffer`, without building the text first.
  package func write(into buffer: inout ByteBuffer) {
    buffer.writeString("<data xmlns='\(Namespace.ibb)' seq='\(seq)'")
    buffer.write(attribute: "sid", sid)
    buffer.writeStaticString(">")
    Base64.encode(bytes, into: &buffer)
    buffer.writeStaticString("</data>")
  }
}
