import FoundationEssentials
import LinkLocal
import Testing

private let eth0 = Interface(index: 2, name: "eth0")
private let wlan0 = Interface(index: 3, name: "wlan0")
private let start = Date(timeIntervalSince1970: 1000)

private func key(
  _ instance: String = "tv@pi", _ interface: Interface = eth0, _ family: Sighting.Family = .ipv4
) -> Sighting.Key {
  Sighting.Key(instance: InstanceName(instance)!, interface: interface, family: family)
}

private func found(_ key: Sighting.Key, _ address: String = "10.0.0.2", port: Int = 5298, nick: String = "TV")
  -> DiscoveryEvent
{
  .found(
    Sighting(
      key: key, endpoint: Endpoint(address: address, port: port, interface: key.interface),
      record: TXTRecord(["nick": nick])))
}

@Suite struct DiscoveredDevicesTests {
  private let tv = InstanceName("tv@pi")!
  private let here = InstanceName("node@laptop")!

  @Test func interfacesAndFamiliesAreOneDevice() throws {
    var discovered = DiscoveredDevices()
    let first = discovered.received(found(key()), now: start)
    #expect(first.map(\.state) == [.online])
    _ = discovered.received(found(key("tv@pi", wlan0), "10.1.0.2"), now: start)
    _ = discovered.received(found(key("TV@Pi", eth0, .ipv6), "fe80::1"), now: start)
    #expect(discovered.entries.count == 1)
    let endpoints = try #require(discovered[tv]?.endpoints)
    #expect(endpoints.map(\.address) == ["10.0.0.2", "fe80::1", "10.1.0.2"])
    #expect(endpoints.map(\.interface) == [eth0, eth0, wlan0])
  }

  @Test func theSameAddressIsListedOnce() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key(), "fe80::1"), now: start)
    #expect(discovered.received(found(key("tv@pi", eth0, .ipv6), "fe80::1"), now: start).isEmpty)
    #expect(discovered[tv]?.endpoints.count == 1)
  }

  @Test func changesAreToldAndRepetitionsAreNot() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key()), now: start)
    #expect(discovered.received(found(key()), now: start + 1).isEmpty)
    #expect(discovered[tv]?.seen == start + 1)
    #expect(discovered.received(found(key(), nick: "Telly"), now: start + 2).map(\.record.nick) == ["Telly"])
    #expect(
      discovered.received(found(key(), "10.0.0.9"), now: start + 3).map(\.endpoints.first?.address) == ["10.0.0.9"])
  }

  /// Two nodes had a name for a moment, and mDNS lists what this one announced for another second.
  @Test func whatThisNodeAnnouncedUnderANameThatIsAnothersLeadsNowhere() {
    func found(by id: String, _ address: String) -> DiscoveryEvent {
      .found(
        Sighting(
          key: key(), endpoint: Endpoint(address: address, port: 5298, interface: eth0), record: TXTRecord(["id": id])))
    }
    var discovered = DiscoveredDevices(own: "ME")
    _ = discovered.received(.announced(id: "tv", as: tv), now: start)
    #expect(discovered.received(found(by: "ME", "10.0.0.1"), now: start).map(\.endpoints.count) == [1])
    let lost = discovered.received(.announced(id: "tv", as: tv.alternative(1)!), now: start + 1)
    #expect(lost.first { $0.name == tv }?.state == .away)
    #expect(discovered[tv]?.endpoints == [])
    _ = discovered.received(found(by: "ME", "10.0.0.1"), now: start + 2)
    #expect(discovered[tv]?.state == .away && discovered[tv]?.endpoints == [])
    let other = discovered.received(found(by: "OTHER", "10.0.0.2"), now: start + 3)
    #expect(other.map(\.state) == [.online] && other.first?.endpoints.map(\.address) == ["10.0.0.2"])
  }

  /// The link comes first, and what it tells of a device is what counts; it is away only where neither way leads to it.
  @Test func whatIsOnTheLinkIsReachedThereAndElsewhereOverTheServer() {
    let far = DiscoverySource.account(domain: "example.org")
    let place = Sighting.Key(
      instance: tv, interface: Interface(index: 0, name: "NODE"), family: .ipv4)
    let relayed = DiscoveryEvent.found(Sighting(key: place, endpoint: nil, record: TXTRecord(["nick": "Far"])))
    var discovered = DiscoveredDevices()
    #expect(discovered.received(relayed, from: far, now: start).map(\.server) == ["example.org"])
    #expect(discovered[tv]?.state == .online && discovered[tv]?.record.nick == "Far")
    let home = discovered.received(found(key()), now: start + 1)
    #expect(home.map(\.server) == [nil] && home.first?.record.nick == "TV" && home.first?.endpoints.count == 1)
    #expect(discovered.received(relayed, from: far, now: start + 2).isEmpty)
    #expect(discovered.dialFailed(tv, now: start + 3).map(\.server) == ["example.org"])
    #expect(discovered.dialFailed(tv, now: start + 4).map(\.state) == [.away])
    #expect(discovered.received(relayed, from: far, now: start + 5).map(\.state) == [.online])
    #expect(discovered.received(.lost(key()), now: start + 6).isEmpty)
    #expect(discovered.received(.unavailable(reason: "off"), now: start + 7).isEmpty)
    #expect(discovered.received(.lost(place), from: far, now: start + 8).map(\.state) == [.gone])
  }

  @Test func goneWhenNoInterfaceListsIt() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key()), now: start)
    _ = discovered.received(found(key("tv@pi", wlan0)), now: start)
    #expect(discovered.received(.lost(key()), now: start + 5).map(\.state) == [.online])
    #expect(discovered.received(.lost(key("tv@pi", wlan0)), now: start + 6).map(\.state) == [.gone])
    #expect(discovered[tv]?.endpoints == [])
    #expect(discovered[tv]?.record.nick == "TV")
    #expect(discovered[tv]?.seen == start + 6)
    #expect(discovered.received(.lost(key()), now: start + 7).isEmpty)
    #expect(discovered.received(found(key()), now: start + 8).map(\.state) == [.online])
  }

  @Test func awayWhenNobodyAnswersOnAnyInterface() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key()), now: start)
    _ = discovered.received(found(key("tv@pi", wlan0), "10.1.0.2"), now: start)
    let half = discovered.received(.unanswered(key()), now: start + 1)
    #expect(half.map(\.state) == [.online])
    #expect(half.first?.endpoints.map(\.address) == ["10.1.0.2"])
    let away = discovered.received(.unanswered(key("tv@pi", wlan0)), now: start + 2)
    #expect(away.map(\.state) == [.away])
    // All that is known stays worth a try.
    #expect(away.first?.endpoints.count == 2)
    #expect(away.first?.seen == start)
    #expect(discovered.received(found(key()), now: start + 3).map(\.state) == [.online])
  }

  @Test func lastSeenIsTheLastSignOfLife() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key()), now: start)
    _ = discovered.received(.unanswered(key()), now: start + 125)
    #expect(discovered.received(.lost(key()), now: start + 4500).map(\.seen) == [start])
  }

  @Test func listedButNeverResolvedIsAway() {
    var discovered = DiscoveredDevices()
    let changed = discovered.received(.unanswered(key()), now: start)
    #expect(changed.map(\.state) == [.away])
    #expect(changed.first?.endpoints == [])
  }

  @Test func dialsTell() {
    var discovered = DiscoveredDevices()
    #expect(discovered.dialFailed(tv, now: start).isEmpty)
    _ = discovered.received(found(key()), now: start)
    #expect(discovered.dialFailed(tv, now: start + 1).map(\.state) == [.away])
    #expect(discovered.dialFailed(tv, now: start + 2).isEmpty)
    #expect(discovered.received(found(key()), now: start + 3).isEmpty)
    #expect(discovered[tv]?.state == .away, "the same news again is no sign of life")
    #expect(discovered.answered(tv, now: start + 4).map(\.state) == [.online])
    #expect(discovered[tv]?.seen == start + 4)
    _ = discovered.dialFailed(tv, now: start + 5)
    #expect(discovered.received(found(key(), port: 5299), now: start + 6).map(\.state) == [.online])
  }

  @Test func anAnswerOutweighsTheSilenceOfMDNSUntilTheNext() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key()), now: start)
    _ = discovered.received(.unanswered(key()), now: start + 1)
    #expect(discovered.answered(tv, now: start + 2).map(\.state) == [.online])
    #expect(discovered.received(.unanswered(key()), now: start + 3).map(\.state) == [.away])
  }

  @Test func anAnswerDoesNotBringBackWhoIsGone() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key()), now: start)
    _ = discovered.received(.lost(key()), now: start)
    #expect(discovered.answered(tv, now: start + 1).isEmpty)
    #expect(discovered[tv]?.state == .gone)
  }

  @Test func ownDevicesAreMarked() {
    var discovered = DiscoveredDevices()
    #expect(discovered.received(.announced(id: "node", as: here), now: start).map(\.isLocal) == [true])
    #expect(discovered[here]?.state == .online)
    _ = discovered.received(found(key("node@laptop")), now: start)
    #expect(discovered[here]?.isLocal == true)
    #expect(discovered[here]?.endpoints.count == 1)
    _ = discovered.received(.lost(key("node@laptop")), now: start)
    #expect(discovered[here]?.state == .online)
    #expect(discovered.received(.announced(id: "node", as: here), now: start).isEmpty)
  }

  @Test func afterARenameTheOldNameIsSomebodyElses() {
    var discovered = DiscoveredDevices()
    let renamed = InstanceName("node-1@laptop")!
    _ = discovered.received(.announced(id: "node", as: here), now: start)
    _ = discovered.received(found(key("node@laptop")), now: start)
    let changed = discovered.received(.announced(id: "node", as: renamed), now: start)
    #expect(changed.map(\.name) == [here, renamed])
    #expect(changed.map(\.isLocal) == [false, true])
    #expect(changed.map(\.state) == [.online, .online])
  }

  @Test func whatIsWithdrawnVanishes() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(.announced(id: "node", as: here), now: start)
    _ = discovered.received(found(key("node@laptop")), now: start)
    let changed = discovered.withdrew(id: "node", now: start)
    #expect(changed.map(\.state) == [.gone])
    #expect(changed.map(\.isLocal) == [true])
    #expect(discovered.entries.isEmpty)
    // What mDNS still tells of it does not bring it back.
    #expect(discovered.received(found(key("node@laptop"), nick: "x"), now: start).isEmpty)
    #expect(discovered.entries.isEmpty)
    #expect(discovered.received(.lost(key("node@laptop")), now: start).isEmpty)
    #expect(discovered.received(found(key("node@laptop")), now: start).map(\.isLocal) == [false])
    #expect(discovered.withdrew(id: "node", now: start).isEmpty)
  }

  @Test func whatIsRefusedIsNotOurs() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(.announced(id: "node", as: here), now: start)
    #expect(discovered.received(.refused(id: "node", reason: "taken"), now: start).map(\.state) == [.gone])
    #expect(discovered.entries.isEmpty)
  }

  @Test func afterARestartThereIsTimeToComeBack() {
    var discovered = DiscoveredDevices()
    for name in ["tv@pi", "lamp@pi"] { _ = discovered.received(found(key(name)), now: start) }
    #expect(discovered.received(.unavailable(reason: "x"), now: start).isEmpty)
    #expect(discovered.deadline == nil)
    #expect(discovered.received(.available, now: start + 5).isEmpty)
    #expect(discovered.received(found(key()), now: start + 6).isEmpty)
    #expect(discovered.deadline == start + 5 + LinkLocalLimits.grace)
    #expect(discovered.expire(now: start + 14.9).isEmpty)
    let changed = discovered.expire(now: start + 15)
    #expect(changed.map(\.name.text) == ["lamp@pi"])
    #expect(changed.map(\.state) == [.gone])
    #expect(changed.map(\.seen) == [start])
    #expect(discovered[tv]?.state == .online)
    #expect(discovered.deadline == nil)
  }

  @Test func anyVerbNoticesTheDeadline() {
    var discovered = DiscoveredDevices()
    _ = discovered.received(found(key()), now: start)
    _ = discovered.received(.available, now: start)
    #expect(discovered.answered(InstanceName("x@y")!, now: start + 60).map(\.name) == [tv])
  }

  private func names(_ discovered: DiscoveredDevices) -> [String] { discovered.entries.map(\.name.text) }

  @Test func theLongestGoneIsForgottenFirst() {
    var discovered = DiscoveredDevices(capacity: 3, gone: 2)
    for (second, name) in ["a@x", "b@x", "c@x"].enumerated() {
      _ = discovered.received(found(key(name)), now: start + TimeInterval(second))
    }
    for (second, name) in ["b@x", "a@x"].enumerated() {
      _ = discovered.received(.lost(key(name)), now: start + 10 + TimeInterval(second))
    }
    // Who is gone takes no place from who is here.
    for name in ["d@x", "e@x"] { _ = discovered.received(found(key(name)), now: start + 20) }
    #expect(names(discovered) == ["a@x", "b@x", "c@x", "d@x", "e@x"])
    #expect(discovered.received(.lost(key("c@x")), now: start + 21).map(\.state) == [.gone])
    #expect(names(discovered) == ["a@x", "c@x", "d@x", "e@x"])
    #expect(discovered.takeForgotten().map(\.text) == ["b@x"])
    // One that returns has left the others that are gone.
    _ = discovered.received(found(key("a@x")), now: start + 22)
    _ = discovered.received(.lost(key("e@x")), now: start + 23)
    #expect(names(discovered) == ["a@x", "c@x", "d@x", "e@x"])
    #expect(discovered.takeForgotten().isEmpty)
  }

  @Test func whoIsAwayMakesRoom() {
    var discovered = DiscoveredDevices(capacity: 3, gone: 2)
    for name in ["c@x", "d@x", "e@x"] { _ = discovered.received(found(key(name)), now: start) }
    // All are online: nobody new, except ourselves.
    #expect(discovered.received(found(key("f@x")), now: start + 22).isEmpty)
    _ = discovered.dialFailed(InstanceName("d@x")!, now: start + 23)
    // A mere name is not taken in for one that was here.
    #expect(discovered.received(.listed(key("f@x")), now: start + 24).isEmpty)
    #expect(discovered.received(.unanswered(key("f@x")), now: start + 24).isEmpty)
    _ = discovered.received(found(key("g@x")), now: start + 24)
    #expect(names(discovered) == ["c@x", "e@x", "g@x"])
    #expect(discovered.takeForgotten().map(\.text) == ["d@x"])
    _ = discovered.received(.announced(id: "node", as: here), now: start + 25)
    #expect(names(discovered) == ["c@x", "e@x", "g@x", "node@laptop"])
  }

  @Test func thePinnedGoLastAndComeFirst() {
    var discovered = DiscoveredDevices(capacity: 2, gone: 1) { $0.text.hasPrefix("friend") }
    for name in ["friend1@x", "a@x"] { _ = discovered.received(found(key(name)), now: start) }
    // There is room for a friend's, even where it is a mere name.
    _ = discovered.received(.listed(key("friend2@x")), now: start + 1)
    #expect(names(discovered) == ["friend1@x", "friend2@x"])
    #expect(discovered.received(found(key("b@x")), now: start + 2).isEmpty == false)
    #expect(names(discovered) == ["b@x", "friend1@x"])
    // Of those that are gone the friend's is remembered, though it is longer gone.
    _ = discovered.received(.lost(key("friend1@x")), now: start + 3)
    _ = discovered.received(.lost(key("b@x")), now: start + 4)
    #expect(names(discovered) == ["friend1@x"])
    #expect(discovered[InstanceName("friend1@x")!]?.state == .gone)
  }

  @Test func whatIsListedAnewStaysAsItWas() {
    var discovered = DiscoveredDevices()
    #expect(discovered.received(.listed(key()), now: start).map(\.state) == [.away])
    #expect(discovered[tv]?.endpoints == [])
    #expect(discovered.received(found(key()), now: start).map(\.state) == [.online])
    #expect(discovered.received(.listed(key()), now: start).isEmpty)
    // And is not lost after a restart.
    _ = discovered.received(.available, now: start)
    #expect(discovered.received(.listed(key()), now: start + 1).isEmpty)
    #expect(discovered.expire(now: start + 60).isEmpty)
    #expect(discovered[tv]?.state == .online)
  }

  @Test func aFloodStaysBounded() {
    var discovered = DiscoveredDevices()
    for number in 0..<6000 {
      _ = discovered.received(found(key("d\(number)@x")), now: start)
      if number.isMultiple(of: 2) { _ = discovered.received(.lost(key("d\(number)@x")), now: start) }
    }
    #expect(discovered.entries.count == LinkLocalLimits.devices + LinkLocalLimits.gone)
    for index in 1...500 {
      _ = discovered.received(
        found(key("d1@x", Interface(index: index, name: "v\(index)")), "10.0.0.\(index)"), now: start)
    }
    #expect(discovered[InstanceName("d1@x")!]?.endpoints.count == LinkLocalLimits.sightings)
  }
}
