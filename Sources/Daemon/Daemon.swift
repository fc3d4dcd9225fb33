import Avahi
import CMalloc
import Control
import Dashboard
import Front
package import Logging
import Mesh
import NIOCore
import NIOPosix
import ServiceLifecycle
import Trust
import UnixSignals

/// All of a node, composed: the mesh, the front for browsers, the control socket.
///
/// More than eight properties: one for each thing that its parts are made with.
package struct Daemon {
  /// Of the whole program.
  package static let version = "0.1.0"

  private let configuration: Configuration
  /// Where the configuration came from; nil: the defaults.
  private let file: String?
  /// The folder `trusted.d`, and whom it named at the start.
  private let trusted: String?
  private let fleet: [FleetEntry]
  private let socket: String
  private let machine: String
  private let notifier: ServiceNotifier
  private let accessLog: Bool
  private let logger: Logger

  /// Reads what is configured.
  ///
  /// - Parameters:
  ///   - file: `hearth.toml`; nil: the defaults.
  ///   - trusted: the folder `trusted.d`; nil where there can be none.
  ///   - socket: where to answer the command line. The folder of the system's own socket is made where it is missing.
  ///   - notifier: tells the service manager.
  ///   - accessLog: a line a request, whatever the configuration says.
  /// - Throws: `ConfigurationError`, `DaemonError`, `SystemError`.
  package init(
    file: String?, trusted: String?, socket: String, notifier: ServiceNotifier, accessLog: Bool = false,
    logger: Logger
  ) throws {
    configuration = try file.map(ConfigurationFile.read) ?? Configuration()
    fleet = try TrustedFolder.read(trusted)
    machine = try MachineName.of(configuration.node)
    if socket == SystemFolders.socket { try SystemFolders.makeRuntimeFolder() }
    self.file = file
    self.trusted = trusted
    self.socket = socket
    self.notifier = notifier
    self.accessLog = accessLog || configuration.log.access
    self.logger = logger
  }

  /// Runs until `SIGTERM` or `SIGINT`, then says goodbye and returns.
  ///
  /// - Parameter folder: for what has to survive a restart; locked meanwhile.
  /// - Throws: what kept it from starting or broke it: `ControlError`, `StateError`, `DaemonError`, and what the node and
  ///   the front throw.
  package func run(in folder: String) async throws {
    try await run(in: try StateFolder(folder))
  }

  private func run(in state: borrowing StateFolder) async throws {
    NIOSingletons.groupLoopCountSuggestion = DaemonLimits.eventLoops(cores: System.coreCount)
    let keys = IdentityStore(folder: state.path)
    let identity = try keys.load(name: "\(configuration.node.name)@\(machine)")
    let trustService = try FriendStore(folder: state.path).open(
      for: identity, rotations: try keys.rotations(to: identity), mode: configuration.node.requests, logger: logger)
    await trustService.setFleet(fleet)
    let node = try Node(
      configuration: NodeConfiguration(
        name: configuration.node.name, machine: machine, port: configuration.node.listen,
        version: Self.version, memory: configuration.limits.memory, preference: configuration.transfer.prefer,
        accessLog: accessLog),
      trustService: trustService,
      discovery: AvahiDiscovery(interfaces: configuration.node.interfaces ?? [], logger: logger),
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: logger,
      // After many requests at once most of what they needed is free, between what is in use: up to half of the process.
      whenQuiet: { NIOThreadPool.singleton.submit { _ in CMalloc_trim() } })
    let book = ServiceBook(
      node: node, configured: configuration.services, store: ServiceStore(folder: state.path),
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: logger)
    try await book.start()
    let accountBook = AccountBook(
      configured: configuration.account, store: AccountStore(folder: state.path), id: trustService.id,
      eventLoop: { ServerLoop.eventLoop },
      takesRequests: configuration.node.requests != .reject, logger: logger)
    try await accountBook.start()
    try await run(services(node, book, accountBook, keys, ForwardStore(folder: state.path)))
  }

  /// In the order of their start; they end the other way round, so that the node can say goodbye last.
  private func services(
    _ node: Node, _ book: ServiceBook, _ accountBook: AccountBook, _ keys: IdentityStore, _ forwardStore: ForwardStore
  ) async throws -> [any Service] {
    let booked = BookedServices(node: node, book: book)
    let dashboard = dashboard(of: booked)
    let front = frontPort.map {
      Front(
        node: node, port: $0, responder: dashboard, eventLoopGroup: .singletonMultiThreadedEventLoopGroup,
        logger: logger)
    }
    let forwards = forwards(of: node, dashboard)
    let forwardBook = ForwardBook(
      forwards: forwards, configured: configuration.forwards, store: forwardStore, frontPort: configuration.front.port,
      logger: logger)
    try await forwardBook.start()
    let gateway = Gateway(node: node, responder: dashboard, logger: logger)
    let component = configuration.component.flatMap {
      ComponentRunner($0, node: node, on: ServerLoop.eventLoop, logger: logger)
    }
    let control = ControlServer(
      socket: socket,
      daemon: RunningDaemon(
        services: booked, forwardBook: forwardBook, accountBook: accountBook, component: component?.component,
        keys: keys,
        gateway: gateway),
      version: Self.version, frontPort: frontPort, eventLoopGroup: .singletonMultiThreadedEventLoopGroup,
      logger: logger)
    let readiness = Readiness(
      node: node, control: control, socket: socket, front: front, notifier: notifier, logger: logger)
    let reload = Reload(
      file: file, trusted: trusted, running: configuration, trustService: node.trustService, book: book,
      forwardBook: forwardBook, accountBook: accountBook, notifier: notifier, logger: logger)
    let metrics = configuration.metrics.listen.map {
      MetricsServer(
        port: $0, node: node, version: Self.version, eventLoopGroup: .singletonMultiThreadedEventLoopGroup,
        logger: logger)
    }
    let watchdog = Watchdog(notifier: notifier, eventLoopGroup: .singletonMultiThreadedEventLoopGroup) {
      _ = node.status()
    }
    let optional: [(any Service)?] = [front, forwards, metrics, component]
    return [readiness, node] + optional.compactMap { $0 }
      + [AccountRunner(book: accountBook, node: node), control, reload, watchdog, notifier]
  }

  /// nil where no front runs.
  private var frontPort: Int? { configuration.front.enabled ? configuration.front.port : nil }

  private func dashboard(of services: BookedServices) -> DashboardResponder {
    let rights = ControlRights.ofThisProcess
    return DashboardResponder(
      node: services.node, services: services,
      // As on the control socket; the databases of users may be far away.
      mayChange: { user in
        (try? await NIOThreadPool.singleton.runIfActive { rights.mayChange(user) }) ?? false
      }, logger: logger)
  }

  private func forwards(of node: Node, _ dashboard: DashboardResponder) -> Forwards? {
    frontPort.map {
      Forwards(
        node: node, front: FrontAddress(port: $0), responder: dashboard,
        eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: logger)
    }
  }

  private func run(_ services: [any Service]) async throws {
    var quiet = logger
    quiet.logLevel = max(quiet.logLevel, .warning)
    var configuration = ServiceGroupConfiguration(
      services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
    configuration.maximumGracefulShutdownDuration = DaemonLimits.gracefulShutdown
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch let error as NodeError {
      guard case .cannotListen = error else { throw error }
      throw DaemonError.port("\(error)")
    } catch is CancellationError {
      logger.notice(
        "ended before everything was said and done", metadata: ["after": "\(DaemonLimits.gracefulShutdown)"])
    }
  }
}
