import Control
import LinkLocal
import Logging
import Mesh
import Trust

/// What this node serves: the services of `hearth.toml` and those added with `hearth serve`, which are kept on disk.
actor ServiceBook {
  /// The node's own device name; no service may have it.
  private let nodeName: String
  private let machine: String
  private let store: ServiceStore
  private let stage: Stage
  private let logger: Logger
  private var configured: [ServiceDefinition]
  private var added: [ServiceDefinition] = []

  /// What a service is put on: the node, and the way from a definition to what it serves.
  struct Stage: Sendable {
    /// Throws where the target cannot be used; the error's description says why.
    var prepare: @Sendable (ServiceDefinition) throws -> HostedService
    /// Announces and serves; replaces the service of the same name.
    var serve: @Sendable (HostedService) -> Void
    var unserve: @Sendable (_ name: String) -> Void
  }

  init(
    nodeName: String, machine: String, configured: [ServiceDefinition], store: ServiceStore, stage: Stage,
    logger: Logger
  ) {
    self.nodeName = nodeName
    self.machine = machine
    self.configured = configured
    self.store = store
    self.stage = stage
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
      service = try stage.prepare(definition)
    } catch {
      throw ControlError(.invalid, "\(error)")
    }
    let (former, kept) = split(definition.name)
    try save(kept + [definition])
    added = kept + [definition]
    for old in former where old.name != definition.name { stage.unserve(old.name) }
    serve(service)
    return ServedResource(jid: address.text, warnings: service.warnings)
  }

  /// Ends what `add` began. Throws `ControlError`.
  func remove(_ name: String) throws {
    guard !isConfigured(name) else {
      throw ControlError(.conflict, "\"\(name)\" stands in hearth.toml: remove it there and reload the daemon.")
    }
    let (former, kept) = split(name)
    guard !former.isEmpty else {
      throw ControlError(.notFound, "No service \"\(name)\" is served: see `hearth status`.")
    }
    try save(kept)
    added = kept
    for service in former { stage.unserve(service.name) }
  }

  /// Takes over a changed `hearth.toml`: what is the same goes on undisturbed. Throws `DaemonError` where a target
  /// cannot be used; nothing has changed then.
  func reload(_ definitions: [ServiceDefinition]) throws {
    let changed = try prepare(definitions.filter { !configured.contains($0) })
    let former = configured
    configured = definitions
    for old in former where !definitions.contains(where: { $0.name == old.name }) { stage.unserve(old.name) }
    for hidden in added where isConfigured(hidden.name) && !definitions.contains(where: { $0.name == hidden.name }) {
      stage.unserve(hidden.name)
    }
    for service in changed { serve(service) }
    for definition in added where former.contains(where: { InstanceName($0.name) == InstanceName(definition.name) }) {
      serveAgain(definition)
    }
  }

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
    guard let address = InstanceName(user: name, machine: machine) else {
      throw ControlError(.invalid, "The name \"\(name)\" \(DeviceName.tooLong).")
    }
    guard InstanceName(name) != InstanceName(nodeName) else {
      throw ControlError(.conflict, "\"\(name)\" is the node's own name: choose another one.")
    }
    guard !isConfigured(name) else {
      throw ControlError(.conflict, "\"\(name)\" stands in hearth.toml: change it there and reload the daemon.")
    }
    return address
  }

  private func prepare(_ definitions: [ServiceDefinition]) throws(DaemonError) -> [HostedService] {
    var services: [HostedService] = []
    for definition in definitions {
      do {
        services.append(try stage.prepare(definition))
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
      serve(try stage.prepare(definition))
    } catch {
      logger.error("cannot serve", metadata: ["service": "\(name)", "error": "\(error)"])
    }
  }

  private func serve(_ service: HostedService) {
    stage.serve(service)
    for warning in service.warnings { logger.warning("\(warning)", metadata: ["service": "\(service.name)"]) }
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
