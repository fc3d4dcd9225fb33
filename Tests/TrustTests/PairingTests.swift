import FoundationEssentials
import TestKit
import Testing
import Trust
import XML
import XMPP

/// One side of a pairing with its own book; `sees` is the key that it sees on its TLS session.
struct Side {
  var book: FriendBook
  let key: [UInt8]
  var digits: String?

  init(_ name: String, digits: Int = 6) {
    key = FakeKey.spki(name)
    book = FriendBook(own: FakeKey.id(name), ownKey: key, cryptography: testCryptography, digits: digits)
  }

  func partner(_ name: String) -> KeyedPeer {
    .of(FakeKey.id(name), JID("\(name)@home"), key: FakeKey.spki(name))
  }
}

/// Delivers messages between two honest sides, over the wire's elements, until none is left.
func exchange(_ actions: [TrustAction], _ a: inout Side, _ b: inout Side, _ names: (String, String), nonce: [UInt8]) {
  var queue: [(toB: Bool, message: PairingMessage)] = []
  func take(_ actions: [TrustAction], byA: Bool, _ side: inout Side) {
    for action in actions {
      switch action {
      case .pair(let message, _): queue.append((byA, message))
      case .compare(let digits, _): side.digits = digits
      case .persist, .tell, .send, .terminate: break
      }
    }
  }
  take(actions, byA: true, &a)
  while !queue.isEmpty {
    let (toB, message) = queue.removeFirst()
    let arrived = PairingMessage(message.element)!
    if toB {
      take(b.book.received(arrived, from: b.partner(names.0), nonce: nonce, now: start), byA: false, &b)
    } else {
      take(a.book.received(arrived, from: a.partner(names.1), nonce: nonce, now: start), byA: true, &a)
    }
  }
}

private let nonceA = Array(repeating: UInt8(1), count: 16)
private let nonceB = Array(repeating: UInt8(2), count: 16)

@Suite struct PairingTests {
  private func compared() throws -> (Side, Side) {
    var (a, b) = (Side("anna"), Side("bob"))
    let begun = try a.book.pair(with: a.partner("bob"), petname: name("bob"), nonce: nonceA, now: start)
    #expect(begun.events == [.pairingBegun(bob, .initiator)])
    exchange(begun, &a, &b, ("anna", "bob"), nonce: nonceB)
    return (a, b)
  }

  @Test func bothSeeTheSameDigits() throws {
    let (a, b) = try compared()
    #expect(a.digits == b.digits && a.digits?.count == 6)
    // As the design has it: the first 64 bits of SHA-256(Na ‖ Nb ‖ SPKIa ‖ SPKIb), mod 10⁶.
    let hash = SHA256.digest(nonceA + nonceB + a.key + b.key)
    let number = hash[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 1_000_000
    #expect(Int(a.digits ?? "") == Int(number))
    #expect(a.book.pairingQuestion?.digits == a.digits && b.book.pairingQuestion?.peer.id == anna)
    #expect(a.book.friends.isEmpty && b.book.friends.isEmpty, "nobody confirmed")
  }

  @Test(arguments: [true, false]) func friendsOnceBothConfirmed(initiatorFirst: Bool) throws {
    var (a, b) = try compared()
    if initiatorFirst {
      exchange(try a.book.confirmPairing(now: start + 1), &a, &b, ("anna", "bob"), nonce: [])
      #expect(a.book.friends.isEmpty && b.book.friends.isEmpty)
      exchange(try b.book.confirmPairing(now: start + 2), &b, &a, ("bob", "anna"), nonce: [])
    } else {
      exchange(try b.book.confirmPairing(now: start + 1), &b, &a, ("bob", "anna"), nonce: [])
      #expect(a.book.friends.isEmpty && b.book.friends.isEmpty)
      exchange(try a.book.confirmPairing(now: start + 2), &a, &b, ("anna", "bob"), nonce: [])
    }
    #expect(a.book.friends.map(\.petname) == [name("bob")] && a.book.friends.map(\.origin) == [.digits])
    #expect(b.book.friends.map(\.id) == [anna] && b.book.friends[0].petname.text.hasPrefix("node-"))
    #expect(a.book.verdict(jid: JID("bob@home"), id: bob) == .friend(name("bob")))
    #expect(a.book.pairingPeer == nil && b.book.pairingPeer == nil && a.book.deadline == nil)
    #expect(code { _ = try a.book.confirmPairing(now: start + 3) } == .pairing)
  }

  @Test func aNoEndsItOnBothSides() throws {
    var (a, b) = try compared()
    exchange(b.book.cancelPairing(now: start), &b, &a, ("bob", "anna"), nonce: [])
    #expect(a.book.pairingPeer == nil && b.book.pairingPeer == nil)
    #expect(code { _ = try a.book.confirmPairing(now: start) } == .pairing)
    #expect(a.book.friends.isEmpty && b.book.friends.isEmpty)
  }

  @Test func aMinuteIsAll() throws {
    var (a, b) = try compared()
    #expect(a.book.deadline == start + 60)
    #expect(a.book.expire(now: start + 59) == [])
    #expect(code { _ = try a.book.confirmPairing(now: start + 60) } == .pairing)
    _ = try b.book.confirmPairing(now: start + 59)
    let late = b.book.expire(now: start + 60)
    #expect(late.contains(.pair(.cancel(.expired), to: anna)))
    #expect(late.events == [.pairingEnded(anna, .expired)])
    #expect(b.book.received(.confirm, from: b.partner("anna"), nonce: [], now: start + 61) == [])
    #expect(b.book.friends.isEmpty)
  }

  @Test func aClockThatIsSetBackEndsIt() throws {
    var (a, _) = try compared()
    #expect(a.book.expire(now: start - 1).events == [.pairingEnded(bob, .expired)])
  }

  @Test func afterAFailureThereIsAPause() throws {
    var (a, b) = try compared()
    _ = b.book.cancelPairing(now: start)
    let commit = PairingMessage.commit(Array(repeating: 0, count: 32))
    let soon = b.book.received(commit, from: b.partner("anna"), nonce: nonceB, now: start + 29)
    #expect(soon.first == .tell(.pairingRefused(anna, .paused)) || soon.contains(.pair(.cancel(.paused), to: anna)))
    #expect(b.book.pairingPeer == nil)
    let later = b.book.received(commit, from: b.partner("anna"), nonce: nonceB, now: start + 30)
    #expect(later.contains(.pair(.nonce(nonceB), to: anna)))
    // The owner's own word is not delayed.
    _ = a.book.cancelPairing(now: start)
    _ = try a.book.pair(with: a.partner("bob"), nonce: nonceA, now: start)
  }

  @Test func oneAtATime() throws {
    var (a, b) = try compared()
    let commit = PairingMessage.commit(Array(repeating: 0, count: 32))
    let other = b.book.received(commit, from: b.partner("mallory"), nonce: nonceB, now: start)
    #expect(other.contains(.pair(.cancel(.busy), to: FakeKey.id("mallory"))))
    #expect(b.book.pairingPeer?.id == anna)
    #expect(code { _ = try a.book.pair(with: a.partner("carl"), nonce: nonceA, now: start) } == .pairing)
    // Neither can another key speak for the one that pairs.
    for message in [PairingMessage.confirm, .cancel(.cancelled), .nonce(nonceA), .reveal(nonceA)] {
      #expect(b.book.received(message, from: b.partner("mallory"), nonce: [], now: start) == [])
    }
    #expect(b.book.pairingQuestion?.digits == a.digits)
  }

  @Test func theOwnersAttemptGoesBeforeAPeers() throws {
    var b = Side("bob")
    let commit = PairingMessage.commit(Array(repeating: 0, count: 32))
    _ = b.book.received(commit, from: b.partner("mallory"), nonce: nonceB, now: start)
    let begun = try b.book.pair(with: b.partner("anna"), nonce: nonceB, now: start + 1)
    #expect(begun.contains(.pair(.cancel(.busy), to: FakeKey.id("mallory"))))
    #expect(b.book.pairingPeer?.id == anna)
  }

  @Test func bothAtOnceBecomeOne() throws {
    var (a, b) = (Side("anna"), Side("bob"))
    let first = try a.book.pair(with: a.partner("bob"), nonce: nonceA, now: start)
    let second = try b.book.pair(with: b.partner("anna"), nonce: nonceB, now: start)
    let commits = (first + second).compactMap { if case .pair(let message, _) = $0 { message } else { nil } }
    // They cross: each gets the other's commitment while it is committed itself.
    let toA = a.book.received(commits[1], from: a.partner("bob"), nonce: Array(repeating: 3, count: 16), now: start)
    let toB = b.book.received(commits[0], from: b.partner("anna"), nonce: Array(repeating: 4, count: 16), now: start)
    exchange(toA, &a, &b, ("anna", "bob"), nonce: [])
    exchange(toB, &b, &a, ("bob", "anna"), nonce: [])
    #expect(a.digits != nil && a.digits == b.digits)
  }

  @Test func messagesOutOfPlaceEndIt() throws {
    for message in [PairingMessage.confirm, .reveal(nonceA)] {
      var a = Side("anna")
      _ = try a.book.pair(with: a.partner("bob"), nonce: nonceA, now: start)
      let actions = a.book.received(message, from: a.partner("bob"), nonce: [], now: start)
      #expect(actions.events == [.pairingEnded(bob, .unexpected)])
      #expect(a.book.pairingPeer == nil)
    }
    var (a, b) = try compared()
    #expect(a.book.received(.nonce(nonceB), from: a.partner("bob"), nonce: [], now: start).events.count == 1)
    _ = b.book.received(.confirm, from: b.partner("anna"), nonce: [], now: start)
    _ = b.book.received(.confirm, from: b.partner("anna"), nonce: [], now: start)
    #expect(b.book.pairingPeer == nil && b.book.friends.isEmpty)
  }

  @Test func theEndOfTheStreamIsTheEnd() throws {
    var (a, _) = try compared()
    #expect(a.book.disconnected(FakeKey.id("carl"), now: start) == [])
    #expect(a.book.disconnected(bob, now: start).events == [.pairingEnded(bob, .disconnected)])
    #expect(a.book.friends.isEmpty)
  }

  @Test func friendsPairAgainAndOthersNot() throws {
    var (a, b) = try compared()
    _ = a.book.setFleet([FleetEntry(id: bob, petname: name("bob"))], now: start)
    exchange(try a.book.confirmPairing(now: start), &a, &b, ("anna", "bob"), nonce: [])
    exchange(try b.book.confirmPairing(now: start), &b, &a, ("bob", "anna"), nonce: [])
    #expect(a.book.friends.map(\.origin) == [.fleet] && b.book.friends.count == 1)

    _ = try b.book.block(FakeKey.id("mallory"), now: start)
    let commit = PairingMessage.commit(Array(repeating: 0, count: 32))
    let refused = b.book.received(commit, from: b.partner("mallory"), nonce: nonceB, now: start)
    #expect(refused.events.count == 1 && refused.count == 1 && b.book.pairingPeer == nil)
    #expect(code { _ = try b.book.pair(with: b.partner("mallory"), nonce: nonceB, now: start) } == .blocked)
    #expect(code { _ = try b.book.pair(with: b.partner("anna"), nonce: [1], now: start) } == .range)
    let impostor = KeyedPeer.of(FakeKey.id("carl"), JID("anna@home"), key: FakeKey.spki("carl"))
    #expect(code { _ = try b.book.pair(with: impostor, nonce: nonceB, now: start) } == .changed)
  }

  @Test func blockingEndsAPairing() throws {
    var (_, b) = try compared()
    let actions = try b.book.block(anna, now: start)
    #expect(actions.contains(.terminate(anna)) && b.book.pairingPeer == nil)
  }

  @Test func messagesAreReadStrictly() throws {
    let all: [PairingMessage] =
      [.commit(Array(0..<32)), .nonce(nonceA), .reveal(nonceB), .confirm]
      + PairingFailure.allCases.map { .cancel($0) }
    for message in all { #expect(PairingMessage(message.element) == message) }
    func element(_ name: String, _ text: String, _ namespace: String = Namespace.pairing) -> Element {
      Element(name, namespace: namespace, text: text)
    }
    let short = Data(Array(0..<15)).base64EncodedString()
    #expect(PairingMessage(element("nonce", short)) == nil)
    #expect(PairingMessage(element("reveal", String(repeating: "A", count: 100_000))) == nil)
    #expect(PairingMessage(element("commit", "!")) == nil)
    #expect(PairingMessage(element("hello", "")) == nil)
    #expect(PairingMessage(element("confirm", "", "urn:other")) == nil)
    let unknown = Element("cancel", namespace: Namespace.pairing, ["reason": "weather"])
    #expect(PairingMessage(unknown) == .cancel(.cancelled))
  }
}
