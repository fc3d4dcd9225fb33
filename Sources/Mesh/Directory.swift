import FoundationEssentials
import LinkLocal
import Synchronization
import Trust
import XMPP

/// The list of devices as the rest of this machine sees it: the roster, what is known of each, and who watches.
final class Directory: Sendable {
  private struct Shown: Equatable {
    let key: NodeID?
    let hint: String?
  }

  private struct State {
    var discovered = DiscoveredDevices()
    /// What a device said of itself over a stream, where its hash does not tell (XEP-0115).
    var http: [JID: Bool] = [:]
    /// The key that a device showed when it was dialled as what it announced, nil where it showed none. What that makes of
    /// it depends on who is a friend by then; one that is announced anew is another matter.
    var shown: [JID: Shown] = [:]
  }

  private let state = Mutex(State())
  /// Told under the lock of `state`, so that changes come in order.
  private let watchers = Watchers<Device>(capacity: 2 * LinkLocalLimits.devices)
  private let capabilities: Capabilities
  private let trustService: TrustService

  init(capabilities: Capabilities, trustService: TrustService) {
    self.capabilities = capabilities
    self.trustService = trustService
  }

  /// The node id that the device announces, which proves nothing.
  func hint(of jid: JID) -> String? {
    state.withLock { $0.discovered[jid]?.record.id }
  }

  /// What came out when the device was dialled.
  func learned(_ jid: JID, key: NodeID?, announcedAs hint: String?) {
    let shown = Shown(key: key, hint: hint)
    change { state in
      guard let entry = state.discovered[jid], state.shown.updateValue(shown, forKey: jid) != shown else { return [] }
      return [entry]
    }
  }

  /// Friends have changed, and with them what devices are to this node.
  func refresh() {
    change { $0.discovered.entries }
  }

  func devices() -> [Device] {
    state.withLock { state in state.discovered.entries.map { device($0, state) } }
  }

  func device(_ jid: JID) -> Device? {
    state.withLock { state in state.discovered[jid].map { device($0, state) } }
  }

  /// The hash that a device announces of its capabilities, in the one algorithm that is in use.
  func verification(of jid: JID) -> String? {
    state.withLock { Self.verification($0.discovered[jid]) }
  }

  func received(_ event: DiscoveryEvent) {
    change { $0.discovered.received(event, now: .now) }
  }

  func withdrew(id: String) {
    change { $0.discovered.withdrew(id: id, now: .now) }
  }

  func answered(_ jid: JID) {
    change { $0.discovered.answered(jid, now: .now) }
  }

  func dialFailed(_ jid: JID) {
    change { $0.discovered.dialFailed(jid, now: .now) }
  }

  func expire() {
    change { $0.discovered.expire(now: .now) }
  }

  func learned(_ jid: JID, http: Bool) {
    change { state in
      guard let entry = state.discovered[jid], state.http.updateValue(http, forKey: jid) != http else { return [] }
      return [entry]
    }
  }

  /// Every device known now, then each one that changes. A watcher that does not keep up loses the oldest changes.
  func changes() -> AsyncStream<Device> {
    state.withLock { state in watchers.add(first: state.discovered.entries.map { device($0, state) }) }
  }

  /// Ends every watch.
  func shutDown() { watchers.finish() }

  private func change(_ body: (inout State) -> [DiscoveredDevice]) {
    state.withLock { state in
      for entry in body(&state) {
        watchers.tell(device(entry, state))
        if entry.state == .gone { (state.http[entry.jid], state.shown[entry.jid]) = (nil, nil) }
      }
    }
  }

  private static func verification(_ entry: DiscoveredDevice?) -> String? {
    guard let verification = entry?.record.verification, verification.hash == "sha-1" else { return nil }
    return verification.ver
  }

  private func device(_ entry: DiscoveredDevice, _ state: borrowing State) -> Device {
    let announced = Self.verification(entry).flatMap { capabilities.info(of: $0) }
    let hint = entry.record.id
    let shown = state.shown[entry.jid].flatMap { shown in
      shown.hint == hint ? trustService.verdict(jid: entry.jid, id: shown.key, hint: hint) : nil
    }
    let standing = entry.isLocal ? .self : shown ?? trustService.appearance(jid: entry.jid, hint: hint)
    return Device(
      jid: entry.jid, name: entry.record.nick ?? entry.name.user, state: .init(entry.state), isLocal: entry.isLocal,
      http: state.http[entry.jid] ?? announced.map { $0.features.contains(Namespace.http) },
      status: entry.record.status ?? "", message: entry.record.message, endpoints: entry.endpoints, seen: entry.seen,
      standing: standing, node: entry.isLocal ? trustService.id : hint.flatMap { try? NodeID($0) })
  }
}

extension Device.State {
  fileprivate init(_ state: DiscoveredDevice.State) {
    switch state {
    case .online: self = .online
    case .away: self = .away
    case .gone: self = .gone
    }
  }
}
