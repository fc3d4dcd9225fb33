import XMPP

/// Who a stanza of the server's stream is from: a server can be trusted with that, as far as the account goes, but an answer
/// has to come from who was asked (RFC 6120 §§8.1.2.1, 10.3).
struct Sender {
  /// Full.
  let account: JID

  /// Without `from`, it is the account itself, for which the server answers; so it is with its full address.
  func canonical(_ from: JID?) -> JID {
    guard let from, from != account else { return account.bare }
    return from
  }

  /// Whether it is the account itself, which speaks for its roster (RFC 6121 §2.1.6).
  func isAccount(_ from: JID?) -> Bool { canonical(from) == account.bare }

  /// The server, or the account.
  func isServer(_ from: JID?) -> Bool {
    isAccount(from) || from == JID(bare: account.domainpart)
  }
}
