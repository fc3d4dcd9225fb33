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
    return !refusesDials && believed.contains(where: \.answers) ? .online : .away
  }

  /// The views that show where the device is.
  private var believed: [Listing] { listings.values.filter { !$0.isOwn || isLocal } }

  var entry: DiscoveredDevice {
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
    // Views of one device mostly show the same; then they share it.
    if record != sighting.record { record = sighting.record }
    listings[view] = Listing(
      sighting: Sighting(key: sighting.key, endpoint: sighting.endpoint, record: record), answers: true,
      isOwn: isOwn)
    seen = now
    if isNews { refusesDials = false }
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

  mutating func answered(now: Date) {
    for key in listings.keys { listings[key]?.answers = true }
    refusesDials = false
    seen = now
  }
}

extension Endpoint {
  fileprivate static func precedes(_ a: Endpoint, _ b: Endpoint) -> Bool {
    (a.interface.index, a.address, a.port) < (b.interface.index, b.address, b.port)
  }
}
