import FoundationEssentials

/// What the roster knows of one device.
struct TrackedDevice: Sendable {
  enum Owner: Sendable, Hashable {
    case peer
    /// This node, with the announcement's id.
    case announcement(id: String)
    /// This node, which has taken it back; hidden until mDNS no longer lists it.
    case withdrawn
  }

  /// One view of the device: a source, an interface and an address family that list it.
  struct View: Sendable, Hashable {
    let source: DiscoverySource
    let key: Sighting.Key
  }

  /// What one view shows.
  struct Listing: Sendable {
    /// What was resolved last; nil where nothing ever was.
    var sighting: Sighting?
    var answers: Bool
    /// What this very node announces; under a name that another one has by now, it is a mere leftover.
    var isOwn = false
    /// Not confirmed since discovery was restarted.
    var isStale = false
  }

  let name: InstanceName
  var owner: Owner = .peer
  var listings: [View: Listing] = [:]
  var record = TXTRecord()
  /// Set by a failed dial, cleared by any later sign of life.
  var refusesDials = false
  var seen: Date

  init(name: InstanceName, seen: Date) {
    self.name = name
    self.seen = seen
  }

  var isLocal: Bool {
    switch owner {
    case .announcement: true
    case .peer, .withdrawn: false
    }
  }

  var state: DiscoveredDevice.State {
    if isLocal { return .online }
    if listings.isEmpty { return .gone }
    return isOnLink || relayed?.answers == true ? .online : .away
  }

  /// The views of the link that show where the device is.
  private var believed: [Listing] {
    listings.filter { $0.key.source == .link && (!$0.value.isOwn || isLocal) }.map(\.value)
  }

  /// Nothing speaks against it that the link has it.
  private var isOnLink: Bool { !refusesDials && believed.contains(where: \.answers) }

  /// The view over a server, where there is one; of several always the same.
  private var relayed: (server: String, record: TXTRecord, answers: Bool)? {
    let views = listings.compactMap { view, listing -> (server: String, record: TXTRecord, answers: Bool)? in
      guard case .account(let domain) = view.source, let sighting = listing.sighting else { return nil }
      return (domain, sighting.record, listing.answers)
    }
    return views.min {
      ($0.answers ? 0 : 1, $0.server, $0.record.id ?? "") < ($1.answers ? 0 : 1, $1.server, $1.record.id ?? "")
    }
  }

  /// The link comes first: what is on it is reached there, whoever lists it besides.
  var entry: DiscoveredDevice {
    if !isLocal, !isOnLink, let relayed, relayed.answers || believed.isEmpty {
      return DiscoveredDevice(
        name: name, state: state, isLocal: false, endpoints: [], server: relayed.server, record: relayed.record,
        seen: seen)
    }
    let answering = believed.contains(where: \.answers)
    let endpoints = believed.filter { $0.answers == answering }.compactMap { $0.sighting?.endpoint }
    return DiscoveredDevice(
      name: name, state: state, isLocal: isLocal, endpoints: Set(endpoints).sorted(by: Endpoint.precedes),
      record: record, seen: seen)
  }

  mutating func found(_ sighting: Sighting, isOwn: Bool, from source: DiscoverySource, now: Date) {
    let view = View(source: source, key: sighting.key)
    let known = listings[view]
    guard known != nil || listings.count < LinkLocalLimits.sightings else { return }
    let isNews = known.map { !$0.answers || $0.isStale || $0.sighting != sighting } ?? true
    var sighting = sighting
    if source == .link {
      // Views of one device mostly show the same; then they share it.
      if record != sighting.record { record = sighting.record }
      sighting = Sighting(key: sighting.key, endpoint: sighting.endpoint, record: record)
      if isNews { refusesDials = false }
    }
    listings[view] = Listing(sighting: sighting, answers: true, isOwn: isOwn)
    seen = now
  }

  /// What was known of it holds until somebody was asked.
  mutating func listed(_ view: View) {
    guard listings[view] != nil || listings.count < LinkLocalLimits.sightings else { return }
    listings[view, default: Listing(answers: false)].isStale = false
  }

  mutating func unanswered(_ view: View) {
    guard listings[view] != nil || listings.count < LinkLocalLimits.sightings else { return }
    listings[view, default: Listing(answers: false)].answers = false
    listings[view]?.isStale = false
  }

  mutating func lost(_ view: View, now: Date) {
    // Until now its records were kept fresh, so somebody did answer.
    if state == .online { seen = now }
    listings[view] = nil
  }

  mutating func restarted(_ source: DiscoverySource) {
    for view in listings.keys where view.source == source { listings[view]?.isStale = true }
  }

  /// Drops what these sources have not shown again since they were restarted.
  mutating func dropStale(of sources: Set<DiscoverySource>) {
    listings = listings.filter { !$0.value.isStale || !sources.contains($0.key.source) }
  }

  /// It did so by the way that was taken, and what that says of the other one is nothing.
  mutating func answered(now: Date) {
    let isRelayed = entry.server != nil
    for view in listings.keys where (view.source == .link) != isRelayed { listings[view]?.answers = true }
    if !isRelayed { refusesDials = false }
    seen = now
  }

  /// Nobody accepted a connection by the way that was taken.
  mutating func dialFailed() {
    guard let server = entry.server else { return refusesDials = true }
    for view in listings.keys where view.source == .account(domain: server) { listings[view]?.answers = false }
  }
}

extension Endpoint {
  fileprivate static func precedes(_ a: Endpoint, _ b: Endpoint) -> Bool {
    (a.interface.index, a.address, a.port) < (b.interface.index, b.address, b.port)
  }
}
