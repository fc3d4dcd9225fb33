package import NIOCore

/// Every bound of this module, with its unit and its reason.
package enum HTTPXLimits {
  /// For how long a peer is believed that it has no HTTP, before a request makes it be asked again: nobody notices a second.
  package static let askAgain = TimeAmount.seconds(1)

  /// The same for one that gave no answer, as half of the known clients never do: each time the request waits for it.
  package static let silentAgain = TimeAmount.seconds(30)

  /// Bytes of a textual body that goes as `<text>`: all that may stand in a stanza. Checking and escaping 64 KiB costs 0.2 ms more than
  /// base64, which takes as long on a wire of a gigabit, and ten times as long on one of 100 Mbit/s.
  package static let textBytes = inlineBytes

  /// Bytes of a body that goes inside its stanza: a body of known length up to here is worth collecting first.
  package static let inlineBytes = 64 * 1024

  /// Bytes of a body that goes beside the stream, where that can be: in-band it takes 10 ms on a fast link, and to connect takes as
  /// long as a third of that.
  package static let directBytes = 1 << 20

  /// Bytes of a document that came as `<xml>`, as it goes on: four times of what a stanza may have, for each element may have to
  /// declare again what was declared around the document.
  static let documentBytes = 1 << 20

  /// Bytes of all names of elements, attributes and namespaces in the documents that one stream carries as `<xml>`: parsers keep
  /// them for the life of the stream, and one like ours ends it at four times as many. Beyond, documents go as other text.
  package static let documentNameBytes = 64 * 1024

  /// Bytes of a stanza for a peer that has told no limit (RFC 6120 §13.12).
  package static let stanzaBytes = 10_000

  /// Bytes of a stanza around its payload: `<iq/>` or `<message/>`, addresses of at most 63 bytes escaped, an id, and the
  /// tags of `<data/>`.
  package static let envelopeBytes = 1024

  /// Bytes that are reserved for a stanza before it is written: most heads with a body of a few KiB need no more.
  static let usualStanzaBytes = 4096

  /// Bytes that a stream keeps for the next stanza at most.
  static let keptBytes = 16 * 1024

  /// Fields that room is made for before a head is read: most heads have no more.
  static let usualFields = 16

  /// Bytes in a chunk or block for a requester that named no `maxChunkSize`.
  package static let chunkSize = 4096

  /// What `maxChunkSize` may be, in bytes before base64 (XEP-0332 §4.2.5).
  package static let chunkSizes = 256...65536

  /// The `maxChunkSize` of our requests: also the largest block of XEP-0047.
  package static let ownChunkSize = 65535

  /// Characters of the name that a body is published by, for people: file systems take no longer ones.
  static let fileNameCharacters = 60

  /// Fields of a message: what common servers accept, several times over.
  package static let fields = 512

  /// Bytes of an `httpx` URI.
  package static let uriBytes = 64 * 1024
}
