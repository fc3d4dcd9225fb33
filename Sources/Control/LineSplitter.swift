import NIOCore

/// Bytes in parts of any size ⇄ lines (NDJSON).
struct LineSplitter {
  private let limit: Int
  private var pending = ByteBuffer()
  /// Bytes of it that hold no line feed.
  private var scanned = 0

  /// `limit` is the longest line, in bytes.
  init(limit: Int) {
    self.limit = limit
  }

  /// The lines that are complete, without their line feeds. Throws `ControlError` where one is too long.
  mutating func feed(_ part: ByteBuffer) throws(ControlError) -> [ByteBuffer] {
    if pending.readableBytes == 0 { pending = part } else { pending.writeImmutableBuffer(part) }
    var lines: [ByteBuffer] = []
    while let end = pending.readableBytesView.dropFirst(scanned).firstIndex(of: UInt8(ascii: "\n")) {
      guard let line = pending.readSlice(length: end - pending.readerIndex) else { break }
      pending.moveReaderIndex(forwardBy: 1)
      lines.append(line)
      scanned = 0
    }
    scanned = pending.readableBytes
    guard pending.readableBytes <= limit else {
      throw ControlError(.failed, "The daemon sent a line of more than \(limit) bytes.")
    }
    pending.discardReadBytes()
    return lines
  }
}
