/// What a peer may send in one stanza; the header of a stream counts as one too.
package struct XMLLimits: Sendable, Hashable {
  /// Bytes as they come from the wire, markup included; whitespace between stanzas is free.
  package var stanzaBytes: Int
  /// Elements, the stanza's own included.
  package var elements: Int
  /// Elements inside each other; the stanza itself is at depth 1.
  package var depth: Int
  /// Attributes and namespace declarations of one tag. The parser compares each with every other.
  package var attributes: Int

  package init(stanzaBytes: Int, elements: Int, depth: Int, attributes: Int) {
    self.stanzaBytes = stanzaBytes
    self.elements = elements
    self.depth = depth
    self.attributes = attributes
  }

  /// While TLS and SASL are negotiated: a header and features fit, little else does; never less than RFC 6120 §13.12 asks for.
  package static let negotiating = XMLLimits(stanzaBytes: 10_000, elements: 64, depth: 8, attributes: 32)

  /// For stanzas. 256 KiB hold four base64 blocks of 64 KiB; as elements they would cost far more than as text, so these
  /// are bounded apart: 8,192 are a long list of headers or a large `<xml>` body.
  package static let established = XMLLimits(stanzaBytes: 256 << 10, elements: 8192, depth: 32, attributes: 64)

  /// Distinct names of elements, attributes and namespaces in the life of one stream, in bytes. The parser keeps every
  /// one until the stream ends, and looks them up ever slower.
  static let names = 256 << 10

  /// Text from this length on passes the parser by, where it needs none. Each such text costs one more call of the
  /// parser, so that short ones are left to it.
  static let plainTextBytes = 512
}
