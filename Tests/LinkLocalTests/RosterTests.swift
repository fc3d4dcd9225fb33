import FoundationEssentials
import LinkLocal
import Testing
import XMPP

private let eth0 = Interface(index: 2, name: "eth0")
private let wlan0 = Interface(index: 3, name: "wlan0")
private let start = Date(timeIntervalSince1970: 1000)

private func key(
  _ instance: String = "tv@pi", _ interface: Interface = eth0, _ family: Sighting.Family = .ipv4
) -> Sighting.Key {
  Sighting.Key(instance: JID(instance)!, interface: interface, family: family)
}

private func found(_ key: Sighting.Key, _ address: String = "10.0.0.2", port: Int = 5298, nick: String = "TV")
  -> DiscoveryEvent
{
  .found(
    Sighting(
      key: key, endpoint: Endpoint(address: address, port: port, interface: key.interface),
      record: TXTRecord(["nick": nick])))
}

@Suite struct RosterTests {
  private let tv = JID("tv@pi")!
  private let here = JID("node@laptop")!

  @Test func interfacesAndFamiliesAreOneDevice() throws {
    var roster = Roster()
    let first = roster.received(found(key()), now: start)
    #expect(first.map(\.state) == [.online])
    _ = roster.received(found(key("tv@pi", wlan0), "10.1.0.2"), now: start)
    _ = roster.received(found(key("TV@Pi", eth0, .ipv6), "fe80::1"), now: start)
    #expect(roster.entries.count == 1)
    let endpoints = try #require(roster[tv]?.endpoints)
    #expect(endpoints.map(\.address) == ["10.0.0.2", "fe80::1", "10.1.0.2"])
    #expect(endpoints.map(\.interface) == [eth0, eth0, wlan0])
  }

  @Test func theSameAddressIsListedOnce() {
    var roster = Roster()
    _ = roster.received(found(key(), "fe80::1"), now: start)
    #expect(roster.received(found(key("tv@pi", eth0, .ipv6), "fe80::1"), now: start).isEmpty)
    #expect(roster[tv]?.endpoints.count == 1)
  }

  @Test func changesAreToldAndRepetitionsAreNot() {
    var roster = Roster()
    _ = roster.received(found(key()), now: start)
    #expect(roster.received(found(key()), now: start + 1).isEmpty)
    #expect(roster[tv]?.seen == start + 1)
    #expect(roster.received(found(key(), nick: "Telly"), now: start + 2).map(\.record.nick) == ["Telly"])
    #expect(roster.received(found(key(), "10.0.0.9"), now: start + 3).map(\.endpoints.first?.address) == ["10.0.0.9"])
  }

  @Test func goneWhenNoInterfaceListsIt() {
    var roster = Roster()
    _ = roster.received(found(key()), now: start)
    _ = roster.received(found(key("tv@pi", wlan0)), now: start)
    #expect(roster.received(.lost(key()), now: start + 5).map(\.state) == [.online])
    #expect(roster.received(.lost(key("tv@pi", wlan0)), now: start + 6).map(\.state) == [.gone])
    #expect(roster[tv]?.endpoints == [])
    #expect(roster[tv]?.record.nick == "TV")
    #expect(roster[tv]?.seen == start + 6)
    #expect(roster.received(.lost(key()), now: start + 7).isEmpty)
    #expect(roster.received(found(key()), now: start + 8).map(\.state) == [.online])
  }

  @Test func awayWhenNobodyAnswersOnAnyInterface() {
    var roster = Roster()
    _ = roster.received(found(key()), now: start)
    _ = roster.received(found(key("tv@pi", wlan0), "10.1.0.2"), now: start)
    let half = roster.received(.unanswered(key()), now: start + 1)
    #expect(half.map(\.state) == [.online])
    #expect(half.first?.endpoints.map(\.address) == ["10.1.0.2"])
    let away = roster.received(.unanswered(key("tv@pi", wlan0)), now: start + 2)
    #expect(away.map(\.state) == [.away])
    // All that is known stays worth a try.
    #expect(away.first?.endpoints.count == 2)
    #expect(away.first?.seen == start)
    #expect(roster.received(found(key()), now: start + 3).map(\.state) == [.online])
  }

  @Test func lastSeenIsTheLastSignOfLife() {
    var roster = Roster()
    _ = roster.received(found(key()), now: start)
    _ = roster.received(.unanswered(key()), now: start + 125)
    #expect(roster.received(.lost(key()), now: start + 4500).map(\.seen) == [start])
  }

  @Test func listedButNeverResolvedIsAway() {
    var roster = Roster()
    let changed = roster.received(.unanswered(key()), now: start)
    #expect(changed.map(\.state) == [.away])
    #expect(changed.first?.endpoints == [])
  }

  @Test func dialsTell() {
    var roster = Roster()
    #expect(roster.dialFailed(tv, now: start).isEmpty)
    _ = roster.received(found(key()), now: start)
    #expect(roster.dialFailed(tv, now: start + 1).map(\.state) == [.away])
    #expect(roster.dialFailed(tv, now: start + 2).isEmpty)
    #expect(roster.received(found(key()), now: start + 3).isEmpty)
    #expect(roster[tv]?.state == .away, "the same news again is no sign of life")
    #expect(roster.answered(tv, now: start + 4).map(\.state) == [.online])
    #expect(roster[tv]?.seen == start + 4)
    _ = roster.dialFailed(tv, now: start + 5)
    #expect(roster.received(found(key(), port: 5299), now: start + 6).map(\.state) == [.online])
  }

  @Test func anAnswerOutweighsTheSilenceOfMDNSUntilTheNext() {
    var roster = Roster()
    _ = roster.received(found(key()), now: start)
    _ = roster.received(.unanswered(key()), now: start + 1)
    #expect(roster.answered(tv, now: start + 2).map(\.state) == [.online])
    #expect(roster.received(.unanswered(key()), now: start + 3).map(\.state) == [.away])
  }

  @Test func anAnswerDoesNotBringBackWhoIsGone() {
    var roster = Roster()
    _ = roster.received(found(key()), now: start)
    _ = roster.received(.lost(key()), now: start)
    #expect(roster.answered(tv, now: start + 1).isEmpty)
    #expect(roster[tv]?.state == .gone)
  }

  @Test func ownDevicesAreMarked() {
    var roster = Roster()
    #expect(roster.received(.announced(id: "node", as: here), now: start).map(\.isLocal) == [true])
    #expect(roster[here]?.state == .online)
    _ = roster.received(found(key("node@laptop")), now: start)
    #expect(roster[here]?.isLocal == true)
    #expect(roster[here]?.endpoints.count == 1)
    _ = roster.received(.lost(key("node@laptop")), now: start)
    #expect(roster[here]?.state == .online)
    #expect(roster.received(.announced(id: "node", as: here), now: start).isEmpty)
  }

  @Test func afterARenameTheOldNameIsSomebodyElses() {
    var roster = Roster()
    let renamed = JID("node-1@laptop")!
    _ = roster.received(.announced(id: "node", as: here), now: start)
    _ = roster.received(found(key("node@laptop")), now: start)
    let changed = roster.received(.announced(id: "node", as: renamed), now: start)
    #expect(changed.map(\.jid) == [here, renamed])
    #expect(changed.map(\.isLocal) == [false, true])
    #expect(changed.map(\.state) == [.online, .online])
  }

  @Test func whatIsWithdrawnVanishes() {
    var roster = Roster()
    _ = roster.received(.announced(id: "node", as: here), now: start)
    _ = roster.received(found(key("node@laptop")), now: start)
    let changed = roster.withdrew(id: "node", now: start)
    #expect(changed.map(\.state) == [.gone])
    #expect(changed.map(\.isLocal) == [true])
    #expect(roster.entries.isEmpty)
    // What mDNS still tells of it does not bring it back.
    #expect(roster.received(found(key("node@laptop"), nick: "x"), now: start).isEmpty)
    #expect(roster.entries.isEmpty)
    #expect(roster.received(.lost(key("node@laptop")), now: start).isEmpty)
    #expect(roster.received(found(key("node@laptop")), now: start).map(\.isLocal) == [false])
    #expect(roster.withdrew(id: "node", now: start).isEmpty)
  }

  @Test func whatIsRefusedIsNotOurs() {
    var roster = Roster()
    _ = roster.received(.announced(id: "node", as: here), now: start)
    #expect(roster.received(.refused(id: "node", reason: "taken"), now: start).map(\.state) == [.gone])
    #expect(roster.entries.isEmpty)
  }

  @Test func afterARestartThereIsTimeToComeBack() {
    var roster = Roster()
    for name in ["tv@pi", "lamp@pi"] { _ = roster.received(found(key(name)), now: start) }
    #expect(roster.received(.unavailable(reason: "x"), now: start).isEmpty)
    #expect(roster.deadline == nil)
    #expect(roster.received(.available, now: start + 5).isEmpty)
    #expect(roster.received(found(key()), now: start + 6).isEmpty)
    #expect(roster.deadline == start + 5 + LinkLocalLimits.grace)
    #expect(roster.expire(now: start + 14.9).isEmpty)
    let changed = roster.expire(now: start + 15)
    #expect(changed.map(\.jid.text) == ["lamp@pi"])
    #expect(changed.map(\.state) == [.gone])
    #expect(changed.map(\.seen) == [start])
    #expect(roster[tv]?.state == .online)
    #expect(roster.deadline == nil)
  }

  @Test func anyVerbNoticesTheDeadline() {
    var roster = Roster()
    _ = roster.received(found(key()), now: start)
    _ = roster.received(.available, now: start)
    #expect(roster.answered(JID("x@y")!, now: start + 60).map(\.jid) == [tv])
  }

  @Test func theLongestGoneIsForgottenFirst() {
    var roster = Roster(capacity: 3)
    for (second, name) in ["a@x", "b@x", "c@x"].enumerated() {
      _ = roster.received(found(key(name)), now: start + TimeInterval(second))
    }
    for (second, name) in ["b@x", "a@x"].enumerated() {
      _ = roster.received(.lost(key(name)), now: start + 10 + TimeInterval(second))
    }
    _ = roster.received(found(key("d@x")), now: start + 20)
    #expect(roster.entries.map(\.jid.text) == ["a@x", "c@x", "d@x"])
    _ = roster.received(found(key("e@x")), now: start + 21)
    #expect(roster.entries.map(\.jid.text) == ["c@x", "d@x", "e@x"])
    // All are online: nobody new, except ourselves.
    #expect(roster.received(found(key("f@x")), now: start + 22).isEmpty)
    _ = roster.dialFailed(JID("d@x")!, now: start + 23)
    _ = roster.received(found(key("g@x")), now: start + 24)
    #expect(roster.entries.map(\.jid.text) == ["c@x", "e@x", "g@x"])
    _ = roster.received(.announced(id: "node", as: here), now: start + 25)
    #expect(roster.entries.map(\.jid.text) == ["c@x", "e@x", "g@x", "node@laptop"])
  }

  @Test func aFloodStaysBounded() {
    var roster = Roster()
    for number in 0..<3000 {
      _ = roster.received(found(key("d\(number)@x")), now: start)
      if number.isMultiple(of: 2) { _ = roster.received(.lost(key("d\(number)@x")), now: start) }
    }
    #expect(roster.entries.count == LinkLocalLimits.devices)
    for index in 1...500 {
      _ = roster.received(found(key("d1@x", Interface(index: index, name: "v\(index)")), "10.0.0.\(index)"), now: start)
    }
    #expect(roster[JID("d1@x")!]?.endpoints.count == LinkLocalLimits.sightings)
  }
}
