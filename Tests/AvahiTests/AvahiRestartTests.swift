import Avahi
import LinkLocal
import Testing

extension LabTests {
  /// The services that everything goes through come and go.
  @Suite struct AvahiRestartTests {
    @Test(arguments: [
      ["avahi_kill h1", "avahi_start h1"], ["avahi_kill h1 -9", "avahi_start h1"],
      ["bus_kill h1 -9", "bus_start h1", "avahi_start h1"],
    ])
    func everythingIsAnnouncedAndFoundAgain(orders: [String]) async throws {
      try await Lab.order("service_add h2 carol@h2 5300")
      try await withDiscovery { node, told in
        node.announce(announcement("alice"))
        _ = try await told.name(of: "alice")
        _ = try await told.sighting("carol@h2", on: "eth0", .ipv4)
        let mark = told.mark
        try await Lab.order(orders[0])
        _ = try await told.unavailability(after: mark)
        // Withdrawn and announced while nobody listens.
        node.withdraw(id: "alice")
        node.announce(announcement("bob"))
        for order in orders.dropFirst() { try await Lab.order(order) }
        _ = try await told.first(after: mark) { $0 == .available ? true : nil }
        #expect(try await told.name(of: "bob", after: mark) == InstanceName("bob@h1"))
        _ = try await told.sighting("carol@h2", on: "eth0", .ipv4, after: mark)
        #expect(!told.events.dropFirst(mark).contains(.announced(id: "alice", as: InstanceName("alice@h1")!)))
      }
      try await Lab.order("service_remove h2 carol@h2")
    }

    @Test func aNameTakenWhileNobodyLookedIsChanged() async throws {
      try await Lab.order("service_add h2 zoe@h1 5300")
      try await Lab.order("avahi_restart h1")
      try await withDiscovery { node, told in
        node.announce(announcement("zoe"))
        let name = try await told.name(of: "zoe")
        #expect(name == InstanceName("zoe-1@h1"))
      }
      try await Lab.order("service_remove h2 zoe@h1")
    }

    @Test func aMissingBusIsWaitedFor() async throws {
      try await Lab.order("bus_kill h1")
      try await withDiscovery { node, told in
        node.announce(announcement("alice"))
        _ = try await told.unavailability()
        try await Lab.order("bus_start h1")
        #expect(try await told.first { $0.problem?.contains("systemctl start avahi-daemon") == true ? true : nil })
        try await Lab.order("avahi_start h1")
        #expect(try await told.name(of: "alice") == InstanceName("alice@h1"))
      }
    }

    @Test func aDaemonThatHangsDelaysNobody() async throws {
      let clock = ContinuousClock()
      let start = try await withDiscovery { node, told in
        node.announce(announcement("alice"))
        _ = try await told.name(of: "alice")
        try await Lab.order("kill -STOP ${AVAHI_PID[h1]}")
        let start = clock.now
        for number in 1...10 { node.announce(announcement("alice\(number)")) }
        #expect(clock.now - start < .milliseconds(100))
        return start
      }
      let end = clock.now
      try await Lab.order("kill -CONT ${AVAHI_PID[h1]}")
      #expect(end - start > .seconds(1), "the daemon did not hang")
      #expect(end - start < .seconds(3))
    }

    @Test func whatIsKeptFreshIsToldWhileTheDaemonHangs() async throws {
      try await Lab.order("service_add h2 dora@h2 5300")
      try await withDiscovery { node, told in
        let dora = InstanceName("dora@h2")!
        node.announce(announcement("alice"))
        _ = try await told.name(of: "alice")
        _ = try await told.sighting("dora@h2", on: "eth0", .ipv6)
        node.resolve(dora)
        _ = try await told.first { $0 == .resolved(dora) ? true : nil }
        try await Lab.order("kill -STOP ${AVAHI_PID[h1]}")
        // For this the Avahi thread waits.
        node.announce(announcement("alice1"))
        let mark = told.mark
        node.resolve(dora)
        node.resolve(InstanceName("dorothy@h2")!)
        let first = try? await told.first(after: mark, within: .seconds(1)) { event in
          if case .resolved(let name) = event { name } else { nil }
        }
        let isHanging = !told.events.dropFirst(mark).contains(.resolved(InstanceName("dorothy@h2")!))
        try await Lab.order("kill -CONT ${AVAHI_PID[h1]}")
        #expect(first == dora)
        #expect(isHanging)
        _ = try await told.first(after: mark) { $0 == .resolved(InstanceName("dorothy@h2")!) ? true : nil }
      }
      try await Lab.order("service_remove h2 dora@h2")
    }
  }
}
