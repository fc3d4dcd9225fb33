import Codecs
import FoundationEssentials
import HTTPTypes
import HTTPX
import NIOCore
import TestKit
import Testing
import Trust
import XMPP

@testable import Mesh

@Suite(.timeLimit(.minutes(1))) struct RequestLogTests {
  /// A log, and a way to tell it of requests.
  private struct Teller {
    let recorder = LogRecorder()
    let log: RequestLog

    init(logs: Bool = true) {
      log = RequestLog(accessLogger: logs ? recorder.logger : nil, trace: Trace(logger: .silent))
    }

    func tell(
      _ path: String, by standing: Standing? = nil, status: Int = 200, of service: String? = "tv", at second: Double = 0
    ) {
      var progress = RequestProgress()
      _ = progress.answered(HTTPXResponse(HTTPResponse(status: .init(code: status)), body: Body("four")), log)
      let caller = standing.map { Caller(identity: PeerIdentity(address: JID("a@b"), proof: .none), standing: $0) }
      log.began()
      log.ended(
        RequestRecord(
          caller == nil ? .sent : .served, HTTPXRequest.make(path: path).head, to: JID("tv@pi")!, by: caller, progress,
          failure: nil, at: Date(timeIntervalSince1970: second)), of: caller == nil ? nil : service)
    }
  }

  @Test func theLastOnesAreRememberedAndStrangersPushNobodyOut() throws {
    let teller = Teller(logs: false)
    for number in 0..<3 * MeshLimits.recentRequests { teller.tell("/\(number)", by: .self, at: Double(number)) }
    for number in 0..<3 * MeshLimits.recentRequests {
      teller.tell("/s\(number)", by: .plaintext, at: Double(1_000_000 + number))
    }
    let recent = teller.log.recent
    #expect(recent.count == 2 * MeshLimits.recentRequests)
    #expect(recent.first?.path == "/s\(3 * MeshLimits.recentRequests - 1)")
    let known = recent.filter { $0.who == "self" }.map(\.path)
    #expect(known == (0..<MeshLimits.recentRequests).map { "/\(3 * MeshLimits.recentRequests - 1 - $0)" })
    #expect(teller.recorder.lines.isEmpty && teller.log.load.requests == 0)
  }

  @Test func aLineHasNoQuery() {
    let teller = Teller()
    teller.tell("/a/b?word=swordfish", by: .friend(try! Petname("anna")))
    let line = teller.recorder.lines.first
    #expect(line?.message == "request" && line?.fields["path"] == "/a/b" && line?.fields["who"] == "anna")
    #expect(line?.fields["side"] == "served" && line?.fields["status"] == "200" && line?.fields["out"] == "4")
    #expect(line?.fields["id"]?.count == 13)
  }

  @Test func linesOfStrangersAreCounted() {
    let teller = Teller()
    for _ in 0..<MeshLimits.strangerLines + 5 { teller.tell("/", by: .plaintext) }
    teller.tell("/own", by: .self)
    #expect(teller.recorder.lines.count == MeshLimits.strangerLines + 1 + 1)
    #expect(teller.recorder.lines.contains { $0.fields["count"] == "5" })
  }

  @Test func talliesAreBounded() {
    let teller = Teller(logs: false)
    for number in 0..<2 * MeshLimits.talliedServices { teller.tell("/", by: .self, of: "s\(number)") }
    teller.tell("/", by: .self, status: 404, of: nil)
    teller.tell("/", status: 503)
    let tallies = teller.log.tallies
    #expect(tallies.served.count == MeshLimits.talliedServices + 1)
    #expect(tallies.served[RequestTallies.others]?.byClass[2] == UInt64(MeshLimits.talliedServices))
    #expect(tallies.sent.byClass[5] == 1 && tallies.sent.responseBytes == 4)
    #expect(tallies.sent.byDuration.reduce(0, +) == 1)
  }

  @Test func aLongTargetIsCut() {
    let teller = Teller(logs: false)
    teller.tell("/" + String(repeating: "€", count: 100_000), by: .plaintext)
    #expect(teller.log.recent.first.map { $0.path.utf8.count <= MeshLimits.recordedTarget + 2 } == true)
  }

  // MARK: IDs

  @Test func idsAreReadAndNothingElseIs() {
    let id = RequestID()
    #expect(id.text.utf8.count == 13 && RequestID() != id)
    #expect(RequestID(in: [.hearthVia: "hearth-1; \(id.parameter)"]) == id)
    for value in [
      "", "hearth-1", "id=", "hearth-1; id=short", "hearth-1; id=aaaaaaaaaaaa\u{E9}", "hearth-1; id=AAAAAAAAAAAAA",
      "hearth-1; id=aaaaaaaaaaaa aaaa",
    ] {
      #expect(RequestID(in: [.hearthVia: value]) == nil, "\(value)")
    }
    #expect(RequestID(in: HTTPFields()) == nil)
  }

  // MARK: Nodes

  @Test func bothNodesHaveTheRequestByOneID() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(.echo())
      let device = try #require(await nodes[0].awaitOnline("echo@pi"))
      let id = RequestID()
      var request = HTTPXRequest.make(.post, path: "/a?b", body: Body("hello"))
      request.head.headerFields[.hearthVia] = "hearth-1; \(id.parameter)"
      let answer = try await nodes[0].fetch(device.jid, request)
      #expect(String(buffer: answer) == "hello")
      let sent = try #require(nodes[0].requestLog.recent.first)
      #expect(sent.id == id && sent.side == .sent && sent.who == nil && sent.path == "/a" && sent.status == 200)
      // The answer is there before the one who gave it has come to its end.
      let served = try #require(await Self.first(of: nodes[1]))
      #expect(served.id == id && served.side == .served && served.device.text == "echo@pi")
      #expect(served.who == nodes[0].trustService.id.short && served.requestBytes == 5 && served.responseBytes == 5)
    }
  }

  /// Parts that go by are counted, and bodies under way.
  @Test func bodiesThatStreamAreCounted() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(.echo())
      let device = try #require(await nodes[0].awaitOnline("echo@pi"))
      let bytes = ByteBuffer(repeating: 7, count: 300_000)
      let body = Body(
        AsyncStream { continuation in
          for _ in 0..<2 { continuation.yield(bytes) }
          continuation.finish()
        }.throwing)
      let answer = try await nodes[0].fetch(device.jid, .make(.post, body: body))
      #expect(answer.readableBytes == 600_000)
      let sent = try #require(nodes[0].requestLog.recent.first)
      #expect(sent.requestBytes == 600_000 && sent.responseBytes == 600_000)
      let served = try #require(await Self.first(of: nodes[1]))
      #expect(served.requestBytes == 600_000 && served.responseBytes == 600_000)
    }
  }

  @Test func whatComesToNothingIsThereToo() async throws {
    try await Nodes.run(["laptop"]) { nodes in
      await #expect(throws: MeshError.self) { try await nodes[0].fetch(JID("node@laptop")!) }
      let record = try #require(nodes[0].requestLog.recent.first)
      #expect(record.status == nil && record.failure == "service-unavailable" && record.who == "self")
      #expect(nodes[0].requestLog.tallies.served[""]?.byClass[0] == 1)
    }
  }

  @Test func whoWatchesSeesStanzasAndRequests() async throws {
    try await Nodes.run(["laptop", "pi"]) { nodes in
      nodes[1].serve(.echo())
      let device = try #require(await nodes[0].awaitOnline("echo@pi"))
      _ = try await nodes[0].fetch(device.jid)
      let events = nodes[1].traceEvents()
      _ = try await nodes[0].fetch(device.jid, .make(path: "/seen?word=swordfish"))
      var (received, sent, request) = (false, false, false)
      for await event in events {
        #expect(event.concerns(device.jid) && !event.concerns(JID("other@pi")!))
        switch event {
        case .stanza(let isSent, _, let text, _):
          #expect(!text.contains("swordfish"))
          received = received || !isSent && text.contains("resource='/seen?…'")
          sent = sent || isSent && text.contains("statusCode='200'")
        case .request(let record): request = request || record.path == "/seen"
        }
        if received, sent, request { break }
      }
    }
  }

  private static func first(of node: Node) async -> RequestRecord? {
    await awaitValue { node.requestLog.recent.first }
  }

  private static func awaitValue<Value>(_ value: () -> Value?) async -> Value? {
    while !Task.isCancelled {
      if let value = value() { return value }
      await Task.yield()
    }
    return nil
  }
}

extension AsyncStream where Element == ByteBuffer {
  /// As a body wants it.
  fileprivate var throwing: AsyncThrowingStream<ByteBuffer, any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        for await element in self { continuation.yield(element) }
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}
