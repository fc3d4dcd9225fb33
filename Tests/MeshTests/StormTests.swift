import Foundation
import Mesh
import NIOCore
import Synchronization
import TLS
import TestKit
import Testing
import Trust
import XMPP

/// A thousand keys that want to be friends, and a friend who wants what he always had.
@Suite(.timeLimit(.minutes(3))) struct StormTests {
  /// Each asks so many times on one stream.
  private static let times = 10
  private static let keys = 1000

  /// Ten thousand requests from a thousand keys and 250 addresses.
  @Test func floodOfRequests() async throws {
    let own = try Identity.generate(name: "laptop")
    let pi = try Character("pi", friends: [.init("laptop", own)])
    let (laptop, requesters) = (try Character("laptop", identity: own), try Self.identities(Self.keys))
    try await Nodes.run([pi, laptop]) { nodes in
      try await nodes[0].serve(Door("house", .friends))
      _ = try #require(await nodes[1].awaitOnline("house@pi"))
      let start = ContinuousClock.now
      let (latencies, visits) = try await Self.whileStorming(nodes[0], requesters) {
        try await nodes[1].fetch(JID("house@pi")!)
      }
      let duration = ContinuousClock.now - start
      // The friend notices nothing, and never had to come back: he waits for less than what each visit takes.
      let (sorted, visiting) = (latencies.sorted(), visits.sorted())
      #expect(sorted.count > 100)
      #expect(sorted[sorted.count / 2] < visiting[visiting.count / 2], "median \(sorted[sorted.count / 2])")
      #expect(sorted.last! < max(.seconds(5), visiting.last! * 10), "longest \(sorted.last!)")
      Self.show(
        "storm: \(sorted.count) requests of a friend, median \(sorted[sorted.count / 2]), longest \(sorted.last!)")
      try await Self.expectUsableList(pi, nodes[0], requesters)
      Self.expectShortLog(pi, duration)
    }
  }

  private static func expectUsableList(_ pi: Character, _ node: Node, _ requesters: [Identity]) async throws {
    let waiting = pi.trustService.current.requests
    #expect(1...TrustLimits.requests ~= waiting.count)
    #expect(Set(waiting.map(\.id)).count == waiting.count)
    for count in Dictionary(grouping: waiting, by: \.address).mapValues(\.count).values {
      #expect(count <= TrustLimits.requestsPerAddress)
    }
    // Disk and log are spared as well.
    #expect(pi.saved.count <= TrustLimits.requestBurst + 5)
    #expect(pi.saved.allSatisfy { $0.count < 64 << 10 })
    #expect(pi.log.lines.count { $0.message == "request-waiting" } == waiting.count)
    // The owner finds the one she means, and it is one friend more.
    let wanted = try #require(waiting.last)
    try await pi.trustService.accept(wanted.id.description, petname: "found")
    try await pi.trustService.reject(try #require(waiting.first).id.description)
    #expect(pi.trustService.current.requests.count == waiting.count - 2)
    let identity = try #require(requesters.first { $0.nodeID == wanted.id })
    try await node.visited(by: identity, from: nil, to: "house@pi") { peer in
      let answer = try await peer.ask()
      #expect(answer.contains("statusCode='200'"))
    }
  }

  /// Three rate limiters pass a burst each; then a line each and the number of those held, an interval.
  private static func expectShortLog(_ pi: Character, _ duration: Duration) {
    let lines = pi.log.lines.count { $0.message != "let in" }
    let intervals = duration / .seconds(TrustLimits.refusalInterval)
    #expect(Double(lines) < 100 + 6 * intervals, "\(lines) lines in \(duration)")
  }

  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["HEARTH_MEMORY_TESTS"] != nil,
      "measures the whole process: scripts/test runs it alone"))
  func memoryDoesNotGrow() async throws {
    let pi = try Character("pi")
    // The allocator's pools fill up slowly: 9,000 keys take 9 MiB, of which the first 1,000 take half.
    let warmUp = 2000
    let requesters = try Self.identities(warmUp + Self.keys)
    try await Nodes.run([pi]) { nodes in
      try await nodes[0].serve(Door("house", .friends))
      _ = try await Self.storm(nodes[0], Array(requesters.prefix(warmUp)))
      let before = try residentBytes()
      _ = try await Self.storm(nodes[0], Array(requesters.dropFirst(warmUp)))
      let growth = try residentBytes() - before
      Self.show("storm: \(growth >> 10) KiB more for \(Self.keys * Self.times) requests")
      // 400 bytes kept of each request would be 4 MiB; a stream that is left behind has 100 KiB.
      #expect(growth < 4 << 20, "\(growth) bytes")
    }
  }

  // MARK: The storm

  /// Does `body` over and over while they all ask; how long each took, and each visit of theirs.
  private static func whileStorming(
    _ node: Node, _ requesters: [Identity], _ body: @escaping @Sendable () async throws -> some Sendable
  ) async throws -> (latencies: [Duration], visits: [Duration]) {
    let isOver = Mutex(false)
    async let latencies = measure(body) { isOver.withLock { $0 } }
    let visits = try await storm(node, requesters)
    isOver.withLock { $0 = true }
    return (try await latencies, visits)
  }

  /// All of them ask, four at a time; how long each visit took.
  private static func storm(_ node: Node, _ requesters: [Identity]) async throws -> [Duration] {
    let port = node.status().port
    return try await withThrowingTaskGroup(of: [Duration].self) { storm in
      for part in 0..<4 {
        storm.addTask {
          var visits: [Duration] = []
          for number in stride(from: part, to: requesters.count, by: 4) {
            let start = ContinuousClock.now
            try await ask(port, requesters[number], from: "127.0.2.\(number % 250 + 1)")
            visits.append(ContinuousClock.now - start)
          }
          return visits
        }
      }
      return try await storm.reduce(into: []) { $0 += $1 }
    }
  }

  private static func measure(
    _ body: @Sendable () async throws -> some Sendable, until isOver: @Sendable () -> Bool
  ) async throws -> [Duration] {
    var latencies: [Duration] = []
    while !isOver() {
      let start = ContinuousClock.now
      _ = try await body()
      latencies.append(ContinuousClock.now - start)
    }
    return latencies
  }

  private static func ask(_ port: Int, _ identity: Identity, from address: String) async throws {
    let peer = try await ScriptedPeer.connect(to: port, from: address)
    try await peer.secure(as: identity, from: nil, to: "house@pi")
    let request = "<presence type='subscribe'><status>\(String(repeating: "please ", count: 20))</status></presence>"
    try await peer.send(String(repeating: request, count: times))
    try await peer.ping()
    peer.disappear()
  }

  private static func identities(_ count: Int) throws -> [Identity] {
    try (0..<count).map { try Identity.generate(name: "requester \($0)") }
  }

  private static func show(_ figure: String) {
    FileHandle.standardError.write(Data((figure + "\n").utf8))
  }
}
