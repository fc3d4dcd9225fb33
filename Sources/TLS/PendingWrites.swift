import NIOCore

/// Plaintext that is to be written: from `write` to `flush`, and until the handshake is done.
struct PendingWrites {
  struct Write {
    let bytes: ByteBuffer
    let promise: EventLoopPromise<Void>?
  }

  private var writes = MarkedCircularBuffer<Write>(initialCapacity: 0)

  mutating func append(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
    writes.append(Write(bytes: bytes, promise: promise))
  }

  mutating func markFlush() {
    writes.mark()
  }

  /// The next one that was flushed.
  mutating func next() -> Write? {
    writes.hasMark ? writes.popFirst() : nil
  }

  mutating func fail(_ error: any Error) {
    while let write = writes.popFirst() { write.promise?.fail(error) }
  }
}
