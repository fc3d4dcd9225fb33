import DequeModule
import NIOCore

/// What has arrived of a transfer and waits for its reader, in order, with the stanzas to acknowledge once it is taken.
struct PartQueue: Sendable {
  private struct Part {
    var bytes: ByteBuffer
    var stanza: String?
  }

  private var parts: Deque<Part> = []
  private(set) var byteCount = 0
  /// What the ids of its stanzas take, in bytes: whoever sends them chooses how long they are.
  private var stanzaBytes = 0

  var isEmpty: Bool { parts.isEmpty }

  /// The memory that it takes, in bytes.
  var heldBytes: Int { byteCount + stanzaBytes + parts.count * BytestreamLimits.partOverhead }

  /// Whether `count` more bytes exceed what may wait.
  func overflows(adding count: Int) -> Bool {
    byteCount + count > BytestreamLimits.unreadBytes || parts.count >= BytestreamLimits.unreadParts
  }

  mutating func append(_ bytes: ByteBuffer, stanza: String? = nil) {
    parts.append(Part(bytes: bytes, stanza: stanza))
    byteCount += bytes.readableBytes
    stanzaBytes += stanza?.utf8.count ?? 0
  }

  /// The next part; small ones come together, up to `readBytes`.
  mutating func next() -> (bytes: ByteBuffer, stanzas: [String])? {
    guard let first = parts.popFirst() else { return nil }
    var bytes = first.bytes
    var stanzas = first.stanza.map { [$0] } ?? []
    while bytes.readableBytes < BytestreamLimits.wholePart, let part = parts.first,
      bytes.readableBytes + part.bytes.readableBytes <= BytestreamLimits.readBytes
    {
      bytes.writeImmutableBuffer(part.bytes)
      if let stanza = part.stanza { stanzas.append(stanza) }
      parts.removeFirst()
    }
    byteCount -= bytes.readableBytes
    stanzaBytes -= stanzas.reduce(0) { $0 + $1.utf8.count }
    return (bytes, stanzas)
  }

  /// The stanzas of what has not been taken, in order.
  var stanzas: [String] { parts.compactMap(\.stanza) }
}

extension ByteBuffer {
  /// Appends bytes to what is taken from at its other end. A buffer that is never quite empty would grow by all that ever went
  /// through it.
  mutating func append(_ bytes: ByteBuffer) {
    if readerIndex > BytestreamLimits.largestBlockSize { discardReadBytes() }
    writeImmutableBuffer(bytes)
  }
}
