import FoundationEssentials
import Codecs
import Front
import HTTPEdge
import HTTPTypes
import LinkLocal
import Logging
import Mesh
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TLS
import TestKit
import Testing
import Trust
import XMPP

@testable import Control

/// A daemon with a control server, and a node whose devices are made up.
final class FakeDaemon: Sendable {
  let socket = "/tmp/hearth-\(UUID()).sock"
  let trustService: TrustService
  /// What the mesh was asked: `join …`, `ask …`, `befriend …`.
  let asked = Mutex<[String]>([])
  private let rights: ControlRights?
  fileprivate let served = Mutex<[String: ServiceResource]>([:])
  fileprivate let logins = Mutex<[String]>([])
  fileprivate let opened = Mutex<[ForwardResource]>([])
  fileprivate let changes = AsyncStream<Device>.makeStream()
  fileprivate let trace = AsyncStream<TraceEvent>.makeStream()
  private let shutdown = AsyncStream<Void>.makeStream()

  /// Knows anna, has blocked mallory, bob waits, and carol was asked.
  init(rights: ControlRights? = nil) throws {
    self.rights = rights
    let identity = try Identity.generate(name: "hearth@pi")
    trustService = try TrustService(
      identity: identity, stored: try Self.store(of: identity), mode: .ask,
      logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }, save: { _ in })
  }

  static let anna = id(1)
  static let bob = id(2)
  static let mallory = id(3)
  static let carol = id(4)
  static let then = Date(timeIntervalSince1970: 1_000_000)

  static func id(_ byte: UInt8) -> NodeID { NodeID(digest: Array(repeating: byte, count: 32))! }

  private static func store(of identity: Identity) throws -> [UInt8] {
    let cryptography = Cryptography(
      sha256: { Digest.sha256($0) }, verify: { Identity.verify($0, of: $1, spki: $2) })
    var book = FriendBook(
      own: cryptography.id(ofKey: identity.spki)!, ownKey: identity.spki, cryptography: cryptography)
    for (id, jid) in [(anna, "anna@laptop"), (bob, "bob@den")] {
      let peer = KeyedPeer.of(id, JID(jid), from: "10.0.0.9")
      _ = book.received(.subscribe(FriendRequest(greeting: "Hello")), from: peer, now: then)
    }
    _ = try book.accept(anna, petname: try Petname("anna"), now: then)
    _ = try book.block(mallory, now: then)
    _ = try book.ask(carol, jid: JID("carol@attic"), now: then)
    return try book.encoded()
  }

  static let devices = [device("thermostat", .online), device("away", .away), device("gone", .gone)]

  static func device(_ name: String, _ state: Device.State) -> Device {
    let isThermostat = name == "thermostat"
    return Device(
      jid: JID("\(name)@pi")!, name: isThermostat ? "Living room" : name, state: state, isLocal: false,
      http: isThermostat ? true : state == .gone ? false : nil, status: "avail", message: isThermostat ? "warm" : nil,
      endpoints: [Endpoint(address: "10.0.0.1", port: 5298, interface: Interface(index: 2, name: "eth0"))],
      seen: then, standing: isThermostat ? .changed(expected: anna, seen: nil) : .stranger,
      node: isThermostat ? anna : bob, isEncrypted: isThermostat ? true : nil)
  }

  var services: [String: ServiceResource] { served.withLock { $0 } }

  func pass(_ event: TraceEvent) { trace.continuation.yield(event) }
  func change(_ device: Device) { changes.continuation.yield(device) }
  func shutDown() { shutdown.continuation.finish() }

  func makeServer() -> ControlServer {
    var server = ControlServer(
      socket: socket, daemon: self, version: "9", frontPort: 8332,
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup,
      logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
    if let rights { server.rights = rights }
    return server
  }

  /// Runs a server for as long as `body` takes, then shuts it down gracefully.
  static func with<Result: Sendable>(
    rights: ControlRights? = nil, _ body: @Sendable (FakeDaemon, ControlClient) async throws -> Result
  ) async throws -> Result {
    let daemon = try FakeDaemon(rights: rights)
    let server = daemon.makeServer()
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: server, successTerminationBehavior: .ignore)],
        logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask {
        for await _ in daemon.shutdown.stream {}
        await group.triggerGracefulShutdown()
      }
      await server.waitUntilListening()
      let client = ControlClient(socket: daemon.socket, eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
      defer { daemon.shutDown() }
      return try await body(daemon, client)
    }
  }

  /// A request as anyone might write it.
  func raw(
    _ method: HTTPRequest.Method, _ path: String, fields: HTTPFields = [:], body: String = ""
  ) async throws -> (status: HTTPResponse.Status, body: String) {
    let http = HTTPClient(address: .unix(path: socket), eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
    let head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path, headerFields: fields)
    return try await http.send(head, body: Body(body)) { response, body in
      (response.status, String(buffer: try await body.collect(upTo: 1 << 20)))
    }
  }

  struct Parts: AsyncSequence, Sendable {
    let parts: [String]

    init(_ parts: [String]) {
      self.parts = parts
    }

    struct AsyncIterator: AsyncIteratorProtocol {
      var rest: ArraySlice<String>

      mutating func next() async throws -> ByteBuffer? {
        rest.popFirst().map { ByteBuffer(string: $0) }
      }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: parts[...]) }
  }
}

extension FakeDaemon: ControlledDaemon {
  var node: any LocalNode { self }

  func serve(_ name: String, _ service: ServiceResource) throws -> ServedResource {
    served.withLock { $0[name] = service }
    return ServedResource(jid: "\(name)@pi", warnings: ["beware"])
  }

  func unserve(_ name: String) throws {
    guard served.withLock({ $0.removeValue(forKey: name) }) != nil else {
      throw ControlError(.notFound, "not served")
    }
  }

  func forwards() -> [ForwardResource] { opened.withLock { $0 } }

  func openForward(_ request: ForwardRequest) throws -> OpenedForwardResource {
    guard let device = JID(request.device) else { throw ControlError(.invalid, "no device") }
    let forward = ForwardResource(Forward(port: request.port ?? 8400, to: device), configured: false, problem: nil)
    opened.withLock { $0.append(forward) }
    return OpenedForwardResource(forward, warnings: ["beware"])
  }

  func closeForward(_ port: Int) throws {
    let isThere = opened.withLock { opened in
      defer { opened.removeAll { $0.port == port } }
      return opened.contains { $0.port == port }
    }
    guard isThere else { throw ControlError(.notFound, "not forwarded") }
  }

  func account() -> AccountResource {
    logins.withLock { $0.last.map { AccountResource(state: .online, jid: $0) } } ?? AccountResource(state: .off)
  }

  func componentStatus() -> ComponentResource? { nil }

  func answer(_ contact: String, accepting isAccepted: Bool) throws {
    guard contact == "anna@example.net" else { throw ControlError(.notFound, "does not ask") }
  }

  func logIn(_ login: AccountLogin) throws -> AccountResource {
    guard login.password == "swordfish" else { throw ControlError(.invalid, "wrong password") }
    logins.withLock { $0.append(login.jid) }
    return account()
  }

  func logOut() throws {
    guard logins.withLock({ $0.popLast() }) != nil else { throw ControlError(.notFound, "There is no account.") }
  }

  func rotateKey() -> NodeID { Self.bob }

  /// Says what it was asked.
  func forward(_ request: Request, _ writer: ResponseWriter) async throws {
    let body = try await request.body.collect(upTo: 1000)
    let bytes = ByteBuffer(string: "\(request.head.path ?? "") ") + body
    try await writer.write(
      HTTPResponse(status: .ok, headerFields: [.contentLength: "\(bytes.readableBytes)"]), Body(bytes))
  }
}

extension FakeDaemon: LocalNode {
  func devices() -> [Device] { Self.devices }
  func device(_ jid: JID) -> Device? { Self.devices.first { $0.jid == jid } }

  func watchDevices() -> (known: [Device], changes: AsyncStream<Device>) { (Self.devices, changes.stream) }

  func status() -> NodeStatus {
    NodeStatus(
      jid: JID("hearth@pi")!, wanted: JID("hearth@pi")!, port: 5298, discoveryProblem: nil,
      services: [
        .init(
          name: "tv", wanted: JID("tv@pi"), jid: nil, target: "/srv", policy: try! AccessPolicy(access: .friends),
          problem: "taken",
          health: HealthReport(.down("Connection refused"), since: Self.then))
      ], streams: 1)
  }

  func report(of device: JID) throws -> ReportOutcome {
    guard device.text == "thermostat@pi" else {
      throw MeshError(.notDiscovered, device: device, message: "nobody of this name")
    }
    return .told(
      DeviceReport(
        version: "9", time: Self.then, address: "10.0.0.2",
        service: .init(isOpen: true, health: .down("Connection refused"))))
  }

  static func record(_ device: String = "tv@pi") -> RequestRecord {
    let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/a?word=swordfish")
    let friend = Caller(
      identity: PeerIdentity(address: JID("anna@laptop"), proof: .none), standing: .friend(try! Petname("anna")))
    return RequestRecord(
      .served, head, to: JID(device)!, by: friend, status: 200, bytes: (1, 22), at: then,
      afterNanoseconds: 1_500_000_000)
  }

  func metrics() -> NodeMetrics {
    NodeMetrics(
      requests: 2, transfers: 1, dialledStreams: 3, incomingStreams: 4, friends: 5, refusals: ["blo\"cked": 6],
      devices: [.online: 7], held: (8, 9))
  }

  func recentRequests() -> [RequestRecord] { [Self.record()] }
  func traceEvents() -> AsyncStream<TraceEvent> { trace.stream }

  func ask(_ device: JID, expecting expected: NodeID?, petname: String?, greeting: String?) -> AskOutcome {
    asked.withLock { $0.append("ask \(device) \(petname ?? "-") \(greeting ?? "-")") }
    return .waiting
  }

  func befriend(_ device: JID, expecting expected: NodeID?, petname: String?) throws {
    asked.withLock { $0.append("befriend \(device) \(petname ?? "-")") }
    throw MeshError(.away, device: device, message: "switched off")
  }

  func join(_ line: InviteLine, petname: String?) throws -> Friend {
    asked.withLock { $0.append("join \(line.jid) \(petname ?? "-")") }
    return try #require(trustService.current.friend(Self.anna))
  }
}

private func + (a: ByteBuffer, b: ByteBuffer) -> ByteBuffer {
  var sum = a
  sum.writeImmutableBuffer(b)
  return sum
}
