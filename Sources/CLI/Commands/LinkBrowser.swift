import Avahi
import Control
import FoundationEssentials
import LinkLocal
import Logging

/// Looks at the link without a daemon.
enum LinkBrowser {
  /// What is seen in this time, sorted by address. Throws `CommandFailure` where Avahi cannot be asked.
  static func devices(for duration: Duration) async throws(CommandFailure) -> [DeviceResource] {
    let discovery = AvahiDiscovery(logger: Logger(label: "browse") { _ in SwiftLogNoOpLogHandler() })
    let (discovered, problem) = await withTaskGroup(of: (DiscoveredDevices, String?)?.self) { group in
      group.addTask {
        await discovery.run()
        return nil
      }
      group.addTask { await collect(discovery.events) }
      try? await Task.sleep(for: duration)
      // The end of discovery ends its events, and with them the collecting.
      group.cancelAll()
      return await group.reduce(nil) { $0 ?? $1 } ?? (DiscoveredDevices(), nil)
    }
    if let problem {
      throw CommandFailure(
        .noDaemon, "neither a hearth daemon nor avahi-daemon can be asked (\(problem)): start one of them")
    }
    return discovered.entries.filter { $0.state != .gone }.map(DeviceResource.init)
  }

  /// Everything that is told until the end, and what was wrong last.
  private static func collect(_ events: AsyncStream<DiscoveryEvent>) async -> (DiscoveredDevices, String?) {
    var discovered = DiscoveredDevices()
    var problem: String?
    for await event in events {
      switch event {
      case .unavailable(let reason): problem = reason
      case .available: problem = nil
      case .found, .lost, .listed, .unanswered, .resolved, .announced, .refused: break
      }
      _ = discovered.received(event, now: Date())
    }
    return (discovered, problem)
  }
}

extension DeviceResource {
  /// Without a daemon nobody knows whether it answers HTTP, and there is no front to open it with.
  fileprivate init(_ entry: DiscoveredDevice) {
    self.init(
      jid: entry.name.text, name: entry.record.nick ?? entry.name.user, state: State(entry.state), http: nil,
      status: entry.record.status ?? "", message: entry.record.message,
      addresses: entry.endpoints.map { .init(address: $0.address, port: $0.port, interface: $0.interface.name) },
      seen: entry.seen, url: nil, trust: nil)
  }
}

extension DeviceResource.State {
  fileprivate init(_ state: DiscoveredDevice.State) {
    switch state {
    case .online: self = .online
    case .away: self = .away
    case .gone: self = .gone
    }
  }
}
