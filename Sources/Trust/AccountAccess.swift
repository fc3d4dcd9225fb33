package import XMPP

/// Who may use a service by an account on an XMPP server, without being a friend's node: servers say who it is, and read what passes.
package struct AccountAccess: Sendable, Hashable {
  /// Bare.
  package var accounts: Set<JID>
  /// Whether contacts of this node's own account may, with a subscription both ways (RFC 6121 §2.1.2.5).
  package var contacts: Bool
  /// Whether any account anywhere may.
  package var anyone: Bool

  package static let none = AccountAccess()

  package init(accounts: Set<JID> = [], contacts: Bool = false, anyone: Bool = false) {
    (self.accounts, self.contacts, self.anyone) = (accounts, contacts, anyone)
  }

  /// - Parameter isContact: whether it is a contact of this node's account, or that account itself.
  package func admits(_ account: JID, isContact: Bool) -> Bool {
    anyone || contacts && isContact || accounts.contains(account.bare)
  }

  /// As they stand in a list, in order.
  package var words: [String] {
    (contacts ? [Self.contactsWord] : []) + accounts.sorted().map { Self.prefix + $0.text }
  }

  fileprivate static let contactsWord = "contacts"
  fileprivate static let prefix = "jid:"
}

extension AccessPolicy {
  /// Reads a list of who may use a service: friends' names, `friends` for all of them, `contacts`, and accounts like
  /// `jid:anna@example.net`.
  ///
  /// Throws `policy` where it is empty, and `petname` for what is none of these.
  package static func audience(_ words: [String]) throws(TrustError) -> (Access, AccountAccess) {
    guard !words.isEmpty
    else { throw TrustError(.policy, "an empty list of friends opens nothing: name some, or say \"friends\"") }
    var (names, all, accounts) = (Set<Petname>(), false, AccountAccess.none)
    for word in words {
      switch word {
      case "friends": all = true
      case AccountAccess.contactsWord: accounts.contacts = true
      case _ where word.hasPrefix(AccountAccess.prefix): accounts.accounts.insert(try account(word))
      default: names.insert(try Petname(word))
      }
    }
    return (all ? .friends : .names(names), accounts)
  }

  private static func account(_ word: String) throws(TrustError) -> JID {
    guard let jid = JID(String(word.dropFirst(AccountAccess.prefix.count))), jid.resource == nil,
      jid.localpart?.isEmpty == false, !jid.domainpart.isEmpty
    else { throw TrustError(.policy, "“\(word)” names no account: write it like jid:anna@example.net") }
    return jid
  }
}
