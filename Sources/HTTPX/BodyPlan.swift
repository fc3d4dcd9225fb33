import Codecs
import Bytestreams
package import NIOCore
import XML

/// What is known about the peer that is to receive a body.
package struct BodyReceiver: Sendable, Hashable {
  /// Bytes of a stanza that it takes, as it advertised (XEP-0478).
  package var stanzaLimit: Int?
  /// It has our feature.
  package var isHearth: Bool
  /// Bytes of a chunk or block that it asked for.
  package var maxChunkSize: Int?
  package var allowsIBB: Bool
  package var allowsChunks: Bool

  /// Who sent this request gets the response's body.
  ///
  /// What it does not say about `ibb` is a yes, as the XEP has it: of the two it is the one with flow control.
  package static func requester(_ request: RequestStanza, stanzaLimit: Int?, isHearth: Bool) -> BodyReceiver {
    let isXEP = request.dialect == .xep
    return BodyReceiver(
      stanzaLimit: stanzaLimit, isHearth: isHearth, maxChunkSize: request.maxChunkSize,
      allowsIBB: isXEP && request.allows.ibb != false, allowsChunks: isXEP)
  }

  /// Who will answer a request gets the request's body; XEP-0332 §4.2.7 has no ibb there, and strangers drop it unseen.
  package static func responder(stanzaLimit: Int?, isHearth: Bool) -> BodyReceiver {
    BodyReceiver(
      stanzaLimit: stanzaLimit, isHearth: isHearth, maxChunkSize: nil, allowsIBB: isHearth, allowsChunks: true)
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
  /// Too much for a peer that knows bodies inside the stanza only, or a head that is too large for its stanzas.
  case unsendable

  /// - Parameters:
  ///   - whole: the body where all of it is at hand; nil where it streams.
  ///   - contentType: the value of that field.
  ///   - headSize: bytes of the request's or response's element without `<data/>`, which count against the stanza's.
  package static func choose(
    _ whole: ByteBuffer?, contentType: String?, headSize: Int, for receiver: BodyReceiver
  ) -> BodyPlan {
    let headSize = headSize + HTTPXLimits.envelopeBytes
    // A peer that tells no limit may take it; one that tells its limit would hang up. RFC 6120 §13.12 has a lowest one.
    if let limit = receiver.stanzaLimit, headSize > max(limit, HTTPXLimits.stanzaBytes) { return .unsendable }
    let room = (receiver.stanzaLimit ?? HTTPXLimits.stanzaBytes) - headSize
    if let whole, let data = inline(whole, contentType, room: room) { return .inline(data) }
    if receiver.allowsIBB { return .ibb(blockSize: receiver.transferSize) }
    if receiver.allowsChunks { return .chunks(chunkSize: receiver.transferSize) }
    return .unsendable
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
      let text = String(validating: body.readableBytesView, as: UTF8.self), XMLWriter.canCarry(text)
    else { return nil }
    return text
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
