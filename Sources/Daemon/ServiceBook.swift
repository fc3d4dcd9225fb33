import Control
import LinkLocal
import Logging
import Mesh
import NIOCore
import Trust

/// What this node serves: the services of `hearth.toml` and those added with `hearth serve`, which are kept on disk.
actor ServiceBook {
  private let node: Node
  private let store: ServiceStore
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger
  private var configured: [ServiceDefinition]
  private var added: [ServiceDefinition] = []

  /// - Parameter eventLoopGroup: for connections to the apps behind services.
  init(
    node: Node, configured: [ServiceDefinition], store: ServiceStore, eventLoopGroup: any EventLoopGroup, logger: Logger
  ) {
    self.node = node
    self.configured = configured
    self.store = store
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
  }

  /// Serves all that is configured or was added before. Throws `StateError`, or `DaemonError` where the target of a
  /// configured service cannot be used; nothing is served then.
  func start() throws {
    added = try store.load()
    let services = try prepare(configured)
    for service in services { serve(service) }
    for definition in added { serveAgain(definition) }
  }

  /// Serves at once and over restarts. Throws `ControlError`, and then nothing has changed.
  func add(_ definition: ServiceDefinition) throws -> ServedResource {
    let address = try address(of: definition)
    let service: HostedService
    do {
      service = try hosted(definition)
    } catch {
      throw ControlError(.invalid, "\(error)")
    }
    let (former, kept) = split(definition.name)
    try save(kept + [definition])
    added = kept + [definition]
    for old in former where old.name != definition.name { unserve(old.name) }
    serve(service)
    return ServedResource(jid: address.text, warnings: service.warnings)
  }

  /// Ends what `add` began. Throws `ControlError`.
  func remove(_ name: String) throws {
    guard !isConfigured(name) else {
      throw ControlError(.conflict, "“\(name)” stands in hearth.toml: remove it there and reload the daemon.")
    }
    let (former, kept) = split(name)
    guard !former.isEmpty else {
      throw ControlError(.notFound, "No service “\(name)” is served: see `hearth status`.")
    }
    try save(kept)
    added = kept
    for service in former { unserve(service.name) }
  }

  /// Takes over a changed `hearth.toml`: what is the same goes on undisturbed. Throws `DaemonError` where a target
  /// cannot be used; nothing has changed then.
  func reload(_ definitions: [ServiceDefinition]) throws {
    let changed = try prepare(definitions.filter { !configured.contains($0) })
    let former = configured
    configured = definitions
    for old in former where !definitions.contains(where: { $0.name == old.name }) { unserve(old.name) }
    for hidden in added where isConfigured(hidden.name) && !definitions.contains(where: { $0.name == hidden.name }) {
      unserve(hidden.name)
    }
    for service in changed { serve(service) }
    for definition in added where former.contains(where: { InstanceName($0.name) == InstanceName(definition.name) }) {
      serveAgain(definition)
    }
  }

  /// Those that `remove` ends.
  var addedNames: Set<String> { Set(added.map(\.name).filter { !isConfigured($0) }) }

  private func isConfigured(_ name: String) -> Bool {
    configured.contains { InstanceName($0.name) == InstanceName(name) }
  }

  /// Those that were added under this name, in any case of letters, and the others.
  private func split(_ name: String) -> (former: [ServiceDefinition], kept: [ServiceDefinition]) {
    (
      added.filter { InstanceName($0.name) == InstanceName(name) },
      added.filter { InstanceName($0.name) != InstanceName(name) }
    )
  }

  private func address(of definition: ServiceDefinition) throws(ControlError) -> InstanceName {
    let name = definition.name
    if let problem = DeviceName.problem(with: name) { throw ControlError(.invalid, "The name \(problem).") }
    guard let address = InstanceName(user: name, machine: node.configuration.machine) else {
      throw ControlError(.invalid, "The name “\(name)” \(DeviceName.tooLong).")
    }
    guard InstanceName(name) != InstanceName(node.configuration.name) else {
      throw ControlError(.conflict, "“\(name)” is the node's own name: choose another one.")
    }
    guard !isConfigured(name) else {
      throw ControlError(.conflict, "“\(name)” stands in hearth.toml: change it there and reload the daemon.")
    }
    return address
  }

  private func prepare(_ definitions: [ServiceDefinition]) throws(DaemonError) -> [HostedService] {
    var services: [HostedService] = []
    for definition in definitions {
      do {
        services.append(try hosted(definition))
      } catch {
        throw .service(definition.name, reason: "\(error)")
      }
    }
    return services
  }

  /// One that was added before; a folder that is missing today must not keep the others from being served.
  private func serveAgain(_ definition: ServiceDefinition) {
    let name = definition.name
    guard !isConfigured(name) else {
      return logger.warning("hearth.toml hides a service that was added", metadata: ["service": "\(name)"])
    }
    do {
      serve(try hosted(definition))
    } catch {
      logger.error("cannot serve", metadata: ["service": "\(name)", "error": "\(error)"])
    }
  }

  private func serve(_ service: HostedService) {
    node.serve(service)
    for warning in service.warnings { logger.warning("\(warning)", metadata: ["service": "\(service.name)"]) }
  }

  private func unserve(_ name: String) { _ = node.unserve(name) }

  /// Throws where the target cannot be used; the error's description says why.
  private func hosted(_ definition: ServiceDefinition) throws -> HostedService {
    try HostedService(definition, eventLoopGroup: eventLoopGroup)
  }

  private func save(_ services: [ServiceDefinition]) throws(ControlError) {
    do {
      try store.save(services)
    } catch {
      throw ControlError(.failed, "The change was not kept: \(error).")
    }
  }
}

extension HostedService {
  /// What its owner should know.
  var warnings: [String] {
    policy.plaintext
      ? ["anyone on the link can use this service and read what passes, since it is served as plaintext"] : []
  }
}
