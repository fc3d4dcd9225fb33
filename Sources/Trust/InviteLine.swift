import Codecs
package import XMPP

/// What an owner gives to another to become friends: `httpx://node@machine/invite/<node id>/<token>`, and behind another `/`, where the node
/// has one, the account's address that leads to it, so that two nodes can become friends that share no link.
///
/// Letters, digits and `:/@-._%` only, so that shells, chat programs and people pass it on unharmed. Whoever reads
/// it can use it.
package struct InviteLine: Sendable, Hashable {
  /// The node that invites.
  package let jid: JID
  package let id: NodeID
  /// `TrustLimits.tokenBytes` bytes.
  package let token: [UInt8]
  /// Full; nil: it is to be found on the link.
  package let account: JID?

  private static let scheme = "httpx://"
  private static let folder = "invite"

  /// nil where the token has another length.
  package init?(jid: JID, id: NodeID, token: [UInt8], account: JID? = nil) {
    guard token.count == TrustLimits.tokenBytes else { return nil }
    self.account = account.flatMap { $0.text.utf8.count <= TrustLimits.lineAccountBytes ? $0 : nil }
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
    guard (4...5).contains(parts.count) else { throw Self.incomplete }
    guard let jid = Self.decoded(parts[0]).flatMap({ JID(bare: $0) }) else { throw Self.unreadable }
    self.jid = jid
    id = try NodeID(String(decoding: parts[2], as: UTF8.self))
    let letters = NodeID.normalized(String(decoding: parts[3], as: UTF8.self))
    guard let token = Base32.uppercase.decode(letters), token.count == TrustLimits.tokenBytes else {
      throw Self.incomplete
    }
    self.token = token
    account = try parts.count == 5 ? Self.account(parts[4]) : nil
  }

  private static func account(_ text: some Collection<UInt8>) throws(TrustError) -> JID {
    guard let jid = decoded(text).flatMap({ JID($0) }), jid.localpart?.isEmpty == false else { throw incomplete }
    return jid
  }

  private static let unreadable = TrustError(
    .invite, "this is not the line of an invite", nextStep: .copyInvite)
  private static let incomplete = TrustError(
    .invite, "this invite is not complete: copy the line from httpx:// to its end")

  /// nil where it is not what `description` writes.
  private static func decoded(_ text: some Collection<UInt8>) -> String? {
    guard text.allSatisfy({ ASCIISet.unquoted.contains($0) || $0 == UInt8(ascii: "%") }) else { return nil }
    return PercentEncoding.decode(text).flatMap { String(validating: $0, as: UTF8.self) }
  }
}

extension InviteLine: CustomStringConvertible {
  package var description: String {
    let token = Base32.lowercase.encode(token)
    let address = PercentEncoding.encode(jid.text, except: .unquoted)
    let place = account.map { "/" + PercentEncoding.encode($0.text, except: .unquoted) } ?? ""
    return "\(Self.scheme)\(address)/\(Self.folder)/\(id)/\(token)\(place)"
  }
}
