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
/// More than eight properties: three are what it tells the session, and the others one table each of what libavahi keeps.
final class Browsing {
  /// Called when Avahi gives the browsing up.
  var failed: (String) -> Void = { _ in }
  /// Called when everything is listed that avahi-daemon knew already; what comes later, it has just learnt.
  var caughtUp: () -> Void = {}
  /// Called when it may have become clear whose a name is.
  var learned: () -> Void = {}
  /// What avahi-daemon calls this machine, with its domain.
  var ownHost: () -> String = { "" }
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
  }
  private var listings: [Sighting.Key: Listing] = [:]
  private var resolvers: [Sighting.Key: Resolver] = [:]
  private var budget = ResolverBudget()
  /// Names by kernel index. Kept, for an interface has no name any more when its instances are reported lost.
  private var interfaces: [AvahiIfIndex: Interface] = [:]
  private let report: AsyncStream<DiscoveryEvent>.Continuation
  private let logger: Logger

  init(report: AsyncStream<DiscoveryEvent>.Continuation, logger: Logger) {
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

  /// Leaves everything as it is: there is nobody to talk to.
  func pause() {
    client = nil
  }

  /// Forgets everything; the client that is about to be freed frees what is Avahi's.
  func stop() {
    client = nil
    listings = [:]
    resolvers = [:]
    budget = ResolverBudget()
    interfaces = [:]
  }

  private func received(
    _ event: AvahiBrowserEvent, _ name: UnsafePointer<CChar>?, _ domain: UnsafePointer<CChar>?,
    _ interface: AvahiIfIndex, _ family: AvahiProtocol, isLocal: Bool
  ) {
    switch event {
    case AVAHI_BROWSER_NEW:
      guard let name, let domain, let key = key(name, interface, family), listings[key] == nil else { return }
      listings[key] = Listing(
        domain: String(cString: domain), holder: isLocal ? .local : .unknown, isLocal: isLocal)
      budget.appeared(key).map(resolve)
    case AVAHI_BROWSER_REMOVE:
      guard let name, let key = key(name, interface, family), listings.removeValue(forKey: key) != nil else { return }
      resolvers.removeValue(forKey: key)?.free()
      report.yield(.lost(key))
      budget.vanished(key).map(resolve)
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

  private func resolve(_ key: Sighting.Key) {
    guard let client, let listing = listings[key] else { return }
    let resolver = Resolver(key) { [unowned self] finding in resolved(key, finding) }
    guard resolver.start(client, domain: listing.domain) else {
      let error = avahi_client_errno(client)
      guard !isBrokenConnection(error) else { return failed(errorText(error)) }
      logger.warning("cannot resolve \(key.instance): \(errorText(error))")
      budget.vanished(key).map(resolve)
      return
    }
    resolvers[key] = resolver
  }

  private func resolved(_ key: Sighting.Key, _ finding: Resolver.Finding) {
    switch finding {
    case .found(let address, let port, let record, let host):
      listings[key]?.holder = .host(host)
      let isOwn = listings[key]?.isLocal == true && host.lowercased() == ownHost().lowercased()
      let endpoint = Endpoint(address: address, port: port, interface: key.interface, isOnThisMachine: isOwn)
      report.yield(.found(Sighting(key: key, endpoint: endpoint, record: record)))
    case .silence:
      logger.debug("nobody answers for \(key.instance) on \(key.interface.name)")
      listings[key]?.holder = .nobody
      report.yield(.unanswered(key))
    }
    let verdict = budget.settled(key)
    if !verdict.isKept { resolvers.removeValue(forKey: key)?.free() }
    verdict.next.map(resolve)
    learned()
  }

  /// A name that this host had is somebody else's.
  func gaveUp(_ name: InstanceName) {
    for key in listings.keys where key.instance == name {
      listings[key]?.isLocal = false
      if case .local? = listings[key]?.holder { listings[key]?.holder = .unknown }
    }
  }
}
