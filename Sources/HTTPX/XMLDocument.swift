import Codecs
import HTTPTypes
import NIOCore
import XML
import XMPP

/// Bodies that go as `<xml>` (XEP-0332 §4.2.3): those that are the same document behind it, though written in other bytes.
enum XMLDocument {
  /// What a peer reads in one stanza, less `<iq/>`, `<resp/>`, `<data/>`, `<xml/>` and as many fields as there may be.
  private static let limits = XMLLimits(
    stanzaBytes: XMLLimits.established.stanzaBytes,
    elements: XMLLimits.established.elements - HTTPXLimits.fields - 8, depth: XMLLimits.established.depth - 4,
    // The root may have to declare its default namespace.
    attributes: XMLLimits.established.attributes - 1)

  /// The root of the document that a response's body is; nil where it would not arrive as the same one.
  ///
  /// That is where it has a DTD, instructions or comments, another encoding or version, where line ends may be taken for others,
  /// where it is within the namespaces of streams, and where the head says something about the bytes.
  static func root(of body: ByteBuffer, _ head: HTTPResponse) -> Element? {
    guard body.readableBytes <= HTTPXLimits.inlineBytes,
      MediaType.isXML(head.headerFields.value(of: .contentType) ?? ""),
      head.status != .partialContent,
      !head.headerFields.contains(where: { aboutBytes.contains($0.name.canonicalName) }),
      let content = content(of: body), let root = parsed(content)
    else { return nil }
    // A root in the namespace of the tags around it means one without any, as in the examples of the XEP.
    let isFit = root.namespace != Namespace.http && root.isThroughout(isFit)
    return isFit ? root.standingAlone : nil
  }

  private static func isFit(_ element: Element) -> Bool {
    element.namespace != Namespace.client && element.namespace != Namespace.streams
      && element.texts.allSatisfy(XMLWriter.canCarry)
  }

  /// Fields that are wrong about other bytes of the same document; Content-Length is not among them, for it can be left out.
  private static let aboutBytes: Set = [
    "content-encoding", "content-range", "content-md5", "content-digest", "repr-digest", "digest", "signature",
  ]

  /// Without an XML declaration, which must not be in a stream; nil where it says something else than all peers assume.
  private static func content(of body: ByteBuffer) -> ByteBuffer? {
    var content = body
    let bytes = body.readableBytesView
    guard bytes.starts(with: "<?xml".utf8) else { return content }
    guard let end = bytes.firstIndex(of: UInt8(ascii: ">")) else { return nil }
    let declaration = ByteBuffer(bytes[...end])
    let text = String(buffer: declaration)
    // The encoding in it is the reader's to judge, with all of its grammar.
    let isKnown = text.contains("'1.0'") || text.contains("\"1.0\"")
    guard isKnown, events(XMLReader(limits: .negotiating), [declaration, ByteBuffer(string: "<d/>")])?.count == 2
    else { return nil }
    content.moveReaderIndex(forwardBy: declaration.readableBytes)
    return content
  }

  /// As the one element inside of another, so that text beside it is an error.
  private static func parsed(_ content: ByteBuffer) -> Element? {
    let reader = XMLReader(limits: limits)
    guard events(reader, [ByteBuffer(string: "<d>")])?.count == 1, let inside = events(reader, [content]),
      inside.count == 1, case .element(let root) = inside[0],
      events(reader, [ByteBuffer(string: "</d>")]) == [.closed]
    else { return nil }
    return root
  }

  private static func events(_ reader: XMLReader, _ parts: [ByteBuffer]) -> [XMLEvent]? {
    var events: [XMLEvent] = []
    do {
      for part in parts { try reader.feed(part) { events.append($0) } }
    } catch {
      return nil
    }
    return events
  }
}

/// Names in the documents that one stream has carried: its reader may keep each of them for as long as the stream lives, and has
/// room for some.
struct DocumentNames: Sendable {
  private var known: Set<String> = []
  private var byteCount = 0

  /// Whether there is room for those of one more; if so, they are counted.
  mutating func admit(_ root: Element) -> Bool {
    var new: Set<String> = []
    _ = root.isThroughout { element in
      new.formUnion(element.names)
      return true
    }
    new.subtract(known)
    let more = new.reduce(0) { $0 + $1.utf8.count + 1 }
    guard byteCount + more <= HTTPXLimits.documentNameBytes else { return false }
    known.formUnion(new)
    byteCount += more
    return true
  }
}

extension HTTPFields {
  /// Says of a document what is true of the bytes that this side has made of it.
  mutating func describe(document: ByteBuffer) {
    self[.contentLength] = String(document.readableBytes)
    for name in [HTTPField.Name("Content-MD5")!, HTTPField.Name("Content-Digest")!, HTTPField.Name("Digest")!] {
      self[name] = nil
    }
    if let type = value(of: .contentType), let inUTF8 = MediaType.inUTF8(type) { self[.contentType] = inUTF8 }
  }
}
