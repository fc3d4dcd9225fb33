import Control
import Front
import HTTPEdge
import Logging
import NIOPosix
import XMPP

/// What this node forwards: the ports of `hearth.toml` and those added with `hearth forward`, which are kept on disk.
actor ForwardBook {
  /// nil where no front runs.
  private let forwards: Forwards?
  private let store: ForwardStore
  /// Which the node itself needs.
  private let frontPort: Int
  private let logger: Logger
  private var configured: [Forward]
  private var added: [Forward] = []
  /// Ports that are being tried: whoever waits lets others in.
  private var opening: Set<Int> = []

  init(forwards: Forwards?, configured: [Forward], store: ForwardStore, frontPort: Int, logger: Logger) {
    self.forwards = forwards
    self.configured = configured
    self.store = store
    self.frontPort = frontPort
    self.logger = logger
  }

  /// Opens all that is configured or was added before; one whose port is taken keeps nothing else from running. Throws
  /// `StateError`.
  func start() throws {
    added = try store.load()
    for forward in all { open(forward) }
  }

  /// By port.
  var list: [ForwardResource] { all.map(resource) }

  private var all: [Forward] {
    (configured + added.filter { !isConfigured($0.port) }).sorted { $0.port < $1.port }
  }

  private func isConfigured(_ port: Int) -> Bool { configured.contains { $0.port == port } }

  private func resource(_ forward: Forward) -> ForwardResource {
    let problem =
      forwards == nil
      ? "no front runs" : forward.port == frontPort ? Self.isFronts : forwards?.problem(with: forward.port)?.message
    return ForwardResource(forward, configured: isConfigured(forward.port), problem: problem)
  }

  /// Opens at once and over restarts. Throws `ControlError`, and then nothing has changed.
  ///
  /// - Parameter port: nil: that which the device has already, else one that is free.
  func add(_ device: JID, at port: Int?) async throws -> ForwardResource {
    guard let forwards else {
      throw ControlError(.conflict, "No front runs here: set enabled = true under [front] in hearth.toml and restart.")
    }
    if let known = all.first(where: { $0.device == device && (port == nil || $0.port == port) }) {
      try await tryAgain(known, forwards)
      return resource(known)
    }
    guard all.count < FrontLimits.forwards else {
      throw ControlError(.conflict, "There are \(all.count) forwards, and no more are possible: remove one.")
    }
    let forward = try await listen(device, at: port, forwards)
    do {
      try save(added + [forward])
    } catch {
      await forwards.close(forward.port)
      throw error
    }
    added.append(forward)
    return resource(forward)
  }

  /// Ends what `add` began. Throws `ControlError`.
  func remove(_ port: Int) async throws {
    guard !isConfigured(port) else {
      throw ControlError(.conflict, "Port \(port) stands in hearth.toml: remove it there and reload the daemon.")
    }
    guard added.contains(where: { $0.port == port }) else {
      throw ControlError(.notFound, "Port \(port) is not forwarded: see `hearth forward --list`.")
    }
    let kept = added.filter { $0.port != port }
    try save(kept)
    added = kept
    await forwards?.close(port)
  }

  /// Takes over a changed `hearth.toml`: what is the same and works goes on undisturbed, what did not work is tried again.
  func reload(_ definitions: [Forward]) async {
    let former = all
    configured = definitions
    let wanted = all
    let kept = former.filter { wanted.contains($0) && forwards?.problem(with: $0.port) == nil }
    for old in former where !kept.contains(old) { await forwards?.close(old.port) }
    for new in wanted where !kept.contains(new) { open(new) }
  }

  private func open(_ forward: Forward) {
    if isConfigured(forward.port), added.contains(where: { $0.port == forward.port && $0.device != forward.device }) {
      logger.warning("hearth.toml hides a forward that was added", metadata: ["port": "\(forward.port)"])
    }
    guard forward.port != frontPort else {
      return logger.error("cannot be forwarded: \(Self.isFronts)", metadata: ["port": "\(forward.port)"])
    }
    forwards?.open(forward)
  }

  private static let isFronts = "it is the front's own port"

  private func save(_ forwards: [Forward]) throws(ControlError) {
    do {
      try store.save(forwards)
    } catch {
      throw ControlError(.failed, "The change was not kept: \(error).")
    }
  }
}

/// Ports, and why one cannot be had.
extension ForwardBook {
  /// One that could not be listened on before.
  private func tryAgain(_ forward: Forward, _ forwards: Forwards) async throws(ControlError) {
    guard forwards.problem(with: forward.port) != nil else { return }
    await forwards.close(forward.port)
    forwards.open(forward)
    if let problem = await forwards.problem(afterOpening: forward.port) {
      throw await failure(problem, at: forward.port)
    }
  }

  private func listen(_ device: JID, at port: Int?, _ forwards: Forwards) async throws(ControlError) -> Forward {
    guard let port else { return try await listen(device, atAnyOf: FrontLimits.forwardPorts, forwards) }
    try check(port)
    let forward = Forward(port: port, to: device)
    if let problem = await listen(forward, forwards) { throw await failure(problem, at: port) }
    return forward
  }

  private func listen(
    _ device: JID, atAnyOf ports: ClosedRange<Int>, _ forwards: Forwards
  ) async throws(ControlError) -> Forward {
    for port in ports where port != frontPort && !opening.contains(port) && !all.contains(where: { $0.port == port }) {
      let forward = Forward(port: port, to: device)
      switch await listen(forward, forwards) {
      case nil: return forward
      case let problem? where problem.code == .inUse: continue
      case let problem?: throw ControlError(.conflict, "\(problem.message).")
      }
    }
    throw ControlError(.conflict, "No port from \(ports.lowerBound) to \(ports.upperBound) is free: name another one.")
  }

  /// Why it cannot be listened on; nothing is left of it then.
  private func listen(_ forward: Forward, _ forwards: Forwards) async -> HTTPServerError? {
    opening.insert(forward.port)
    defer { opening.remove(forward.port) }
    forwards.open(forward)
    let problem = await forwards.problem(afterOpening: forward.port)
    if problem != nil { await forwards.close(forward.port) }
    return problem
  }

  private func check(_ port: Int) throws(ControlError) {
    guard (1...Int(UInt16.max)).contains(port) else {
      throw ControlError(.invalid, "\(port) is no port: it must be a whole number from 1 to 65535.")
    }
    guard port != frontPort else {
      throw ControlError(.conflict, "Port \(port) is the front's own: take another one.")
    }
    guard !opening.contains(port) else { throw ControlError(.conflict, "Port \(port) is being opened already.") }
    if let other = all.first(where: { $0.port == port }) {
      let way = isConfigured(port) ? "in hearth.toml" : "with `hearth forward --remove \(port)`"
      throw ControlError(.conflict, "Port \(port) is \(other.device) already: take another one, or end that \(way).")
    }
  }

  private func failure(_ problem: HTTPServerError, at port: Int) async -> ControlError {
    switch problem.code {
    case .inUse:
      let (holder, free) = await Self.look(at: port)
      let other = free.map { "such as \($0), or leave it out" } ?? "or leave it out"
      return ControlError(
        .conflict, "Port \(port) is in use by \(holder ?? "another program"): take another one, \(other).")
    case .notPermitted:
      return ControlError(.conflict, "Port \(port) is for root's programs: take one from 1024 on, or leave it out.")
    case .noSuchAddress, .cannotListen: return ControlError(.conflict, "\(problem.message).")
    }
  }

  private static func look(at port: Int) async -> (holder: String?, free: Int?) {
    let seen = try? await NIOThreadPool.singleton.runIfActive {
      (PortHolder.name(ofPort: port), PortHolder.free(from: port + 1, count: DaemonLimits.suggestedPorts))
    }
    return seen ?? (nil, nil)
  }
}
