import CAvahi
import LinkLocal
import Logging

/// Whether a name is free to be announced.
enum Availability {
  case free
  case taken
  /// The link lists it, and has not told yet whose it is.
  case unknown
}

/// Looks for presence instances and resolves each on every interface and address family. On the Avahi thread only.
///
/// More than eight properties: four tie it to the session, and the others are one table each of what libavahi keeps.
final class Browsing {
  /// Called when Avahi gives the browsing up.
  var failed: (String) -> Void = { _ in }
  /// Called when everything is listed that avahi-daemon knew already; what comes later, it has just learnt.
  var caughtUp: () -> Void = {}
  /// Called when it may have become clear whose a name is.
  var learned: () -> Void = {}
  /// Called when other instances than before are kept fresh because somebody wanted them.
  var keepsFresh: (Set<InstanceName>) -> Void = { _ in }
  /// What avahi-daemon calls this machine, with its domain.
  var ownHost: () -> String = { "" }
  /// Goes off when it is the turn of those that have no resolver of their own.
  var turns: TimerFD?
  /// Browsers that have not come so far yet.
  private var behind = 0

  private var client: OpaquePointer?
  private struct Listing {
    enum Holder {
      /// An announcement of this host, by its avahi-daemon's own account.
      case local
      case unknown
      case host(String)
      case nobody
    }

    let domain: String
    var holder: Holder
    /// Whether an announcement of this host stands behind it, by its avahi-daemon's own account: where others announce something
    /// at this host's name, that is not so.
    var isLocal: Bool
    /// This host had the name, and nobody else has been seen to have it since.
    var isGivenUp = false
    /// The `id` of the record that was told last.
    var id: String?
  }
  private var listings: [Sighting.Key: Listing] = [:]
  private var resolvers: [Sighting.Key: Resolver] = [:]
  private var budget = ResolverBudget()
  /// Resolvers that have told nothing yet.
  private var unsettled: Set<Sighting.Key> = []
  /// What others want to be resolved, and of which resolvers something is awaited.
  private var wanted: [InstanceName: Set<Sighting.Key>] = [:]
  /// Of which each view that is listed keeps a resolver, and whoever waited for these has been told.
  private var fresh: Set<InstanceName> = [] { didSet { keepsFresh(fresh) } }
  private var awaitsTurn = false
  /// Names that may have changed hands: a resolver of avahi-daemon's (0.8) keeps to the address that it found first, whatever
  /// the link has told since. Turns until each is resolved by a new one, and how many it were.
  private var doubted: [Sighting.Key: (left: Int, of: Int)] = [:]
  /// Names by kernel index. Kept, for an interface has no name any more when its instances are reported lost.
  private var interfaces: [AvahiIfIndex: Interface] = [:]
  private let report: EventReport
  private let logger: Logger

  init(report: EventReport, logger: Logger) {
    self.report = report
    self.logger = logger
  }

  func start(_ client: OpaquePointer, _ scope: [AvahiIfIndex]) {
    self.client = client
    behind = scope.count
    for interface in scope {
      // The client frees it.
      let browser = avahi_service_browser_new(
        client, interface, anyFamily, serviceType, nil, AvahiLookupFlags(0),
        { browser, interface, family, event, name, _, domain, flags, context in
          guard let context else { return }
          let isLocal = flags.rawValue & AVAHI_LOOKUP_RESULT_LOCAL.rawValue != 0
          Unmanaged<Browsing>.fromOpaque(context).takeUnretainedValue()
            .received(event, name, domain, interface, family, isLocal: isLocal)
        }, Unmanaged.passUnretained(self).toOpaque())
      guard browser != nil else { return failed("cannot browse: \(lastError(of: client))") }
    }
  }

  /// Whether another host than this one has this name. What this host itself gave up a moment ago is listed for another
  /// second, like anyone's (RFC 6762 §10.1); so whose it is has to be resolved.
  func availability(of name: InstanceName) -> Availability {
    var availability = Availability.free
    let own = ownHost().lowercased()
    for case (let key, let listing) in listings where key.instance == name {
      switch listing.holder {
      case .host(let host) where host.lowercased() != own: return .taken
      case .unknown: availability = .unknown
      case .host, .local, .nobody: break
      }
    }
    return availability
  }

  /// Resolves the instance now, and tells when that is done.
  func want(_ name: InstanceName) {
    let keys = listings.keys.filter { $0.instance == name }
    let now = ContinuousClock.now
    if client != nil { for key in keys { carryOut(budget.wanted(key, now: now)) } }
    let awaited = unsettled.intersection(keys)
    guard client != nil, !awaited.isEmpty else {
      if !keys.isEmpty, keys.allSatisfy({ resolvers[$0] != nil }) { fresh.insert(name) }
      return tellResolved(name)
    }
    wanted[name] = awaited
  }

  func turn() {
    awaitsTurn = false
    guard client != nil else { return }
    var looks = 0
    for (key, turns) in doubted {
      if turns.left > 1 {
        doubted[key]?.left -= 1
      } else if looks < AvahiLimits.refreshesAtOnce {
        looks += 1
        let next = 2 * turns.of
        doubted[key] = next > AvahiLimits.longestDoubt ? nil : (next, next)
        resolveAgain(key)
      }
    }
    carryOut(budget.turn(now: .now))
  }

  /// Leaves everything as it is: there is nobody to talk to.
  func pause() {
    client = nil
    fresh = []
    for name in wanted.keys { tellResolved(name) }
  }

  /// Forgets everything; the client that is about to be freed frees what is Avahi's.
  func stop() {
    client = nil
    listings = [:]
    resolvers = [:]
    fresh = []
    budget = ResolverBudget()
    (unsettled, doubted) = ([], [:])
    for name in wanted.keys { tellResolved(name) }
    interfaces = [:]
  }

  private func received(
    _ event: AvahiBrowserEvent, _ name: UnsafePointer<CChar>?, _ domain: UnsafePointer<CChar>?,
    _ interface: AvahiIfIndex, _ family: AvahiProtocol, isLocal: Bool
  ) {
    switch event {
    case AVAHI_BROWSER_NEW:
      guard let name, let domain, let key = key(name, interface, family), listings[key] == nil,
        listings.count < AvahiLimits.listings
      else { return }
      goesStale(key.instance)
      listings[key] = Listing(
        domain: String(cString: domain), holder: isLocal ? .local : .unknown, isLocal: isLocal)
      let steps = budget.appeared(key)
      if !steps.contains(.resolve(key)) { report.yield(.listed(key)) }
      carryOut(steps)
    case AVAHI_BROWSER_REMOVE:
      guard let name, let key = key(name, interface, family), listings.removeValue(forKey: key) != nil else { return }
      free(key)
      doubted[key] = nil
      report.yield(.lost(key))
      settled(key, isFound: false)
      carryOut(budget.vanished(key))
      learned()
    case AVAHI_BROWSER_CACHE_EXHAUSTED:
      behind -= 1
      if behind == 0 { caughtUp() }
    case AVAHI_BROWSER_FAILURE:
      if let client { failed("cannot browse: \(lastError(of: client))") }
    default:
      break
    }
  }

  /// nil for a name that can be no address, and for an interface that vanished before it was seen.
  private func key(
    _ name: UnsafePointer<CChar>, _ interface: AvahiIfIndex, _ family: AvahiProtocol
  ) -> Sighting.Key? {
    guard let instance = InstanceName(String(cString: name)) else {
      logger.debug("ignored an instance whose name is no address")
      return nil
    }
    guard let known = interfaces[interface] ?? Interface(index: interface) else { return nil }
    interfaces[interface] = known
    return Sighting.Key(
      instance: instance, interface: known, family: family == Sighting.Family.ipv6.protocolNumber ? .ipv6 : .ipv4)
  }

  private func carryOut(_ steps: [ResolverBudget.Step]) {
    for step in steps {
      switch step {
      case .resolve(let key): resolve(key)
      case .free(let key):
        free(key)
        settled(key, isFound: false)
      }
    }
    guard budget.needsTurns || !doubted.isEmpty, !awaitsTurn else { return }
    awaitsTurn = true
    turns?.set(.seconds(1))
  }

  private func free(_ key: Sighting.Key) {
    goesStale(key.instance)
    resolvers.removeValue(forKey: key)?.free()
  }

  private func resolve(_ key: Sighting.Key) {
    guard let client, let listing = listings[key] else { return }
    let resolver = Resolver(key) { [unowned self] finding in resolved(key, finding) }
    guard resolver.start(client, domain: listing.domain) else {
      let error = avahi_client_errno(client)
      guard !isBrokenConnection(error) else { return failed(errorText(error)) }
      logger.warning("cannot resolve \(key.instance): \(errorText(error))")
      return carryOut(budget.vanished(key))
    }
    resolvers[key] = resolver
    unsettled.insert(key)
  }

  private func resolveAgain(_ key: Sighting.Key) {
    guard resolvers[key] != nil else { return carryOut(budget.wanted(key, now: .now)) }
    free(key)
    resolve(key)
  }

  private func resolved(_ key: Sighting.Key, _ finding: Resolver.Finding) {
    let isOwnHost =
      if case .found(_, _, _, let host) = finding { host.lowercased() == ownHost().lowercased() } else { false }
    switch finding {
    case .found(_, _, _, let host) where isOwnHost && listings[key]?.isGivenUp == true:
      listings[key]?.holder = .host(host)
      report.yield(.unanswered(key))
      settled(key, isFound: false)
    case .found(let address, let port, let record, let host):
      listings[key]?.holder = .host(host)
      listings[key]?.isGivenUp = false
      if let known = listings[key]?.id, known != record.id { doubt(key) }
      listings[key]?.id = record.id
      let isOwn = isOwnHost && listings[key]?.isLocal == true
      let endpoint = Endpoint(address: address, port: port, interface: key.interface, isOnThisMachine: isOwn)
      report.yield(.found(Sighting(key: key, endpoint: endpoint, record: record)))
      settled(key, isFound: true)
    case .silence:
      logger.debug("nobody answers for \(key.instance) on \(key.interface.name)")
      listings[key]?.holder = .nobody
      report.yield(.unanswered(key))
      settled(key, isFound: false)
    }
    carryOut(budget.settled(key, now: .now))
    learned()
  }

  /// One address is enough for whoever waits; that there is none is known when all have told.
  private func settled(_ key: Sighting.Key, isFound: Bool) {
    unsettled.remove(key)
    guard wanted[key.instance]?.remove(key) != nil, isFound || wanted[key.instance]?.isEmpty == true else { return }
    if isFound { fresh.insert(key.instance) }
    tellResolved(key.instance)
  }

  private func goesStale(_ name: InstanceName) {
    if fresh.contains(name) { fresh.remove(name) }
  }

  private func tellResolved(_ name: InstanceName) {
    wanted[name] = nil
    report.yield(.resolved(name))
  }

  /// A name that this host had is somebody else's.
  func gaveUp(_ name: InstanceName) {
    for (key, listing) in listings where key.instance == name {
      listings[key]?.isLocal = false
      switch listing.holder {
      case .host(let host) where host.lowercased() != ownHost().lowercased(): continue
      case .local: listings[key]?.holder = .unknown
      case .host, .unknown, .nobody: break
      }
      listings[key]?.isGivenUp = true
      report.yield(.unanswered(key))
      doubt(key)
    }
    carryOut([])
  }

  private func doubt(_ key: Sighting.Key) {
    if doubted[key] == nil { doubted[key] = (1, 1) }
  }
}
