package import FoundationEssentials

/// Who is here: merges what each source of discovery and dialling tell into one entry a device.
///
/// A device is **online** once it was found, **away** when nobody answers any more on any interface it is listed on, or a
/// dial failed, and **gone** when no interface lists it; any sign of life makes it online again. mDNS alone would
/// believe in a dead device for 75 minutes. Those that are gone are remembered, with the time of the last sign of life.
///
/// Who is here and who is gone are bounded apart, so that names without number push out nobody who is there; and those that
/// are pinned, a friend's, go last.
///
/// After a restart of a source its entries stay as they are for `LinkLocalLimits.grace`; what it has not found again then
/// is gone. Every verb returns the entries that changed, as they now are; a newer `seen` alone is no change.
///
/// More than eight properties: who is here and who is gone, each with a bound, and when an entry is over.
package struct DiscoveredDevices: Sendable {
  private var devices: [InstanceName: TrackedDevice] = [:]
  /// By id, what this node announces, as it stands on the link.
  private var announced: [String: InstanceName] = [:]
  /// Of `devices`, those that are gone.
  private var gone: Set<InstanceName> = []
  private let capacity: Int
  private let goneCapacity: Int
  private let isPinned: @Sendable (InstanceName) -> Bool
  /// The `id` in the records of this node.
  private let own: String?
  /// When `expire` has something to do; nil while it has not. Any other verb called later than that does it as well.
  package var deadline: Date? { deadlines.values.min() }
  private var deadlines: [DiscoverySource: Date] = [:]
  /// Devices that were forgotten to make room, since they were last taken.
  private var forgotten: [InstanceName] = []

  /// - Parameters:
  ///   - own: the `id` in the records of this node.
  ///   - capacity: of those that are listed.
  ///   - gone: how many are remembered beside them.
  package init(
    own: String? = nil, capacity: Int = LinkLocalLimits.devices, gone: Int = LinkLocalLimits.gone,
    isPinned: @escaping @Sendable (InstanceName) -> Bool = { _ in false }
  ) {
    (self.own, self.capacity, goneCapacity, self.isPinned) = (own, capacity, gone, isPinned)
  }

  /// Sorted by address; those that are gone included.
  package var entries: [DiscoveredDevice] {
    devices.values.lazy.filter { $0.owner != .withdrawn }.map(\.entry).sorted { $0.name < $1.name }
  }

  package subscript(name: InstanceName) -> DiscoveredDevice? {
    devices[name].flatMap { $0.owner == .withdrawn ? nil : $0.entry }
  }

  /// When there last was a sign of life of the device; nil where it is not listed.
  package func lastSeen(_ name: InstanceName) -> Date? {
    devices[name].flatMap { $0.owner == .withdrawn ? nil : $0.seen }
  }

  /// Those that were forgotten to make room for others, each told once.
  package mutating func takeForgotten() -> [InstanceName] {
    defer { forgotten = [] }
    return forgotten
  }

  package mutating func received(
    _ event: DiscoveryEvent, from source: DiscoverySource = .link, now: Date
  ) -> [DiscoveredDevice] {
    let expired = expire(now: now)
    return expired + apply(event, source, now: now)
  }

  /// Nobody accepted a connection, or nobody answered on it.
  package mutating func dialFailed(_ name: InstanceName, now: Date) -> [DiscoveredDevice] {
    let expired = expire(now: now)
    return expired + change(name) { $0.dialFailed() }
  }

  /// The device itself answered: a stream to or from it works.
  package mutating func answered(_ name: InstanceName, now: Date) -> [DiscoveredDevice] {
    let expired = expire(now: now)
    return expired + change(name) { $0.answered(now: now) }
  }

  /// This node takes an announcement back; its device vanishes from the roster at once.
  package mutating func withdrew(id: String, now: Date) -> [DiscoveredDevice] {
    let expired = expire(now: now)
    guard let name = announced.removeValue(forKey: id), let device = devices[name] else { return expired }
    devices[name]?.owner = .withdrawn
    if device.listings.isEmpty { remove(name) }
    let last = device.entry
    return expired + [
      DiscoveredDevice(name: name, state: .gone, isLocal: true, endpoints: [], record: last.record, seen: now)
    ]
  }

  /// Drops what was not found again in time after its source was restarted.
  package mutating func expire(now: Date) -> [DiscoveredDevice] {
    let due = Set(deadlines.filter { now >= $0.value }.keys)
    guard !due.isEmpty else { return [] }
    deadlines = deadlines.filter { !due.contains($0.key) }
    return devices.keys.sorted().flatMap { name in change(name) { $0.dropStale(of: due) } }
  }

  private mutating func apply(
    _ event: DiscoveryEvent, _ source: DiscoverySource, now: Date
  ) -> [DiscoveredDevice] {
    switch event {
    case .found(let sighting):
      admit(sighting.key.instance, now: now)
      let isOwn = own != nil && sighting.record.id == own
      return change(sighting.key.instance) { $0.found(sighting, isOwn: isOwn, from: source, now: now) }
    case .unanswered(let key):
      admit(key.instance, now: now, isAnswered: false)
      return change(key.instance) { $0.unanswered(.init(source: source, key: key)) }
    case .listed(let key):
      admit(key.instance, now: now, isAnswered: false)
      return change(key.instance) { $0.listed(.init(source: source, key: key)) }
    case .lost(let key):
      return change(key.instance) { $0.lost(.init(source: source, key: key), now: now) }
    case .announced(let id, let name):
      return own(name, id: id, now: now)
    case .refused(let id, _):
      return withdrew(id: id, now: now)
    case .available:
      return restarted(source, now: now)
    case .unavailable, .resolved:
      return []
    }
  }

  private mutating func restarted(_ source: DiscoverySource, now: Date) -> [DiscoveredDevice] {
    for name in devices.keys { devices[name]?.restarted(source) }
    deadlines[source] = now + LinkLocalLimits.grace
    return []
  }

  private mutating func own(_ name: InstanceName, id: String, now: Date) -> [DiscoveredDevice] {
    var changed: [DiscoveredDevice] = []
    if let former = announced.updateValue(name, forKey: id), former != name {
      // Whoever holds the former name now, it is not this node.
      changed = change(former) { $0.owner = .peer }
      if devices[former]?.listings.isEmpty == true { remove(former) }
    }
    admit(name, now: now, isLocal: true)
    return changed + change(name) { $0.owner = .announcement(id: id) }
  }

  /// Runs `body` on a device that is known, and tells whether that shows.
  private mutating func change(_ name: InstanceName, _ body: (inout TrackedDevice) -> Void) -> [DiscoveredDevice] {
    guard var device = devices[name] else { return [] }
    let (before, owner) = (device.entry, device.owner)
    body(&device)
    if device.owner == .withdrawn {
      devices[name] = device
      if device.listings.isEmpty { remove(name) }
      return []
    }
    devices[name] = device
    if device.state == .gone { remember(name) } else { gone.remove(name) }
    return device.owner == owner && device.entry.shows(sameAs: before) ? [] : [device.entry]
  }

  /// Of those that are gone, the longest gone are forgotten.
  private mutating func remember(_ name: InstanceName) {
    gone.insert(name)
    if gone.count > goneCapacity, let oldest = last(of: gone) { forget(oldest) }
  }

  /// Makes room for a device that is new: who is away is forgotten, and for one that is pinned somebody who is not. Else the
  /// newcomer is not taken in, except for a device of this node; nor is a mere name.
  private mutating func admit(_ name: InstanceName, now: Date, isLocal: Bool = false, isAnswered: Bool = true) {
    guard devices[name] == nil else { return }
    if devices.count - gone.count >= capacity {
      guard isAnswered || isPinned(name) else { return }
      let away = devices.values.lazy.filter { $0.state == .away }.map(\.name)
      if let oldest = last(of: away) {
        forget(oldest)
      } else if isPinned(name),
        let oldest = last(
          of: devices.values.lazy.filter { [isPinned] in !$0.isLocal && !isPinned($0.name) }.map(\.name))
      {
        forget(oldest)
      } else if !isLocal {
        return
      }
    }
    devices[name] = TrackedDevice(name: name, seen: now)
  }

  /// Whom to forget first: who is not pinned, and of these who was seen last the longest ago.
  private func last(of names: some Sequence<InstanceName>) -> InstanceName? {
    var oldest: (any: TrackedDevice?, unpinned: TrackedDevice?)
    for name in names {
      guard let device = devices[name] else { continue }
      if oldest.any.map({ device.seen < $0.seen }) ?? true { oldest.any = device }
      guard oldest.unpinned.map({ device.seen < $0.seen }) ?? true, !isPinned(name) else { continue }
      oldest.unpinned = device
    }
    return (oldest.unpinned ?? oldest.any)?.name
  }

  private mutating func forget(_ name: InstanceName) {
    remove(name)
    forgotten.append(name)
  }

  private mutating func remove(_ name: InstanceName) {
    devices[name] = nil
    gone.remove(name)
  }
}
