import Avahi
import Control
import Front
import HTTPTypes
import HummingbirdCore
import Logging
import Mesh
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// All of a node, composed: the mesh, the front for browsers, the control socket.
struct Daemon {
  let configuration: Configuration
  /// Where the configuration came from; nil: the defaults.
  let file: String?
  let socket: String
  let machine: String
  let notifier: ServiceNotifier
  let logger: Logger

  /// Runs until `SIGTERM` or `SIGINT`, then says goodbye and returns.
  ///
  /// Throws what kept it from starting or broke it: `ControlError`, `StateError`, `CommandFailure`, and what the node and
  /// the front throw.
  func run(in state: borrowing StateFolder) async throws {
    let node = try Node(
      configuration: NodeConfiguration(
        name: configuration.node.name, machine: machine, port: configuration.node.listen, version: Hearth.version),
      discovery: AvahiDiscovery(interfaces: configuration.node.interfaces ?? [], logger: logger),
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: logger)
    let book = ServiceBook(
      nodeName: configuration.node.name, machine: machine, configured: configuration.services,
      store: ServiceStore(folder: state.path), stage: Self.stage(node), logger: logger)
    try await book.start()
    try await run(services(node, book))
  }

  private func services(_ node: Node, _ book: ServiceBook) -> [any Service] {
    let frontPort = configuration.front.enabled ? configuration.front.port : nil
    let control = ControlServer(
      socket: socket, answers: Self.answers(node, book, logger: logger), version: Hearth.version, frontPort: frontPort,
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: logger)
    let front = frontPort.map { port in
      Front(node: node, port: port, eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: logger)
    }
    let reload = Reload(file: file, running: configuration, book: book, notifier: notifier, logger: logger)
    let readiness = Readiness(
      node: node, control: control, socket: socket, frontPort: frontPort, notifier: notifier, logger: logger)
    return [node, control] + (front.map { [$0] } ?? []) + [reload, readiness]
  }

  private func run(_ services: [any Service]) async throws {
    var quiet = logger
    quiet.logLevel = max(quiet.logLevel, .warning)
    var configuration = ServiceGroupConfiguration(
      services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
    configuration.maximumGracefulShutdownDuration = CLILimits.gracefulShutdown
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch is CancellationError {
      logger.notice("ended before everything was said and done", metadata: ["after": "\(CLILimits.gracefulShutdown)"])
    }
  }

  private static func stage(_ node: Node) -> ServiceBook.Stage {
    ServiceBook.Stage(
      prepare: { try HostedService($0, eventLoopGroup: .singletonMultiThreadedEventLoopGroup) },
      serve: { node.serve($0) }, unserve: { _ = node.unserve($0) })
  }

  private static func answers(_ node: Node, _ book: ServiceBook, logger: Logger) -> ControlAnswers {
    let gateway = Gateway(node: node, logger: logger)
    return ControlAnswers(
      devices: { node.devices() }, deviceChanges: { node.deviceChanges() }, status: { node.status() },
      serve: { name, service in
        try await book.add(
          ServiceDefinition(
            name: name, target: service.target, title: service.title, description: service.description,
            plaintext: service.plaintext))
      },
      unserve: { try await book.remove($0) },
      proxy: { request, writer, _ in try await gateway.forward(request, writer: writer) })
  }
}
