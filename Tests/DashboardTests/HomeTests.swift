import FoundationEssentials
import HTTPTypes
import TestKit
import Testing
import Trust
import XMPP

@testable import Dashboard
@testable import Mesh

/// What is on the dashboard, and where.
struct HomeTests {
  private static func id(_ byte: UInt8) -> NodeID { NodeID(digest: Array(repeating: byte, count: 32))! }

  @Test func aNodeIsOneCardWithItsDevices() throws {
    let (pi, tv) = (Self.id(2), Self.id(3))
    let home = Home.made(
      of: [
        .made("camera@pi", .friend(try Petname("kitchen")), node: pi),
        .made("hearth@pi", .friend(try Petname("kitchen")), node: pi, http: false),
        .made("thermostat@pi", .friend(try Petname("kitchen")), node: pi),
        .made("hearth@tv", node: tv, http: false), .made("tv@tv", node: tv),
        .made("pidgin@desk", .plaintext, http: false),
        .made("hearth@laptop", .self, http: false), .made("node@laptop", .self, http: false),
        .made("notes@laptop", .self),
      ], try TrustService.fresh().current)
    let groups = NodeGroup.all(of: home).recent
    #expect(groups.map(\.kind) == [.own, .friend, .stranger, .plaintext])
    #expect(
      groups.map { $0.devices.map(\.jid.text) } == [
        ["notes@laptop", "hearth@laptop"], ["camera@pi", "thermostat@pi"], ["tv@tv"], ["pidgin@desk"],
      ])
    #expect(groups.map { $0.head?.jid.text } == ["node@laptop", "hearth@pi", "hearth@tv", nil])
    let cards = home.devices(groups).items.map(\.html)
    #expect(cards[0].contains("This computer") && cards[1].contains("<h3><bdi>kitchen</bdi>"))
    #expect(cards[2].contains("<h3><bdi>tv</bdi>") && cards[2].contains("href=\"/ask/hearth@tv\">become friends"))
    #expect(cards[3].contains("shows no key"))
    #expect(Set(cards.map { $0.components(separatedBy: "class=\"device ").count }) == [2, 3])
  }

  /// Whoever announces a friend's id shows another key than the friend's once it is asked.
  @Test func anImpostorIsNotInTheCardOfTheNodeThatItNames() throws {
    let pi = Self.id(2)
    let home = Home.made(
      of: [
        .made("camera@pi", .friend(try Petname("kitchen")), node: pi),
        .made("bank@pi", .mismatch(announced: pi.description, seen: Self.id(4)), node: pi),
      ], try TrustService.fresh().current)
    let groups = NodeGroup.all(of: home).recent
    #expect(groups.map { $0.all.map(\.jid.text) } == [["camera@pi"], ["bank@pi"]])
    let problem = try #require(home.problems.items.first?.html)
    #expect(problem.contains("\(pi)") && problem.contains("\(Self.id(4))") && problem.contains("/ask/bank@pi"))
  }

  @Test func whatNobodyHasSeenForADayIsFoldedAway() throws {
    let now = Date()
    let home = Home.made(
      of: [
        .made("old@a", node: Self.id(2), state: .gone, seen: now - 90_000),
        .made("away@b", node: Self.id(3), state: .away, seen: now - 3600),
        .made("old@c", node: Self.id(4), state: .gone, seen: now - 90_000), .made("new@c", node: Self.id(4)),
      ], nil, now: now)
    let parts = Dictionary(uniqueKeysWithValues: home.parts.map { ($0.id, $0.items.map(\.html).joined()) })
    #expect(parts["old"]?.contains("old@a") == true && parts["old"]?.contains("old@c") == true)
    #expect(parts["devices"]?.contains("away@b") == true && parts["devices"]?.contains("old@c") == false)
    #expect(parts["devices"]?.contains("new@c") == true && parts["old"]?.contains("new@c") == false)
  }

  /// What was asked, by whom, and what came of it; nothing of the query, in which people's words stand.
  @Test func theOwnerSeesWhoOpenedWhat() throws {
    let now = Date()
    func record(_ side: RequestRecord.Side, _ path: String, by caller: Caller?, status: Int?, failure: String? = nil)
      -> RequestRecord
    {
      RequestRecord(
        side, HTTPRequest(method: .get, scheme: nil, authority: nil, path: path), to: JID("camera@laptop")!, by: caller,
        status: status, failure: failure, bytes: (0, 2048), at: now, afterNanoseconds: 35_000_000)
    }
    let anna = Caller(
      identity: PeerIdentity(address: JID("x@den"), proof: .none), standing: .friend(try Petname("anna")))
    let service = NodeStatus.Served(
      name: "camera", wanted: nil, jid: JID("camera@laptop"), target: "/srv",
      policy: try AccessPolicy(access: .friends),
      problem: nil, health: HealthReport(.ok, since: .now))
    var home = Home.made(of: [], try TrustService.fresh().current, services: [service], now: now)
    #expect(home.recentPart.items.isEmpty && !home.services.items[0].html.contains("last asked"))
    home.requests = [
      record(.served, "/still.jpg?key=secret", by: anna, status: 200),
      record(.sent, "/<b>", by: nil, status: nil, failure: "connectionLost"),
    ]
    let items = home.recentPart.items.map(\.html)
    #expect(items.count == 2 && Set(home.recentPart.items.map(\.id)).count == 2)
    #expect(items[0].contains("<bdi>anna</bdi>") && items[0].contains("GET /still.jpg</bdi>"))
    #expect(items[0].contains("200 · 2.0 KiB · 35 ms") && !items[0].contains("secret"))
    #expect(items[1].contains("This computer") && items[1].contains("GET /&lt;b&gt;"))
    #expect(items[1].contains("came to nothing (connectionLost)"))
    #expect(home.services.items[0].html.contains("last asked by <bdi>anna</bdi>"))
    home.requests = Array(repeating: home.requests[0], count: DashboardLimits.requests + 5)
    #expect(home.recentPart.items.count == DashboardLimits.requests)
    home.book = nil
    #expect(!home.parts.contains { $0.id == "recent" })
  }

  @Test func onlyTheOwnerSeesPeopleAndTargets() throws {
    let service = NodeStatus.Served(
      name: "notes", wanted: nil, jid: JID("notes@laptop"), target: "/home/anna/notes",
      policy: try AccessPolicy(access: .names([Petname("bob")])), problem: nil, health: HealthReport(.ok, since: .now))
    func text(_ book: FriendBook?) -> String {
      Home.made(of: [.made("x@pi", .friend(try! Petname("bob")))], book, services: [service]).parts.flatMap(\.items)
        .map(\.html).joined()
    }
    let others = text(nil)
    #expect(!others.contains("/home/anna") && !others.contains("bob") && others.contains("some friends"))
    let owner = text(try TrustService.fresh().current)
    #expect(owner.contains("/home/anna") && owner.contains("for bob") && owner.contains("hearth.toml"))
  }

  @Test func everyElementHasAnIdOfItsOwn() async throws {
    let trustService = try TrustService.fresh()
    await trustService.setFleet([FleetEntry(id: Self.id(5), petname: try Petname("fleet"))])
    try await trustService.block(Self.id(6).description)
    await trustService.received(.subscribe(FriendRequest()), from: .of(Self.id(7), JID("a@b"), from: "x"))
    var home = Home.made(
      of: [.made("a@b", node: Self.id(7)), .made("A b@c"), .made("hearth@laptop", .self)], trustService.current)
    home.stoppable = ["x"]
    let html = try await ProblemTests.text(of: DashboardPage(home: home).response())
    let ids = html.matches(of: #/ id="([^"]+)"/#).map { String($0.1) }
    #expect(ids.count > 20 && Set(ids).count == ids.count)
  }

  @Test func anOpenPageIsToldOnlyWhatIsNew() {
    var changes = PageChanges()
    func part(_ items: (String, String)...) -> PagePart {
      PagePart(id: "devices", items: items.map { PagePart.Item($0.0, $0.1) })
    }
    let first = changes.events(to: [part(("a", "1"), ("b", "2\n</script>"))]) ?? ""
    #expect(first.hasPrefix("event: part\ndata: {\"items\":{\"a\":\"<li id=\\\"a\\\">1</li>\""))
    // One line, whatever is in it.
    #expect(first.hasSuffix("\n\n") && first.dropLast(2).split(separator: "\n").count == 2)
    let same = changes.events(to: [part(("a", "1"), ("b", "2\n</script>"))])
    let second = changes.events(to: [part(("c", "3"), ("a", "1"))])
    #expect(same == nil)
    #expect(
      second
        == "event: part\ndata: {\"items\":{\"c\":\"<li id=\\\"c\\\">3</li>\"},\"order\":[\"c\",\"a\"],\"part\":\"devices\"}\n\n"
    )
  }

  @Test func listenersOfOthersTakeNoneOfTheOwners() {
    let listeners = Listeners()
    var held = (0..<DashboardLimits.listeners).map { _ in listeners.add(isOwner: false) }
    #expect(held.allSatisfy { $0 != nil })
    #expect(listeners.add(isOwner: false) == nil && listeners.add(isOwner: true) != nil)
    held.removeLast()
    #expect(listeners.add(isOwner: false) != nil)
  }
}
