import Control
import FoundationEssentials
import HTTPEdge
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TLS
import TestKit
import TestKit
import Testing
import Trust
import XMPP

@testable import CLI
@testable import Mesh

/// Two nodes with a daemon's control socket each; between them nothing but their words.
private struct Pair {
  let a: TrustService
  let b: TrustService
  let clientA: ControlClient
  let clientB: ControlClient

  private static let silent = Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }

  static func with<Result: Sendable>(_ body: (Pair) async throws -> Result) async throws -> Result {
    try await TemporaryFolder.with { folder in
      let (a, b) = (try friendships("a"), try friendships("b"))
      let (serverA, serverB) = (
        server("\(folder)/a.sock", a, befriending: b, jid: "a@b"),
        server("\(folder)/b.sock", b, befriending: a, jid: "b@a")
      )
      let group = ServiceGroup(
        configuration: .init(
          services: [serverA, serverB].map { .init(service: $0, successTerminationBehavior: .ignore) }, logger: silent))
      return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        await serverA.waitUntilListening()
        await serverB.waitUntilListening()
        for (from, to) in [(a, b), (b, a)] {
          let words = await Self.words(of: from)
          tasks.addTask {
            for await word in words {
              switch word {
              case .pair(let message): await to.received(message, from: peer(from))
              case .friendship(let word): await to.received(word, from: .of(from.id))
              }
            }
          }
        }
        let pool = MultiThreadedEventLoopGroup.singleton
        let result = try await body(
          Pair(
            a: a, b: b, clientA: ControlClient(socket: "\(folder)/a.sock", eventLoopGroup: pool),
            clientB: ControlClient(socket: "\(folder)/b.sock", eventLoopGroup: pool)))
        await group.triggerGracefulShutdown()
        tasks.cancelAll()
        return result
      }
    }
  }

  private enum Word: Sendable {
    case pair(PairingMessage)
    case friendship(Friendship)
  }

  private static func words(of node: TrustService) async -> AsyncStream<Word> {
    let (stream, continuation) = AsyncStream.makeStream(of: Word.self)
    await node.connect(
      .init(
        send: { word, _, _ in continuation.yield(.friendship(word)) },
        pair: { word, _ in continuation.yield(.pair(word)) }, terminate: { _ in }, changed: { _, _ in }))
    return stream
  }

  static func peer(_ node: TrustService) -> KeyedPeer {
    .of(node.id, JID("tv@den"), key: node.identity.spki)
  }

  private static func friendships(_ name: String) throws -> TrustService {
    try TrustService(identity: try .generate(name: name), stored: nil, mode: .ask, logger: silent, save: { _ in })
  }

  private static func server(
    _ socket: String, _ own: TrustService, befriending other: TrustService, jid: String
  ) -> ControlServer {
    ControlServer(
      socket: socket, daemon: Half(own: own, other: other, jid: JID(jid)!), version: "t", frontPort: nil,
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: silent)
  }

  /// One side's daemon, which can do nothing but compare digits with the other.
  private struct Half: ControlledDaemon, LocalNode {
    struct Unused: Error {}

    let own: TrustService
    let other: TrustService
    let jid: JID

    var node: any LocalNode { self }
    var trustService: TrustService { own }

    func devices() -> [Device] { [] }
    func device(_ jid: JID) -> Device? { nil }
    func watchDevices() -> (known: [Device], changes: AsyncStream<Device>) { ([], AsyncStream { $0.finish() }) }
    func status() -> NodeStatus {
      NodeStatus(jid: jid, wanted: jid, port: 1, discoveryProblem: nil, services: [], streams: 0)
    }

    func report(of device: JID) throws -> ReportOutcome { throw Unused() }
    func metrics() -> NodeMetrics { NodeMetrics() }
    func recentRequests() -> [RequestRecord] { [] }
    func traceEvents() -> AsyncStream<TraceEvent> { AsyncStream { $0.finish() } }

    func componentStatus() -> ComponentResource? { nil }
    func answer(_ contact: String, accepting isAccepted: Bool) throws { throw Unused() }
    func account() -> AccountResource { AccountResource(state: .off) }
    func logIn(_ login: AccountLogin) throws -> AccountResource { throw Unused() }
    func logOut() throws { throw Unused() }

    func befriend(_ device: JID, expecting expected: NodeID?, petname: String?) async throws {
      try await own.pair(with: Pair.peer(other), petname: petname)
    }

    func ask(_ device: JID, expecting expected: NodeID?, petname: String?, greeting: String?) throws -> AskOutcome {
      throw Unused()
    }
    func join(_ line: InviteLine, petname: String?) throws -> Friend { throw Unused() }
    func serve(_ name: String, _ service: ServiceResource) throws -> ServedResource { throw Unused() }
    func unserve(_ name: String) throws { throw Unused() }
    func forwards() -> [ForwardResource] { [] }
    func openForward(_ request: ForwardRequest) throws -> OpenedForwardResource { throw Unused() }
    func closeForward(_ port: Int) throws { throw Unused() }
    func rotateKey() throws -> NodeID { throw Unused() }
    func forward(_ request: Request, _ writer: ResponseWriter) throws { throw Unused() }
  }
}

/// `hearth befriend` on both sides.
@Suite(.timeLimit(.minutes(1))) struct ComparisonTests {
  @Test(arguments: [true, false]) func bothSidesBecomeFriends(theOtherWaitsFirst: Bool) async throws {
    try await Pair.with { pair in
      let ours = Comparison(client: pair.clientA, device: "tv@den", petname: "den", isConfirmed: true)
      let theirs = Comparison(client: pair.clientB, device: nil, petname: nil, isConfirmed: true)
      async let first = theOtherWaitsFirst ? theirs.run() : ours.run()
      async let second = theOtherWaitsFirst ? ours.run() : theirs.run()
      let words = try await [first, second]
      #expect(words.contains("den is a friend now (\(pair.b.id))"))
      #expect(words.contains { $0.hasPrefix("node-") && $0.hasSuffix("is a friend now (\(pair.a.id))") })
      #expect(pair.a.current.friends.map(\.id) == [pair.b.id])
      #expect(pair.b.current.friends.map(\.id) == [pair.a.id])
    }
  }

  @Test func friendsAreToldThatTheyAre() async throws {
    try await Pair.with { pair in
      try await pair.a.setFleet([FleetEntry(id: pair.b.id, petname: Petname("den"))])
      let ours = Comparison(client: pair.clientA, device: "tv@den", petname: nil, isConfirmed: true)
      let theirs = Comparison(client: pair.clientB, device: nil, petname: "desk", isConfirmed: true)
      async let first = ours.run()
      async let second = theirs.run()
      let words = try await [first, second]
      #expect(
        words == [
          "den has been a friend before, and it is (\(pair.b.id))", "desk is a friend now (\(pair.a.id))",
        ])
    }
  }

  @Test func theOtherSideSaysNo() async throws {
    try await Pair.with { pair in
      let ours = Comparison(client: pair.clientA, device: "tv@den", petname: nil, isConfirmed: true)
      async let answer = ours.run()
      try await Self.refuse(pair.clientB)
      do {
        _ = try await answer
        Issue.record("friends against the other side's will")
      } catch let failure as CommandFailure {
        #expect(failure == CommandFailure(.denied, PairingFailure.declined.text))
      }
      #expect(pair.a.current.friends.isEmpty && pair.b.current.friends.isEmpty)
    }
  }

  /// Waits for the digits, confirms other ones, which does nothing, and says no.
  private static func refuse(_ client: ControlClient) async throws {
    struct Seen: Error {}
    do {
      try await client.watchEvents { event in
        guard event.event == EventResource.digits else { return }
        let requests = try await client.requests()
        #expect(requests.pairing.digits == event.fields["digits"] && requests.pairing.digits?.count == 6)
        do {
          try await client.confirmPairing(digits: "1", petname: nil)
          Issue.record("confirmed digits that nobody was shown")
        } catch let error as ControlError {
          #expect(error.code == .conflict)
        }
        try await client.cancelPairing()
        throw Seen()
      }
    } catch is Seen {}
  }
}
