import Avahi
import LinkLocal
import Testing

extension LabTests {
  /// One node on h1 announces, another one on h1 browses, as do avahi-daemon and its static services on h2.
  @Suite struct AvahiDiscoveryTests {
    @Test func theLinkShowsWhatIsAnnounced() async throws {
      try await withDiscovery { node, told in
        try await withDiscovery { _, seen in
          node.announce(announcement("alice", port: 5298, message: "up"))
          #expect(try await told.name(of: "alice") == InstanceName("alice@h1"))
          let sighting = try await seen.sighting("alice@h1", on: "eth0", .ipv4)
          #expect(sighting.endpoint?.address == "169.254.77.1")
          #expect(sighting.endpoint?.port == 5298)
          #expect(sighting.record == announcement("alice", port: 5298, message: "up").record)
          #expect(try await seen.sighting("alice@h1", on: "eth0", .ipv6).endpoint?.address.hasPrefix("fe80::") == true)
          #expect(node.hostName == "h1")
        }
      }
    }

    @Test func anotherRecordChangesInPlace() async throws {
      try await withDiscovery { node, told in
        try await withDiscovery { _, seen in
          node.announce(announcement("anna", message: "up"))
          _ = try await seen.sighting("anna@h1", on: "eth0", .ipv4)
          _ = try await told.name(of: "anna")
          node.announce(announcement("anna", message: "down"))
          _ = try await seen.sighting("anna@h1", on: "eth0", .ipv4) { $0.record.message == "down" }
          #expect(!seen.events.contains { $0.isLoss(of: "anna@h1") })
        }
      }
    }

    @Test func anotherPortIsAnnouncedUnderTheSameName() async throws {
      try await withDiscovery { node, told in
        try await withDiscovery { _, seen in
          node.announce(announcement("arthur", port: 5298))
          _ = try await told.name(of: "arthur")
          let mark = told.mark
          node.announce(announcement("arthur", port: 5299))
          #expect(try await told.name(of: "arthur", after: mark) == InstanceName("arthur@h1"))
          _ = try await seen.sighting("arthur@h1", on: "eth0", .ipv4) { $0.endpoint?.port == 5299 }
        }
      }
    }

    @Test func withdrawingAndEndingSayGoodbye() async throws {
      try await withDiscovery { _, seen in
        try await withDiscovery { node, _ in
          node.announce(announcement("albert"))
          node.announce(announcement("ben"))
          _ = try await seen.sighting("albert@h1", on: "eth0", .ipv4)
          _ = try await seen.sighting("ben@h1", on: "eth0", .ipv4)
          node.withdraw(id: "albert")
          try await seen.loss("albert@h1")
          #expect(!seen.events.contains { $0.isLoss(of: "ben@h1") })
        }
        try await seen.loss("ben@h1")
      }
    }

    @Test func aNameTakenOnThisMachineIsChanged() async throws {
      try await withDiscovery { first, told in
        try await withDiscovery { second, toldSecond in
          first.announce(announcement("agnes"))
          let name = try await told.name(of: "agnes")
          #expect(name == InstanceName("agnes@h1"))
          second.announce(announcement("agnes", port: 5299))
          let secondName = try await toldSecond.name(of: "agnes")
          #expect(secondName == InstanceName("agnes-1@h1"))
        }
      }
    }

    /// The link lists a name for a second after its goodbye; whoever starts again in that second keeps it.
    @Test func aNameThatThisHostGaveUpIsFree() async throws {
      try await withDiscovery { _, seen in
        try await withDiscovery { node, told in
          node.announce(announcement("amy"))
          _ = try await told.name(of: "amy")
          _ = try await seen.sighting("amy@h1", on: "eth0", .ipv4)
        }
        try await withDiscovery { node, told in
          node.announce(announcement("amy"))
          let name = try await told.name(of: "amy")
          #expect(name == InstanceName("amy@h1"))
        }
      }
    }

    @Test func aNameTakenOnTheLinkIsChanged() async throws {
      try await Lab.order("service_add h2 alma@h1 5300")
      try await withDiscovery { node, told in
        _ = try await told.sighting("alma@h1", on: "eth0", .ipv4)
        node.announce(announcement("alma"))
        #expect(try await told.name(of: "alma") == InstanceName("alma-1@h1"))
        // The name it has got is kept, for peers know the device by it.
        let mark = told.mark
        node.announce(announcement("alma", port: 5299))
        #expect(try await told.name(of: "alma", after: mark) == InstanceName("alma-1@h1"))
      }
      try await Lab.order("service_remove h2 alma@h1")
    }

    @Test func anotherHostsDeviceIsFoundWithItsAddresses() async throws {
      try await Lab.order("service_add h2 'Büro TV #2' 5300 nick=TV status=")
      try await withDiscovery { _, seen in
        let sighting = try await seen.sighting("Büro TV #2", on: "eth0", .ipv4)
        #expect(sighting.endpoint?.address == "169.254.77.2")
        #expect(sighting.record.nick == "TV")
        #expect(sighting.record.status == nil)
        #expect(try await seen.sighting("Büro TV #2", on: "eth0", .ipv6).endpoint?.address.hasPrefix("fe80::") == true)
        try await Lab.order("service_remove h2 'Büro TV #2'")
        try await seen.loss("Büro TV #2")
      }
    }

    @Test func aChangedAddressIsNoticed() async throws {
      try await Lab.order("service_add h2 carol@h2 5300")
      try await withDiscovery { _, seen in
        _ = try await seen.sighting("carol@h2", on: "eth0", .ipv4)
        try await Lab.order("host_address h2 169.254.78.9/16")
        _ = try await seen.sighting("carol@h2", on: "eth0", .ipv4) { $0.endpoint?.address == "169.254.78.9" }
        try await Lab.order("host_address h2 169.254.77.2/16")
        _ = try await seen.sighting("carol@h2", on: "eth0", .ipv4) { $0.endpoint?.address == "169.254.77.2" }
      }
      try await Lab.order("service_remove h2 carol@h2")
    }

    @Test func aListedDeviceThatNobodyAnswersForIsTold() async throws {
      try await Lab.order("service_ghost h2 ghost@h2")
      try await withDiscovery { _, seen in
        let key = try await seen.first { event -> Sighting.Key? in
          if case .unanswered(let key) = event, key.instance == InstanceName("ghost@h2") { key } else { nil }
        }
        #expect(key.interface.name == "eth0")
        #expect(key.family == .ipv4)
        try await Lab.order("service_add h2 ghost@h2 5300")
        _ = try await seen.sighting("ghost@h2", on: "eth0", .ipv4)
        try await Lab.order("service_remove h2 ghost@h2")
        try await seen.loss("ghost@h2")
      }
    }

    @Test func namedInterfacesAloneAreUsed() async throws {
      try await withDiscovery { _, seen in
        try await withDiscovery(interfaces: ["eth0", "wlan7"]) { node, told in
          node.announce(announcement("ada"))
          _ = try await told.sighting("ada@h1", on: "eth0", .ipv4)
          _ = try await seen.sighting("ada@h1", on: "eth0", .ipv4)
          for recorder in [told, seen] {
            #expect(
              !recorder.events.contains {
                if case .found(let found) = $0 { found.key.interface.name == "lo" } else { false }
              })
          }
        }
      }
    }

    @Test func anInterfaceIsWaitedFor() async throws {
      try await withDiscovery(interfaces: ["wlan7"]) { node, told in
        node.announce(announcement("axel"))
        #expect(try await told.unavailability().contains("wlan7"))
        try await Lab.order("host_run h1 ip link add wlan7 type bridge")
        try await Lab.order("host_run h1 ip address add 10.9.9.1/24 dev wlan7")
        try await Lab.order("host_run h1 ip link set wlan7 up multicast on")
        _ = try await told.sighting("axel@h1", on: "wlan7", .ipv4)
        let mark = told.mark
        try await Lab.order("host_run h1 ip link del wlan7")
        #expect(try await told.unavailability(after: mark).contains("wlan7"))
      }
    }

    @Test func anotherHostNameIsFollowed() async throws {
      try await withDiscovery { node, told in
        node.announce(announcement("amy"))
        _ = try await told.sighting("amy@h1", on: "eth0", .ipv4)
        for name in ["elsewhere", "h1"] {
          let mark = told.mark
          try await Lab.order(
            "host_run h1 dbus-send --system --print-reply --dest=org.freedesktop.Avahi / "
              + "org.freedesktop.Avahi.Server.SetHostName string:\(name)")
          #expect(try await told.name(of: "amy", after: mark) == InstanceName("amy@h1"))
          #expect(node.hostName == name)
        }
      }
    }
  }
}
