import NIOCore
import NIOPosix
import Testing
import XML
import XMPP

@testable import Account

@Suite struct StreamManagementTests {
  private func stanza(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

  @Test func oneQuestionIsUnderWayWhileAnythingIsUnacknowledged() throws {
    var books = StreamManagement(id: "1")
    var asks = [books.sent(stanza("a")), books.sent(stanza("bc"))]
    #expect(asks == [true, false] && books.bytes == 3)
    asks = [try books.acknowledge(1)]
    #expect(asks == [true] && books.bytes == 2)
    asks = [try books.acknowledge(2)]
    #expect(asks == [false] && books.count == 0 && books.bytes == 0)
    asks = [books.sent(stanza("d"))]
    #expect(asks == [true])
  }

  @Test func whatIsNotAcknowledgedIsSentAgainInItsOrder() throws {
    var books = StreamManagement(id: "1")
    for text in ["a", "b", "c"] { _ = books.sent(stanza(text)) }
    let again = [try books.resumed(1), try books.resumed(1), try books.resumed(3)]
    #expect(again == [[stanza("b"), stanza("c")], [stanza("b"), stanza("c")], []])
  }

  @Test func countsGoRoundAtTwoToThe32() throws {
    var books = StreamManagement(id: nil, acknowledged: .max - 1, received: .max)
    for text in ["a", "b", "c"] { _ = books.sent(stanza(text)) }
    let more = [try books.acknowledge(.max), try books.acknowledge(0), try books.acknowledge(1)]
    #expect(more == [true, true, false])
    books.handledOne()
    #expect(books.handled == 0)
  }

  @Test(arguments: [2, 3, UInt32.max])
  func whatWasNeverSentIsNotAcknowledged(_ count: UInt32) {
    var books = StreamManagement(id: "1")
    _ = books.sent(stanza("a"))
    #expect(throws: StreamManagement.Violation.acknowledgedTooMuch) { try books.acknowledge(count) }
    #expect(throws: StreamManagement.Violation.acknowledgedTooMuch) { try books.resumed(count) }
  }

  @Test func withoutAnIdNothingIsResumed() {
    #expect(StreamManagement(id: nil).resumption == nil)
    var books = StreamManagement(id: "x")
    books.handledOne()
    #expect(books.resumption == StreamManagement.Resumption(id: "x", handled: 1))
  }
}

@Suite struct BackoffTests {
  @Test func pausesDoubleUpToFiveMinutes() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<100 {
      var backoff = Backoff()
      var longest = Duration.seconds(1)
      for _ in 0..<12 {
        let pause = backoff.next(using: &generator)
        #expect(pause >= longest / 2 && pause <= longest)
        longest = min(longest * 2, .seconds(300))
      }
      backoff.succeeded()
      #expect(backoff.next(using: &generator) <= .seconds(1))
    }
  }
}

@Suite struct KeepAliveTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func aSilentServerIsAskedAndThenGivenUp() {
    var life = KeepAlive(now: start)
    #expect(life.look(now: start + .seconds(59)) == .fine)
    #expect(life.look(now: start + .seconds(60)) == .ask)
    life.expectsAnswer(now: start + .seconds(60))
    #expect(life.look(now: start + .seconds(79)) == .fine)
    // Further questions do not move the end.
    life.expectsAnswer(now: start + .seconds(79))
    #expect(life.look(now: start + .seconds(80)) == .dead)
    life.received(now: start + .seconds(80))
    #expect(life.look(now: start + .seconds(80)) == .fine)
    #expect(life.look(now: start + .seconds(140)) == .ask)
  }
}

@Suite struct ServiceRecordTests {
  private func record(_ priority: UInt16, _ weight: UInt16, _ host: String) -> ServiceRecord {
    ServiceRecord(priority: priority, weight: weight, target: ServerTarget(.init(host: host, port: 5222), .startTLS))
  }

  private func order(_ records: [ServiceRecord]) -> [String]? {
    var generator = SystemRandomNumberGenerator()
    return ServiceRecord.ordered(records, using: &generator)?.map(\.server.host)
  }

  @Test func lowerPrioritiesComeFirst() {
    #expect(order([record(20, 9, "c"), record(0, 0, "a"), record(10, 0, "b")]) == ["a", "b", "c"])
    #expect(order([]) == [])
  }

  @Test func weightsAreChances() {
    var first = 0
    for _ in 0..<2000 {
      let hosts = order([record(0, 0, "z"), record(0, 10, "b"), record(0, 90, "a")])
      #expect(hosts.map(Set.init) == ["a", "b", "z"])
      if hosts?.first == "a" { first += 1 }
    }
    // 1782 are expected, give or take 14.
    #expect((1600...1950).contains(first))
  }

  @Test func theRootSaysThatThereIsNone() {
    #expect(order([record(0, 0, "")]) == nil)
    #expect(order([record(0, 0, ""), record(1, 0, "a")]) == ["a"])
  }

  /// One SRV record, with the name of its owner compressed as servers do.
  @Test func answersOfTheDNSAreRead() {
    let labels = ["_xmpp-client", "_tcp", "example", "org"]
    let owner: [UInt8] = labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    let target: [UInt8] = [4] + Array("chat".utf8) + [0xC0, 12 + 18]
    let header: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
    let data: [UInt8] = [0, 5, 0, 7, 0x14, 0x66] + target
    let message =
      header + owner + [0, 33, 0, 1] + [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
    #expect(
      ServerResolver.parse(message)
        == .records([.init(priority: 5, weight: 7, port: 5222, host: "chat.example.org")]))
    #expect(ServerResolver.parse(Array(message.dropLast(3))) == nil)
    #expect(ServerResolver.parse([1, 2, 3]) == nil)
  }

  @Test func theConfigurationComesBeforeTheDNS() async throws {
    let jid = try #require(JID("pi@example.org"))
    var resolver = ServerResolver(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    resolver.ask = { name in
      switch name {
      case "_xmpps-client._tcp.example.org.": .records([.init(priority: 1, weight: 0, port: 443, host: "b")])
      case "_xmpp-client._tcp.example.org.": .records([.init(priority: 0, weight: 0, port: 5222, host: "a")])
      default: .none
      }
    }
    var configuration = AccountConfiguration(address: jid, password: "x", resource: "hearth.x")
    #expect(
      try await resolver.targets(for: configuration) == [
        ServerTarget(.init(host: "a", port: 5222), .startTLS), ServerTarget(.init(host: "b", port: 443), .direct),
      ])
    configuration.server = .init(host: "c", port: 5223)
    configuration.security = .direct
    #expect(try await resolver.targets(for: configuration) == [ServerTarget(.init(host: "c", port: 5223), .direct)])
    resolver.ask = { _ in .failure }
    configuration.server = nil
    configuration.security = nil
    #expect(
      try await resolver.targets(for: configuration) == [
        ServerTarget(.init(host: "example.org", port: 5222), .startTLS)
      ])
  }
}

@Suite struct SenderTests {
  @Test func anAnswerIsOfTheOneWhoWasAsked() throws {
    let account = try #require(JID("pi@example.org/hearth.x"))
    let sender = Sender(account: account)
    let (bare, server) = (account.bare, try #require(JID("example.org")))
    #expect(sender.canonical(nil) == bare && sender.canonical(account) == bare && sender.canonical(bare) == bare)
    for stranger in ["pi@example.org/other", "example.org", "eve@example.org", "example.org/x"] {
      #expect(!sender.isAccount(JID(stranger)), "\(stranger)")
    }
    #expect(sender.isServer(server) && sender.isServer(nil) && sender.isServer(bare))
    #expect(!sender.isServer(JID("eve@example.org")))
  }
}

@Suite struct ContactsTests {
  private let anna = JID("anna@example.net")!
  private let eve = JID("eve@example.net")!

  private func roster(_ items: String...) -> Element {
    Element(
      "query", namespace: Namespace.roster, [:],
      items.map {
        let parts = $0.split(separator: " ").map(String.init)
        return Element("item", namespace: Namespace.roster, ["jid": parts[0], "subscription": parts[1]])
      })
  }

  private typealias Action = Contacts.Action

  @Test func othersWaitForTheOwnersWord() {
    let (bob, carl) = (JID("bob@example.net")!, JID("carl@example.net")!)
    var contacts = Contacts(wanted: [])
    _ = contacts.loaded(nil)
    for contact in [carl, bob] { #expect(contacts.received("subscribe", from: contact).isEmpty) }
    #expect(contacts.asking == [bob, carl] && !contacts.isMutual(bob))
    #expect(contacts.answer(bob, accepting: true) == [Action("subscribed", bob), Action("subscribe", bob)])
    #expect(contacts.answer(carl, accepting: false) == [Action("unsubscribed", carl)])
    #expect(contacts.asking.isEmpty && contacts.answer(bob, accepting: true).isEmpty)
    // Only what the server's roster says both ways makes a contact.
    func push(_ subscription: String) {
      let item = Element("item", namespace: Namespace.roster, ["jid": bob.text, "subscription": subscription])
      contacts.pushed(Element("query", namespace: Namespace.roster, [:], [item]))
    }
    for (subscription, isMutual) in [("to", false), ("both", true), ("from", false), ("both", true), ("remove", false)]
    {
      push(subscription)
      #expect(contacts.isMutual(JID("Bob@example.net/phone")!) == isMutual, "\(subscription)")
    }
  }

  /// Those who are in the roster for their nodes alone get no rights of contacts, as friends or later.
  @Test func friendsNodesAreNoContacts() {
    var contacts = Contacts(wanted: [anna])
    func item(_ group: String?) -> Element {
      Element(
        "item", namespace: Namespace.roster, ["jid": anna.text, "subscription": "both"],
        group.map { [Element("group", namespace: Namespace.roster, text: $0)] } ?? [])
    }
    _ = contacts.loaded(Element("query", namespace: Namespace.roster, [:], [item(Contacts.group)]))
    #expect(!contacts.isMutual(anna))
    _ = contacts.follow([])
    #expect(!contacts.isMutual(anna))
    contacts.pushed(Element("query", namespace: Namespace.roster, [:], [item("People")]))
    #expect(contacts.isMutual(anna))
  }

  @Test func aGiantRosterIsBounded() {
    var contacts = Contacts(wanted: [])
    let items = (0..<3 * AccountLimits.contacts).map { index in
      Element("item", namespace: Namespace.roster, ["jid": "u\(index)@example.net", "subscription": "both"])
    }
    _ = contacts.loaded(Element("query", namespace: Namespace.roster, [:], items))
    #expect(contacts.contacts.count == AccountLimits.contacts)
    for index in 0..<1000 { _ = contacts.received("subscribe", from: JID("v\(index)@example.net")!) }
    #expect(contacts.asking.count <= 256)
  }

  @Test func whoIsWantedIsAskedOnce() {
    var contacts = Contacts(wanted: [anna])
    let actions = [
      contacts.loaded(roster("eve@example.net none")), contacts.follow([anna]),
      contacts.received("unsubscribed", from: anna),
      contacts.received("subscribe", from: anna),
    ]
    #expect(
      actions == [[Action("subscribe", anna), Action("list", anna)], [], [], [Action("subscribed", anna)]])
  }

  /// It was there before, and is not for us to end.
  @Test func whoIsThereAlreadyIsNotAskedAgain() {
    var contacts = Contacts(wanted: [anna])
    let actions = contacts.loaded(roster("anna@example.net both")) + contacts.follow([])
    #expect(actions.isEmpty)
  }

  @Test func othersAreNotAccepted() {
    var contacts = Contacts(wanted: [anna])
    _ = contacts.loaded(nil)
    var actions = contacts.received("subscribe", from: eve)
    for number in 0..<10_000 { actions += contacts.received("subscribe", from: JID("x\(number)@example.net")!) }
    #expect(actions.isEmpty)
    // Unless they become friends.
    actions = contacts.follow([anna, eve])
    #expect(actions == [Action("subscribe", eve), Action("list", eve), Action("subscribed", eve)])
    actions = contacts.follow([anna])
    #expect(actions == [Action("unsubscribe", eve), Action("unsubscribed", eve)])
  }

  @Test func nothingIsSaidBeforeTheRosterIsKnown() {
    var contacts = Contacts(wanted: [])
    let actions = [contacts.follow([anna]), contacts.received("subscribe", from: anna), contacts.loaded(nil)]
    #expect(
      actions == [[], [], [Action("subscribe", anna), Action("list", anna), Action("subscribed", anna)]])
  }
}
