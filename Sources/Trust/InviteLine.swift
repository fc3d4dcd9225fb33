import Codecs
package import XMPP

/// What an owner gives to another to become friends: `httpx://node@machine/invite/<node id>/<token>`.
///
/// Letters, digits and `:/@-._%` only, so that shells, chat programs and people pass it on unharmed. Whoever reads
/// it can use it.
package struct InviteLine: Sendable, Hashable {
  /// The node that invites.
  package let jid: JID
  package let id: NodeID
  /// `TrustLimits.tokenBytes` bytes.
  package let token: [UInt8]

  private static let scheme = "httpx://"
  private static let folder = "invite"

  /// nil where the token has another length.
  package init?(jid: JID, id: NodeID, token: [UInt8]) {
    guard token.count == TrustLimits.tokenBytes else { return nil }
    self.jid = jid
    self.id = id
    self.token = token
  }

  /// Reads a line, with space around it. Throws `invite`, or `nodeID` where that part has a typo.
  package init(_ text: String) throws(TrustError) {
    let line = text.utf8.filter { !" \t\r\n".utf8.contains($0) }
    guard line.count <= TrustLimits.lineBytes else { throw Self.unreadable }
    guard line.prefix(Self.scheme.utf8.count).elementsEqual(Self.scheme.utf8, by: { $0 | 0x20 == $1 | 0x20 })
    else { throw Self.unreadable }
    let parts = line.dropFirst(Self.scheme.utf8.count)
      .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count >= 2, parts[1].elementsEqual(Self.folder.utf8) else { throw Self.unreadable }
    guard parts.count == 4 else { throw Self.incomplete }
    guard let jid = Self.decoded(parts[0]).flatMap({ JID(bare: $0) }) else { throw Self.unreadable }
    self.jid = jid
    id = try NodeID(String(decoding: parts[2], as: UTF8.self))
    let letters = NodeID.normalized(String(decoding: parts[3], as: UTF8.self))
    guard let token = Base32.uppercase.decode(letters), token.count == TrustLimits.tokenBytes else {
      throw Self.incomplete
    }
    self.token = token
  }

  private static let unreadable = TrustError(
    .invite, "this is not the line of an invite", nextStep: .copyInvite)
  private static let incomplete = TrustError(
    .invite, "this invite is not complete: copy the line from httpx:// to its end")

  /// Bytes that need no quotes anywhere.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "@-._".utf8.contains(byte)
    }
  }

  private static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    let bytes = text.utf8.flatMap { byte in
      isPlain(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// nil where it is not what `encoded` writes.
  private static func decoded(_ text: some Sequence<UInt8>) -> String? {
    var (bytes, rest) = ([UInt8](), text.makeIterator())
    while let byte = rest.next() {
      guard byte == UInt8(ascii: "%") else {
        guard isPlain(byte) else { return nil }
        bytes.append(byte)
        continue
      }
      guard let high = rest.next(), let low = rest.next(),
        let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension InviteLine: CustomStringConvertible {
  package var description: String {
    let token = Base32.lowercase.encode(token)
    return "\(Self.scheme)\(Self.encoded(jid.text))/\(Self.folder)/\(id)/\(token)"
  }
}
