import NIOCore
import XML

extension FuzzTarget {
  /// `XMLReader`: any split gives the same, long plain texts that pass the parser by give what the parser makes of them, and
  /// what is written of an element, as a stanza or as a document, is read as that element.
  static let xml = FuzzTarget("xml", longest: 4096) { bytes in
    check(bytes)
    if bytes.contains(filler) { check(expand(bytes)) }
  }

  /// Stands for a text that is long enough to pass the parser by: no mutation would find one.
  private static let filler = UInt8(ascii: "~")
  private static let plainText = Array(String(repeating: "plain text 0123456789+/=\n", count: 24).utf8)

  private static func expand(_ bytes: [UInt8]) -> [UInt8] {
    // Some are enough, and all of them could be megabytes.
    var left = 16
    return bytes.flatMap { byte in
      guard byte == filler, left > 0 else { return [byte] }
      left -= 1
      return plainText
    }
  }

  private static func check(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    let limits = [XMLLimits.established, .negotiating, .small].randomElement(using: &draw)!
    let whole = Reading([ByteBuffer(bytes: bytes)], limits)
    requireEqual(whole, Reading(draw.parts(of: bytes), limits), "Another split gives something else")
    // In parts this short no text passes the parser by.
    requireEqual(whole, Reading(draw.parts(of: bytes, longest: 500), limits), "The parser makes something else of it")
    // An empty root is two events of one token, of which the second is behind the stop.
    if whole.events.count != 2 || whole.events.last != .closed {
      requireEqual(whole, Reading(stoppingIn: ByteBuffer(bytes: bytes), limits), "Stops change what is read")
    }
    for case .element(let element) in whole.events {
      var written = ByteBuffer()
      written.write(element)
      requireEqual(read(written), element, "What was written is read as another element: \(String(buffer: written))")
      written.clear()
      written.write(document: element, inside: "jabber:client")
      requireEqual(read(written), element, "As a document it is read as another element: \(String(buffer: written))")
    }
  }
}

extension XMLLimits {
  /// Met by short inputs.
  fileprivate static let small = XMLLimits(stanzaBytes: 200, elements: 4, depth: 3, attributes: 2)
}

/// What a reader made of some input.
private struct Reading: Equatable {
  var events: [XMLEvent] = []
  var error: XMLError.Code?

  init(_ parts: [ByteBuffer], _ limits: XMLLimits) {
    let reader = XMLReader(limits: limits)
    do {
      for part in parts { try reader.feed(part) { events.append($0) } }
    } catch {
      self.error = (error as? XMLError)?.code
    }
  }

  /// Stops behind each event, and reads on.
  init(stoppingIn bytes: ByteBuffer, _ limits: XMLLimits) {
    let reader = XMLReader(limits: limits)
    var rest = bytes
    do {
      while rest.readableBytes > 0 {
        try reader.feed(rest) {
          events.append($0)
          reader.stop()
        }
        let taken = rest.readableBytes - reader.unread
        guard taken > 0 else { return }
        rest.moveReaderIndex(forwardBy: taken)
      }
    } catch {
      self.error = (error as? XMLError)?.code
    }
  }
}
