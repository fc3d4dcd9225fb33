import FoundationEssentials
import Testing
import Trust
import XMPP

private let nonceA = Array(repeating: UInt8(1), count: 16)
private let nonceB = Array(repeating: UInt8(2), count: 16)

/// Somebody between two nodes, with a TLS session and a key of its own to each.
@Suite struct ManInTheMiddleTests {
  private let computing = PairingDigits(sha256: { SHA256.digest($0) }, count: 2)

  private func digits(_ actions: [TrustAction]) -> String? {
    for case .compare(let digits, _) in actions { return digits }
    return nil
  }

  private func messages(_ actions: [TrustAction]) -> [PairingMessage] {
    actions.compactMap { if case .pair(let message, _) = $0 { message } else { nil } }
  }

  private func nonce(in actions: [TrustAction]) -> [UInt8]? {
    for message in messages(actions) {
      if case .nonce(let nonce) = message { return nonce }
      if case .reveal(let nonce) = message { return nonce }
    }
    return nil
  }

  @Test func theCommitmentBindsBeforeTheNonceIsKnown() throws {
    // Mallory begins with Bob, learns his nonce, and then would like another one of her own.
    var bob = Side("bob", digits: 2)
    let key = FakeKey.spki("mallory")
    let committed = Array(repeating: UInt8(5), count: 16)
    let commitment = computing.commitment(nonceA: committed, keyA: key, keyB: bob.key)
    let answer = bob.book.received(
      .commit(commitment), from: bob.partner("mallory"), nonce: nonceB, now: start)
    let theirs = try #require(nonce(in: answer))
    #expect(digits(answer) == nil, "nothing is shown before the nonce is revealed")
    let wanted = "42"
    let better = try #require(
      (0...UInt8.max).lazy.map { Array(repeating: $0, count: 16) }.first {
        computing.digits(nonceA: $0, nonceB: theirs, keyA: key, keyB: bob.key) == wanted
      })
    let actions = bob.book.received(.reveal(better), from: bob.partner("mallory"), nonce: [], now: start)
    #expect(actions.events == [.pairingEnded(FakeKey.id("mallory"), .commitment)])
    #expect(digits(actions) == nil && messages(actions) == [.cancel(.commitment)])
    #expect(bob.book.pairingPeer == nil)
  }

  @Test func theInitiatorRevealsNothingBeforeTheResponderIsBound() throws {
    var anna = Side("anna", digits: 2)
    let begun = try anna.book.pair(with: anna.partner("mallory"), nonce: nonceA, now: start)
    let bytes = messages(begun).map { "\($0.element)" }.joined()
    #expect(nonce(in: begun) == nil && !bytes.contains(Data(nonceA).base64EncodedString()))
    _ = anna.book.received(.nonce(nonceB), from: anna.partner("mallory"), nonce: [], now: start)
    // A second thought comes too late.
    let again = anna.book.received(.nonce(nonceA), from: anna.partner("mallory"), nonce: [], now: start)
    #expect(again.events == [.pairingEnded(FakeKey.id("mallory"), .unexpected)])
  }

  /// What Mallory can do between an initiator and a responder: which side she finishes first, and whether she looks
  /// for a nonce that would fit if it were hers to choose.
  private enum Strategy: CaseIterable { case relay, initiatorFirst, responderFirst }

  private func attack(_ strategy: Strategy, _ random: inout Seeded) throws -> Bool {
    var (a, b) = (Side("anna", digits: 2), Side("bob", digits: 2))
    let key = FakeKey.spki("mallory")
    let toMallory = (a: a.partner("mallory"), b: b.partner("mallory"))
    let nonces = (a: random.bytes(16), b: random.bytes(16), own: random.bytes(16))
    _ = try a.book.pair(with: toMallory.a, nonce: nonces.a, now: start)
    func commit(_ own: [UInt8]) -> PairingMessage {
      .commit(computing.commitment(nonceA: own, keyA: key, keyB: b.key))
    }
    func finishA(_ own: [UInt8]) -> (digits: String?, nonce: [UInt8]?) {
      let actions = a.book.received(.nonce(own), from: toMallory.a, nonce: [], now: start)
      return (digits(actions), nonce(in: actions))
    }
    func beginB(_ own: [UInt8]) -> [UInt8]? {
      nonce(in: b.book.received(commit(own), from: toMallory.b, nonce: nonces.b, now: start))
    }
    func finishB(_ own: [UInt8]) -> String? {
      digits(b.book.received(.reveal(own), from: toMallory.b, nonce: [], now: start))
    }
    switch strategy {
    case .relay:
      // Bob's nonce is handed on to Anna as it is.
      let theirs = try #require(beginB(nonces.own))
      return finishA(theirs).digits == finishB(nonces.own)
    case .initiatorFirst:
      // Anna's digits are known; the commitment to Bob is still free, his nonce is not known yet.
      let shown = finishA(nonces.own).digits
      let own = random.bytes(16)
      _ = try #require(beginB(own))
      return finishB(own) == shown
    case .responderFirst:
      // Bob's digits are known before Anna gets a nonce; hers is known by its hash only.
      let theirs = try #require(beginB(nonces.own))
      let shown = finishB(nonces.own)
      let chosen = SHA256.digest(theirs + nonces.own).prefix(16)
      return finishA(Array(chosen)).digits == shown
    }
  }

  @Test(arguments: 0..<3) func oneGuessAnAttempt(index: Int) throws {
    let strategy = Strategy.allCases[index]
    var random = Seeded(state: UInt64(index) + 100)
    let attempts = 3000
    var hits = 0
    for _ in 0..<attempts where try attack(strategy, &random) { hits += 1 }
    // Two digits: 1 in 100, so 30 of 3,000; the standard deviation is 5.5. Six digits are 1 in 10⁶ by the same count.
    #expect((10...52).contains(hits), "\(hits) of \(attempts)")
  }

  @Test func withoutTheCommitmentEveryAttackSucceeds() throws {
    // The control: were Mallory free to choose her nonce after she saw Bob's, a few hundred tries would always do.
    var random = Seeded(state: 5)
    let key = FakeKey.spki("mallory")
    for _ in 0..<50 {
      let (wanted, theirs) = ("37", random.bytes(16))
      let found = (0..<5000).contains { _ in
        computing.digits(nonceA: random.bytes(16), nonceB: theirs, keyA: key, keyB: FakeKey.spki("bob")) == wanted
      }
      #expect(found)
    }
  }

  @Test func sixDigitsAreEvenlySpread() {
    let six = PairingDigits(sha256: { SHA256.digest($0) })
    var (random, seen) = (Seeded(state: 9), [Character: Int]())
    for _ in 0..<2000 {
      let text = six.digits(nonceA: random.bytes(16), nonceB: random.bytes(16), keyA: [1], keyB: [2])
      #expect(text.utf8.count == 6)
      for digit in text { seen[digit, default: 0] += 1 }
    }
    #expect(seen.count == 10 && seen.values.allSatisfy { (1050...1350).contains($0) })
  }
}
