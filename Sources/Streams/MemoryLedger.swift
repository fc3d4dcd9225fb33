import Trust
import XMPP

/// Who holds how much of the node's memory, and who has to give some back when it is too much. A value; `MemoryBudget` shares it.
///
/// Each stream has an account. Those of one peer count together, so that many streams get it no more than one does; a peer
/// without a key is known by its address on the network or on a server alone. Strangers together have a share of their own, and are asked before any friend.
struct MemoryLedger {
  struct Holder: Hashable, Sendable {
    enum Name: Hashable, Sendable {
      case key(NodeID)
      case address(String)
    }

    let name: Name
    /// A friend.
    let isKnown: Bool

    init(_ identity: PeerIdentity, isKnown: Bool) {
      name = identity.id.map { .key($0) } ?? .address(identity.networkAddress ?? identity.account?.text ?? "")
      self.isKnown = isKnown
    }
  }

  private struct Account {
    let holder: Holder
    var bytes = 0
    /// It has been asked to give some back, and has not changed since: asking again would not help.
    var isAsked = false
  }

  /// Of all peers together, in bytes.
  let limit: Int
  private var accounts: [Int: Account] = [:]
  private var holders: [Holder: Int] = [:]
  private var lastNumber = 0
  private(set) var all = 0
  private(set) var strangers = 0

  init(limit: Int) {
    self.limit = limit
  }

  /// What strangers may hold together, in bytes.
  var strangersLimit: Int { limit / 4 }

  /// Accounts that are open.
  var count: Int { accounts.count }

  mutating func open(_ holder: Holder) -> Int {
    lastNumber += 1
    accounts[lastNumber] = Account(holder: holder)
    return lastNumber
  }

  mutating func close(_ number: Int) {
    set(0, of: number)
    accounts[number] = nil
  }

  mutating func set(_ bytes: Int, of number: Int) {
    guard let account = accounts[number] else { return }
    let change = bytes - account.bytes
    accounts[number] = Account(holder: account.holder, bytes: bytes)
    all += change
    if !account.holder.isKnown { strangers += change }
    let left = holders[account.holder, default: 0] + change
    holders[account.holder] = left == 0 ? nil : left
  }

  mutating func asked(_ number: Int) { accounts[number]?.isAsked = true }

  /// Who is to give something back now: of the peers that may be asked the one that holds most, and of its streams that which
  /// does. nil where all fits, or all who may be asked have been.
  func debtor() -> Int? {
    if strangers > Self.mark(strangersLimit) || all > Self.mark(limit), let number = largest(isKnown: false) {
      return number
    }
    // What strangers hold is no reason to ask a friend, as long as it is no more than their share.
    return all - min(strangers, strangersLimit) > limit - strangersLimit && all > Self.mark(limit)
      ? largest(isKnown: true) : nil
  }

  /// Whether this account may take nothing more, whoever is asked meanwhile.
  func isFull(_ number: Int) -> Bool {
    guard let holder = accounts[number]?.holder else { return true }
    return all > limit || !holder.isKnown && strangers > strangersLimit
  }

  /// Whether bodies of this account that nobody reads yet had better not begin.
  func isTight(_ number: Int) -> Bool {
    guard let holder = accounts[number]?.holder else { return true }
    return all > limit / 4 * 3 || !holder.isKnown && strangers > strangersLimit / 4 * 3
  }

  /// Where streams are asked: what arrives until they have given back has to fit in as well.
  private static func mark(_ limit: Int) -> Int { limit - limit / 16 }

  private func largest(isKnown: Bool) -> Int? {
    func rank(_ account: Account) -> (Int, Int) { (holders[account.holder] ?? 0, account.bytes) }
    return accounts.filter { $1.holder.isKnown == isKnown && !$1.isAsked && $1.bytes > 0 }
      .max { rank($0.value) < rank($1.value) }?.key
  }
}
