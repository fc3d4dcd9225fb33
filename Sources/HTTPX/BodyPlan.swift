import Codecs
package import Bytestreams
package import NIOCore
package import XML

/// How a body may go beside its stanza, by the words of XEP-0332.
package enum BodyMechanism: String, Sendable, Hashable, CaseIterable {
  case ibb
  case chunkedBase64
  /// Published, and sent by ibb once the requester has asked for it; in responses only.
  case sipub
  /// A Jingle session by ibb, which the requester accepts first; in responses only.
  case jingle
  /// A Jingle session by a connection of its own, which falls back to ibb: for large bodies of known size, between Hearth nodes that
  /// have shown their keys.
  case direct

  /// The order in which they are tried, unless the owner says otherwise.
  package static let standard = [direct, ibb, chunkedBase64]
}

/// What is known about the peer that is to receive a body.
///
/// More than eight properties: one for each way that it allows, or does not.
package struct BodyReceiver: Sendable, Hashable {
  /// Bytes of a stanza that it takes, as it advertised (XEP-0478).
  package var stanzaLimit: Int?
  /// It has our feature.
  package var isHearth: Bool
  /// Bytes of a chunk or block that it asked for.
  package var maxChunkSize: Int?
  package var allowsIBB: Bool
  package var allowsChunks: Bool
  package var allowsSIPub = false
  package var allowsJingle = false
  /// This side's addresses, where both sides can go beside the stream, and the peer allows that.
  package var direct: S5BOffer?
  /// The order in which mechanisms are tried; ibb and chunks come last in any case, the others not at all where they are not in it.
  package var preference = BodyMechanism.standard

  /// Who sent this request gets the response's body.
  ///
  /// What it does not say about `ibb` is a yes, as the XEP has it: of the two it is the one with flow control.
  package static func requester(
    _ request: RequestStanza, stanzaLimit: Int?, isHearth: Bool, direct: S5BOffer? = nil,
    preference: [BodyMechanism] = BodyMechanism.standard
  ) -> BodyReceiver {
    let isXEP = request.dialect == .xep
    // Both go by ibb in the end, and so does what falls back.
    let allowsJingle = isXEP && request.allows.jingle != false && request.allows.ibb != false
    return BodyReceiver(
      stanzaLimit: stanzaLimit, isHearth: isHearth, maxChunkSize: request.maxChunkSize,
      allowsIBB: isXEP && request.allows.ibb != false, allowsChunks: isXEP,
      allowsSIPub: isXEP && request.allows.sipub != false && request.allows.ibb != false,
      allowsJingle: allowsJingle, direct: allowsJingle ? direct : nil, preference: preference)
  }

  /// Who will answer a request gets the request's body; XEP-0332 §4.2.7 has no ibb there, and strangers drop it unseen.
  package static func responder(
    stanzaLimit: Int?, isHearth: Bool, direct: S5BOffer? = nil, preference: [BodyMechanism] = BodyMechanism.standard
  ) -> BodyReceiver {
    BodyReceiver(
      stanzaLimit: stanzaLimit, isHearth: isHearth, maxChunkSize: nil, allowsIBB: isHearth, allowsChunks: true,
      direct: isHearth ? direct : nil, preference: preference)
  }

  /// Bytes of payload in a chunk or block, a multiple of three where that can be, so that no padding is needed.
  ///
  /// What the peer asked for, else 4096, or for a Hearth peer whatever its stanzas have room for; never more than its
  /// advertised limit allows. One that advertised none is taken at its word about the size it asked for.
  var transferSize: Int {
    let fitting = stanzaLimit.map { Self.payload(in: $0) }
    let wanted = maxChunkSize ?? (isHearth ? fitting : nil) ?? HTTPXLimits.chunkSize
    return min(wanted, fitting ?? wanted, BytestreamLimits.blockSize)
  }

  /// Bytes whose base64 fits a stanza of `limit` bytes; some even where the limit is absurd.
  private static func payload(in limit: Int) -> Int {
    max(HTTPXLimits.chunkSizes.lowerBound, (limit - HTTPXLimits.envelopeBytes) / 4 * 3)
  }
}

/// How a body is sent: the table of mechanisms, as a function.
package enum BodyPlan: Sendable, Hashable {
  /// Inside the stanza.
  case inline(BodyData)
  /// Beside it, in blocks of this many bytes.
  case ibb(blockSize: Int)
  /// Beside it, in chunks of this many bytes.
  case chunks(chunkSize: Int)
  /// Published, and then in blocks of this many bytes.
  case sipub(blockSize: Int)
  /// Offered in a session, and then in blocks of this many bytes.
  case jingle(blockSize: Int)
  /// Offered in a session, beside the stream, and where that fails in blocks of this many bytes.
  case direct(S5BOffer, blockSize: Int)
  /// Too much for a peer that knows bodies inside the stanza only, or a head that is too large for its stanzas.
  case unsendable

  /// - Parameters:
  ///   - whole: the body where all of it is at hand; nil where it streams.
  ///   - length: bytes of the body, where they are known.
  ///   - contentType: the value of that field.
  ///   - document: the root of the document that the body is, where it may go as one.
  ///   - headSize: bytes of the request's or response's element without `<data/>`, which count against the stanza's.
  package static func choose(
    _ whole: ByteBuffer?, length: Int? = nil, contentType: String?, document: Element? = nil, headSize: Int,
    for receiver: BodyReceiver
  ) -> BodyPlan {
    let headSize = headSize + HTTPXLimits.envelopeBytes
    // A peer that tells no limit may take it; one that tells its limit would hang up. RFC 6120 §13.12 has a lowest one.
    if let limit = receiver.stanzaLimit, headSize > max(limit, HTTPXLimits.stanzaBytes) { return .unsendable }
    let room = (receiver.stanzaLimit ?? HTTPXLimits.stanzaBytes) - headSize
    if let document, writtenSize(of: .xml(document)) <= room { return .inline(.xml(document)) }
    if let whole, let data = inline(whole, contentType, room: room) { return .inline(data) }
    let length = whole?.readableBytes ?? length
    return (receiver.preference + [.ibb, .chunkedBase64]).lazy.compactMap { beside($0, length, receiver) }.first
      ?? .unsendable
  }

  private static func beside(_ mechanism: BodyMechanism, _ length: Int?, _ receiver: BodyReceiver) -> BodyPlan? {
    switch mechanism {
    case .direct:
      length ?? 0 >= HTTPXLimits.directBytes
        ? receiver.direct.map { .direct($0, blockSize: receiver.transferSize) } : nil
    case .ibb: receiver.allowsIBB ? .ibb(blockSize: receiver.transferSize) : nil
    case .chunkedBase64: receiver.allowsChunks ? .chunks(chunkSize: receiver.transferSize) : nil
    case .jingle: receiver.allowsJingle ? .jingle(blockSize: receiver.transferSize) : nil
    case .sipub: receiver.allowsSIPub ? .sipub(blockSize: receiver.transferSize) : nil
    }
  }

  private static func inline(
    _ body: ByteBuffer, _ contentType: String?, room: Int
  ) -> BodyData? {
    let count = body.readableBytes
    if count == 0 { return BodyData.none }
    guard count <= HTTPXLimits.inlineBytes else { return nil }
    if let text = text(body, contentType), escapedSize(of: text) <= room { return .text(text) }
    return Base64.encodedLength(of: count) <= room ? .base64(body) : nil
  }

  /// The body as text that arrives byte for byte, nil where that cannot be promised.
  private static func text(_ body: ByteBuffer, _ contentType: String?) -> String? {
    guard body.readableBytes <= HTTPXLimits.textBytes, let contentType, MediaType.isText(contentType),
      let text = body.withUnsafeReadableBytes(\.text), XMLWriter.canCarry(text)
    else { return nil }
    return text
  }

  private static func writtenSize(of data: BodyData) -> Int {
    var buffer = ByteBuffer()
    buffer.write(data)
    return buffer.readableBytes
  }

  private static func escapedSize(of text: String) -> Int {
    text.utf8.reduce(0) { size, byte in
      switch byte {
      case UInt8(ascii: "&"): size + 5
      case UInt8(ascii: "<"), UInt8(ascii: ">"): size + 4
      default: size + 1
      }
    }
  }
}
