import FoundationEssentials
import LinkLocal
import NIOCore
import TLS
import TestKit
import Testing
import Trust
import XMPP

@testable import Mesh

/// A route is made anew when something about its device changes, and only then.
@Suite(.timeLimit(.minutes(2))) struct RouteTests {
  private static let lo = Interface(index: 1, name: "lo")
  private let trustService: TrustService
  private let directory: Directory
  private let asked: AsyncStream<InstanceName>
  private let (anna, bob): (NodeID, NodeID)

  init() async throws {
    trustService = try TrustService.fresh()
    let (asked, ask) = AsyncStream.makeStream(of: InstanceName.self)
    self.asked = asked
    directory = Directory(trustService: trustService) { ask.yield($0) }
    anna = try Identity.generate(name: "anna").nodeID
    bob = try Identity.generate(name: "bob").nodeID
    await Gatekeeper(trustService: trustService, directory: directory).connect()
    find("lamp@phone", of: anna)
    find("tv@phone", of: anna)
    find("lamp@laptop", of: bob)
    find("plain@attic", of: nil)
  }

  private func find(_ jid: String, of id: NodeID?, port: Int = 5298, says message: String? = nil) {
    let key = Sighting.Key(instance: InstanceName(jid)!, interface: Self.lo, family: .ipv4)
    directory.received(
      .found(
        Sighting(
          key: key, endpoint: Endpoint(address: "127.0.0.1", port: port, interface: Self.lo),
          record: TXTRecord(
            port: port, node: Capabilities.node, ver: Capabilities.ofService.verification(), message: message,
            id: id?.description))), from: .link)
  }

  private func route(_ jid: String) throws -> Route { try directory.route(to: JID(jid)!) }

  private func befriend(_ id: NodeID, _ petname: String) async throws {
    await trustService.setFleet([FleetEntry(id: id, petname: try Petname(petname))])
  }

  @Test func itHoldsWhatARequestNeeds() throws {
    let route = try route("LAMP@phone")
    #expect(route.jid.text == "lamp@phone")
    #expect(route.addresses.map(\.port) == [5298] && route.hosts == ["127.0.0.1"])
    #expect(route.expectedKey == anna && route.key == .node(anna))
    #expect(route.device.standing == .stranger && route.unreachable == nil)
    #expect(try self.route("plain@attic").key == .device(JID("plain@attic")!))
    let error = #expect(throws: MeshError.self) { try self.route("nobody@nowhere") }
    #expect(error?.code == .notDiscovered)
  }

  @Test func itIsTheSameWhileNothingChanges() async throws {
    let lamp = try route("lamp@phone")
    find("lamp@phone", of: anna)
    find("lamp@laptop", of: bob, port: 5299)
    directory.answered(lamp)
    directory.learned(lamp, key: anna)
    let shown = try route("lamp@phone")
    #expect(shown !== lamp)
    directory.learned(shown, key: anna)
    directory.answered(shown)
    try await befriend(bob, "bob")
    #expect(try route("lamp@phone") === shown)
    #expect(try route("lamp@laptop").device.standing == .friend(try Petname("bob")))
  }

  @Test func itIsAnotherOnceSomethingHasChanged() async throws {
    var former = try route("lamp@phone")
    func expectNew(_ what: String, _ standing: Standing) throws {
      let route = try route("lamp@phone")
      #expect(route !== former, "\(what)")
      #expect(route.device.standing == standing, "\(what)")
      former = route
    }
    find("lamp@phone", of: anna, says: "on")
    try expectNew("another record", .stranger)
    find("lamp@phone", of: anna, port: 5299, says: "on")
    try expectNew("another port", .stranger)
    try await befriend(anna, "anna")
    try expectNew("befriended", .friend(try Petname("anna")))
    try await trustService.rename("anna", to: "bella")
    try expectNew("renamed", .friend(try Petname("bella")))
    try await trustService.block("bella")
    try expectNew("blocked", .blocked)
    try await trustService.unblock(anna.description)
    try expectNew("unblocked", .stranger)
    try await befriend(anna, "anna")
    try expectNew("befriended again", .friend(try Petname("anna")))
    await trustService.setFleet([])
    try expectNew("removed", .stranger)
    directory.dialFailed(former.jid)
    try expectNew("does not answer", .stranger)
    #expect(former.device.state == .away)
    directory.answered(former)
    try expectNew("answers again", .stranger)
    directory.learned(former, key: bob)
    try expectNew("showed another key", .mismatch(announced: anna.description, seen: bob))
    find("lamp@phone", of: bob, port: 5299, says: "on")
    try expectNew("announces another key", .stranger)
  }

  /// A node comes and goes with all of its devices; who only says that it is there, at another port, does not.
  @Test func allDevicesOfANodeAreAwayAndBackAtOnce() throws {
    find("copy@phone", of: anna, port: 6000)
    let states = { (jids: [String]) in try jids.map { try self.route($0).device.state } }
    directory.dialFailed(JID("lamp@phone")!)
    #expect(try states(["lamp@phone", "tv@phone"]) == [.away, .away])
    #expect(try states(["copy@phone", "lamp@laptop", "plain@attic"]) == [.online, .online, .online])
    directory.answered(try route("tv@phone"))
    #expect(try states(["lamp@phone", "tv@phone"]) == [.online, .online])
  }

  @Test func aPinnedDeviceIsItsOwnersWhateverItAnnounces() async throws {
    try await befriend(anna, "anna")
    await trustService.met(JID("plain@attic")!, id: anna)
    let plain = try route("plain@attic")
    #expect(plain.expectedKey == anna && plain.key == .node(anna))
    #expect(plain.device.standing == .friend(try Petname("anna")))
    await trustService.setFleet([])
    #expect(try route("plain@attic").expectedKey == nil)
  }

  /// Anyone can take a name with one packet; its friends go on by the key.
  @Test func aFriendsDeviceWhoseNameIsTakenIsReachedByItsKey() async throws {
    try await befriend(anna, "anna")
    await trustService.met(JID("lamp@phone")!, id: anna)
    find("lamp-1@phone", of: anna, port: 5300)
    for forger in [bob, nil] {
      find("lamp@phone", of: forger, port: 6666)
      let route = try route("LAMP@phone")
      #expect(route.jid.text == "lamp@phone" && route.expectedKey == anna && route.shown == nil)
      #expect(route.device.standing == .friend(try Petname("anna")))
      #expect(route.addresses.map(\.port) == [5300])
      #expect(route.key == (try self.route("lamp-1@phone")).key)
    }
    // What has shown the key comes before what says that it has it.
    find("a@phone", of: anna, port: 6667)
    directory.learned(try route("tv@phone"), key: anna)
    #expect(try route("lamp@phone").addresses.map(\.port) == [5298])
    // Its name is its own again.
    find("lamp@phone", of: anna, port: 5300)
    #expect(try route("lamp@phone").addresses.map(\.port) == [5300])
    #expect(try route("lamp@phone") === route("lamp@phone"))
  }

  @Test func whatIsOnlyAnnouncedByAnotherNameIsReachedAndWhatWasTakenBackIsNot() async throws {
    try await befriend(anna, "anna")
    for name in ["radio@phone", "tv@phone", "lamp-1@phone"] { await trustService.met(JID(name)!, id: anna) }
    find("radio-2@phone", of: anna, port: 5300)
    #expect(try route("radio@phone").addresses.map(\.port) == [5300])
    // As it was called while somebody else had its name.
    #expect(try route("lamp-1@phone").announced.text == "lamp@phone")
    let tv = Sighting.Key(instance: InstanceName("tv@phone")!, interface: Self.lo, family: .ipv4)
    directory.received(.lost(tv), from: .link)
    #expect(try route("tv@phone").device.state == .gone)
    #expect(throws: MeshError.self) { try route("nobody@phone") }
  }

  @Test func whatBecomesOfANodeTouchesItsDevicesOnly() async throws {
    var changes = directory.changes().makeAsyncIterator()
    for _ in 1...4 { _ = await changes.next() }
    let others = [try route("lamp@laptop"), try route("plain@attic")]
    try await befriend(anna, "anna")
    // A sentinel behind what was told.
    find("lamp@laptop", of: bob, says: "the end")
    var told: [String] = []
    while let device = await changes.next(), device.message == nil { told.append(device.jid.text) }
    #expect(Set(told) == ["lamp@phone", "tv@phone"])
    #expect(try route("plain@attic") === others[1])
  }

  @Test func anAnswerIsSeenWithoutAnotherRoute() async throws {
    let lamp = try route("lamp@phone")
    let before = try #require(directory.device(lamp.jid)).seen
    directory.answered(lamp)
    #expect(try #require(directory.device(lamp.jid)).seen > before)
    #expect(try route("lamp@phone") === lamp)
  }

  /// Before it is dialled the link is asked where it is.
  @Test func aDeviceIsResolvedBeforeItIsDialled() async throws {
    let lamp = try route("lamp@phone")
    async let resolved = directory.resolved(lamp)
    for await name in asked {
      #expect(name.text == "lamp@phone")
      break
    }
    find("lamp@phone", of: anna, port: 5299)
    directory.received(.resolved(InstanceName("tv@phone")!), from: .link)
    directory.received(.resolved(InstanceName("lamp@phone")!), from: .link)
    #expect(await resolved.addresses.map(\.port) == [5299])
  }

  @Test func aLinkThatDoesNotAnswerIsNotWaitedForLong() async throws {
    let lamp = try route("lamp@phone")
    let began = ContinuousClock.now
    #expect(await directory.resolved(lamp) === lamp)
    let took = ContinuousClock.now - began
    #expect(took >= MeshLimits.resolving && took < MeshLimits.resolving * 3)
  }

  @Test func devicesOfFriendsAreKeptFresh() async throws {
    try await befriend(bob, "bob")
    await trustService.met(JID("lamp@laptop")!, id: bob)
    var names = asked.makeAsyncIterator()
    #expect(await names.next()?.text == "lamp@laptop")
    // And again when it returns; whatever a stranger's does.
    for jid in ["lamp@phone", "lamp@laptop"] {
      let key = Sighting.Key(instance: InstanceName(jid)!, interface: Self.lo, family: .ipv4)
      directory.received(.lost(key), from: .link)
    }
    find("lamp@phone", of: anna)
    find("lamp@laptop", of: bob)
    #expect(await names.next()?.text == "lamp@laptop")
  }

  @Test func forgottenDevicesLeaveNoRoute() throws {
    for number in 1...LinkLocalLimits.gone + 1 {
      let jid = "lamp\(number)@flood"
      find(jid, of: nil)
      let key = Sighting.Key(instance: InstanceName(jid)!, interface: Self.lo, family: .ipv4)
      directory.received(.lost(key), from: .link)
    }
    #expect(directory.devices().count(where: { $0.state == .gone }) == LinkLocalLimits.gone)
    #expect(throws: MeshError.self) { try route("lamp1@flood") }
    #expect(try route("lamp@phone").jid.text == "lamp@phone")
  }
}
