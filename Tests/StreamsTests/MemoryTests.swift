import Bytestreams
import HTTPTypes
import HTTPX
import NIOCore
import TestKit
import Testing
import Trust

@testable import Streams

/// What peers make this node hold has a bound in all, and who holds most gives back first.
@Suite(.timeLimit(.minutes(5))) struct MemoryTests {
  // MARK: The ledger

  private static func holder(_ name: String, isKnown: Bool = false) -> MemoryLedger.Holder {
    MemoryLedger.Holder(.of(nil, from: name), isKnown: isKnown)
  }

  /// 1,600 for all and 400 for strangers: they are asked from 1,500 and 375 on.
  @Test func strangersTogetherHaveAQuarter() {
    var ledger = MemoryLedger(limit: 1600)
    let strangers = (0..<4).map { ledger.open(Self.holder("\($0)")) }
    let friend = ledger.open(Self.holder("friend", isKnown: true))
    ledger.set(1100, of: friend)
    for stranger in strangers { ledger.set(90, of: stranger) }
    #expect(ledger.debtor() == nil && ledger.all == 1460 && ledger.strangers == 360)
    ledger.set(120, of: strangers[2])
    #expect(ledger.debtor() == strangers[2])
    #expect(!ledger.isFull(strangers[2]), "others may still bring what is on its way")
    ledger.set(140, of: strangers[2])
    #expect(ledger.isFull(strangers[0]) && !ledger.isFull(friend))
    for number in strangers + [friend] { ledger.close(number) }
    #expect(ledger.all == 0 && ledger.strangers == 0 && ledger.count == 0)
  }

  /// Many streams get a peer no more than one does; of them the largest is asked.
  @Test func thePeerThatHoldsMostIsAsked() {
    var ledger = MemoryLedger(limit: 1600)
    let many = (0..<10).map { _ in ledger.open(Self.holder("many")) }
    for (number, account) in many.enumerated() { ledger.set(20 + number, of: account) }
    let one = ledger.open(Self.holder("one"))
    ledger.set(150, of: one)
    #expect(ledger.debtor() == many[9])
    // Who cannot give back is asked once, and then the next.
    ledger.asked(many[9])
    #expect(ledger.debtor() == many[8])
    for account in many { ledger.asked(account) }
    #expect(ledger.debtor() == one)
    ledger.asked(one)
    #expect(ledger.debtor() == nil)
    ledger.set(151, of: one)
    #expect(ledger.debtor() == one)
  }

  /// Also where a friend is the larger one: a stranger's bytes go first, and a friend is asked for what friends hold too much.
  @Test func noFriendGivesBackForAStranger() {
    var ledger = MemoryLedger(limit: 1600)
    let (friend, other) = (
      ledger.open(Self.holder("friend", isKnown: true)), ledger.open(Self.holder("other", isKnown: true))
    )
    let stranger = ledger.open(Self.holder("stranger"))
    ledger.set(1190, of: friend)
    ledger.set(370, of: stranger)
    #expect(ledger.debtor() == stranger)
    ledger.asked(stranger)
    #expect(ledger.debtor() == nil, "what strangers hold is within their share, and friends are within theirs")
    ledger.set(0, of: stranger)
    ledger.set(1400, of: friend)
    ledger.set(90, of: other)
    #expect(ledger.debtor() == nil)
    ledger.set(110, of: other)
    #expect(ledger.debtor() == friend)
  }

  /// The same address with a key is somebody else, and so is a friend.
  @Test func aPeerIsItsKey() throws {
    let key = try #require(NodeID(digest: Array(repeating: 7, count: 32)))
    let holder = MemoryLedger.Holder(.of(key, from: "a"), isKnown: false)
    #expect(holder == MemoryLedger.Holder(.of(key, from: "b"), isKnown: false))
    #expect(holder != MemoryLedger.Holder(.of(key, from: "a"), isKnown: true))
    #expect(holder != Self.holder("a"))
  }

  // MARK: The account

  /// A stream that answers small requests never takes the lock that all share.
  @Test func littleIsNotCounted() {
    let budget = MemoryBudget(limit: 64 << 20)
    let account = MemoryAccount(budget)
    account.open(Self.holder("a")) {}
    account.requests = Limits.memoryStep - 1
    #expect(budget.held.all == 0)
    account.unread = 1
    #expect(budget.held == (Limits.memoryStep, Limits.memoryStep))
    account.unread = 0
    #expect(budget.held.all == 0 && account.held == Limits.memoryStep - 1)
  }

  @Test func anAccountThatIsGoneHoldsNothing() {
    let budget = MemoryBudget(limit: 64 << 20)
    do {
      let account = MemoryAccount(budget)
      account.unsent = 1 << 20
      #expect(budget.held.all == 0, "nobody is known yet")
      account.open(Self.holder("a")) {}
      #expect(budget.held.all == 1 << 20)
    }
    #expect(budget.held.all == 0)
  }

  // MARK: Plays

  /// Reads nothing before it is told to.
  private static func gated(_ gate: AsyncStream<Void>) -> StreamHost.Answer {
    { incoming, send in
      if incoming.request.head.path == "/hangs" { for await _ in gate {} }
      try await StreamHost.echo(incoming, send)
    }
  }

  /// What he sent last is refused, with the condition, and the row of chunks is closed.
  @Test func theLargestBodyIsRefused() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let memory = MemoryBudget(limit: 16 << 20)
    try await Performance.run(on: .sockets, host: .juliet(memory: memory, answer: Self.gated(gate))) { performance in
      let romeo = try #require(try await performance.connect() as? ScriptedPeer)
      try await romeo.greet()
      // 1.2 MiB, 1.8 MiB; and 0.9 MiB more, where 3.75 MiB are too much.
      try await romeo.sendsUpload(sid: "small", path: "/hangs", blockSize: 65535)
      try await romeo.sendsUpload(sid: "large", path: "/hangs", blockSize: 65535)
      try await romeo.sendsUpload(sid: "last", path: "/hangs", blockSize: 65535)
      for seq in 0..<20 { try await romeo.sendsBlock(seq, sid: "small", size: 60_000) }
      for seq in 0..<30 { try await romeo.sendsBlock(seq, sid: "large", size: 60_000) }
      try await romeo.pings("p1")
      #expect(
        memory.held.strangers == 50 * (60_000 + BytestreamLimits.partOverhead + 3) / Limits.memoryStep
          * Limits.memoryStep)
      for seq in 0..<18 { try await romeo.sendsBlock(seq, sid: "last", size: 60_000) }
      try await romeo.transcript.expect("type='error' id='b0'><error type='wait'><resource-constraint")
      try await romeo.transcript.expect("<close xmlns='http://jabber.org/protocol/ibb' sid='large'/>")
      // Others have their small requests answered, and he too.
      try await Scenario("").play(in: performance)
      try await romeo.pings("p2")
      #expect(memory.held.all < 4 << 20)
      opened.finish()
      try await romeo.hangUp()
      try await performance.first().idle()
      #expect(memory.held == (0, 0))
    }
  }

  /// Without room a bytestream is opened when somebody reads it, so that nothing is sent before.
  @Test func whereMemoryIsScarceABodyWaitsForItsReader() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let memory = MemoryBudget(limit: 16 << 20)
    try await Performance.run(on: .memory, host: .juliet(memory: memory, answer: Self.gated(gate))) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.sendsUpload(sid: "a", path: "/hangs", blockSize: 65535)
      for seq in 0..<55 { try await romeo.sendsBlock(seq, sid: "a", size: 60_000) }
      // Nobody reads this one, nor does one come in time.
      try await romeo.send(Self.upload("b", "/hangs"))
      try await romeo.pings("p1")
      #expect(!romeo.transcript.rest.contains("id='o-b'"))
      try await performance.pass(Timeouts.room + Timeouts.shortest)
      try await romeo.transcript.expect("type='error' id='o-b'><error type='wait'><resource-constraint")
      // This one is read at once.
      try await romeo.send(Self.upload("c", "/"))
      try await romeo.transcript.expect("type='result' id='o-c'")
      opened.finish()
    }
  }

  private static func upload(_ sid: String, _ path: String) -> String {
    "<iq type='set' id='r-\(sid)'><req xmlns='urn:xmpp:http' method='PUT' resource='\(path)' version='1.1'>"
      + "<data><ibb sid='\(sid)'/></data></req></iq>"
      + "<iq type='set' id='o-\(sid)'><open xmlns='http://jabber.org/protocol/ibb' sid='\(sid)' block-size='4096'/></iq>"
  }

  /// Requests whose bodies are in their stanzas count as well.
  @Test func requestsThatAreAnsweredAreCounted() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let memory = MemoryBudget(limit: 16 << 20)
    try await Performance.run(on: .sockets, host: .juliet(memory: memory, answer: Self.gated(gate))) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let body = String(repeating: "a", count: 200_000)
      for id in 1...30 {
        try await romeo.send(
          "<iq type='set' id='r\(id)'><req xmlns='urn:xmpp:http' method='PUT' resource='/hangs' version='1.1'>"
            + "<data><text>\(body)</text></data></req></iq>")
      }
      try await romeo.transcript.expect("type='error' id='r30'><error type='wait'><resource-constraint")
      #expect(memory.held.strangers <= 4 << 20)
      try await Scenario("").play(in: performance)
      opened.finish()
      try await romeo.transcript.expect("statusCode='200'")
      try await performance.first().idle()
      #expect(memory.held == (0, 0))
    }
  }
}
