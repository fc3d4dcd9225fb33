import NIOCore

/// Bytes in parts of any size ⇄ lines (NDJSON).
struct LineSplitter {
  private let limit: Int
  private var pending = ByteBuffer()

  /// `limit` is the longest line, in bytes.
  init(limit: Int) {
    self.limit = limit
  }

  /// The lines that are complete, without their line feeds. Throws `ControlError` where one is too long.
  mutating func feed(_ part: ByteBuffer) throws(ControlError) -> [ByteBuffer] {
    pending.writeImmutableBuffer(part)
    var lines: [ByteBuffer] = []
    while let end = pending.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
      guard let line = pending.readSlice(length: end - pending.readerIndex) else { break }
      pending.moveReaderIndex(forwardBy: 1)
      lines.append(line)
    }
    guard pending.readableBytes <= limit else {
      throw ControlError(.failed, "The daemon sent a line of more than \(limit) bytes.")
    }
    pending.discardReadBytes()
    return lines
  }
}
