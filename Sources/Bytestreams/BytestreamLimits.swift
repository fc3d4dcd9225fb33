package import NIOCore

/// Every bound of this module, with its unit and its reason.
package enum BytestreamLimits {
  /// Blocks in flight of one in-band bytestream: 4 saturate loopback, 8 cover 3 ms at a gigabit, 16 cost latency.
  package static let window = 8

  /// From this round trip on `window` is too small for what links carry, and a sender may have up to `unreadBytes` in flight, as
  /// any receiver of ours has taken ever since.
  package static let longRoundTrip = TimeAmount.milliseconds(5)

  /// Bytes in a block: 65,536 base64 characters without padding, far enough below a stanza limit of 256 KiB.
  package static let blockSize = 48 * 1024

  /// Bytes in a block below which an opener that is asked for smaller blocks gives up (XEP-0047 §6 recommends it).
  package static let smallestBlockSize = 4096

  /// Bytes in a block at most (XEP-0047 §2.1).
  package static let largestBlockSize = 65535

  /// Blocks behind the expected one that count as repeated by a cautious sender; older ones mean confusion.
  package static let replays: UInt16 = 64

  /// Bytes of one transfer that may wait for its reader: 64 blocks of the largest size, as much as any sender that waits
  /// for acknowledgements has in flight. One that does not wait is cut off here.
  package static let unreadBytes = 64 * 65536

  /// Parts of one transfer that may wait for its reader: bounds what a flood of tiny ones costs.
  package static let unreadParts = 4096

  /// Bytes of memory that a part takes besides its own: its buffer and its place in the queue.
  package static let partOverhead = 128

  /// Bytes of chunks that came before the one that is due (XEP-0332 §4.2.5 note 3).
  package static let earlyBytes = 1024 * 1024

  /// How far ahead of the one that is due a chunk may be: `earlyBytes` in chunks of the smallest size, 256 bytes.
  package static let earlyChunks: UInt64 = 4096

  /// How long a missing chunk is waited for. One TCP stream delivers in order, so what is late this long was never sent.
  package static let missingChunk: TimeAmount = .seconds(30)

  /// How long the last bytes are held back so that the chunk marked as last can carry them; a pause of the producer
  /// (an event stream) must not delay what was written.
  package static let chunkHold: TimeAmount = .milliseconds(20)

  /// Bytes that a reader gets at once when many small parts wait for it: handing over costs by part, not by byte.
  package static let readBytes = 64 * 1024

  /// A part at least this large is handed over as it is, uncopied. In bytes.
  package static let wholePart = 16 * 1024

  /// For a connection beside the stream to stand, TLS included, before the body goes in-band: a link needs some 10 ms, one that
  /// loses packets half a second; and with what has to be said then the body still begins within a second.
  package static let connecting = TimeAmount.milliseconds(700)

  /// For which the responder alone connects, before the initiator does so too: as long as between two addresses (RFC 8305 §5).
  package static let otherSideFirst = TimeAmount.milliseconds(250)

  /// Candidates of one transport that are read: no node has more addresses that matter.
  package static let candidates = 8

  /// Bytes of a `sid` or `streamId` that is accepted.
  package static let identifierBytes = 256
}
