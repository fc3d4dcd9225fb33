import FoundationEssentials
import HTTPTypes
import HTTPX
import NIOCore
import Synchronization
import TestKit
import Testing
import XMPP

@testable import Mesh

/// Whether what answers for a service does: by what is asked, and by what looks.
@Suite(.timeLimit(.minutes(1))) struct HealthTests {
  private static func time(_ seconds: Double) -> Date { Date(timeIntervalSince1970: seconds) }
  private static let refused = OriginFailure(.unreachable, error: "connection_refused", reason: "Connection refused")
  private static let silent = OriginFailure(.silent, error: "http_response_timeout", reason: "no response in time")
  private static let busy = OriginFailure(.request, error: "connection_limit_reached", reason: "too much")

  @Test func itIsUnknownUntilSomethingIsFoundOut() {
    var machine = HealthMachine(now: Self.time(1))
    #expect(machine.report == HealthReport(.unknown, since: Self.time(1)))
    machine.failed(Self.busy, now: Self.time(2))
    #expect(machine.report == HealthReport(.unknown, since: Self.time(1)))
    machine.reached(now: Self.time(3))
    #expect(machine.report == HealthReport(.ok, since: Self.time(3)))
    machine.answered(now: Self.time(4))
    #expect(machine.report == HealthReport(.ok, since: Self.time(3)))
  }

  @Test func whatCannotBeReachedIsDownUntilItCan() {
    for isAsked in [true, false] {
      var machine = HealthMachine(now: Self.time(1))
      machine.failed(Self.refused, now: Self.time(2))
      machine.failed(Self.refused, now: Self.time(3))
      machine.failed(Self.busy, now: Self.time(4))
      #expect(machine.report == HealthReport(.down("Connection refused"), since: Self.time(2)))
      if isAsked { machine.answered(now: Self.time(5)) } else { machine.reached(now: Self.time(5)) }
      #expect(machine.report == HealthReport(.ok, since: Self.time(5)))
    }
  }

  /// An app that hangs takes connections.
  @Test func whatDoesNotAnswerIsDownUntilItAnswers() {
    var machine = HealthMachine(now: Self.time(1))
    machine.failed(Self.silent, now: Self.time(2))
    machine.reached(now: Self.time(3))
    #expect(machine.report == HealthReport(.down("no response in time"), since: Self.time(2)))
    // Started again in between.
    machine.failed(Self.refused, now: Self.time(4))
    #expect(machine.report == HealthReport(.down("Connection refused"), since: Self.time(4)))
    machine.reached(now: Self.time(5))
    #expect(machine.report.health == .ok)
    machine.failed(Self.silent, now: Self.time(6))
    machine.answered(now: Self.time(7))
    #expect(machine.report == HealthReport(.ok, since: Self.time(7)))
  }

  @Test func aChangeIsToldOnce() {
    let health = ServiceHealth()
    #expect(health.failed(Self.refused)?.health == .down("Connection refused"))
    #expect(health.failed(Self.refused) == nil)
    #expect(health.answered()?.health == .ok)
    #expect(health.answered() == nil && health.reached() == nil)
    #expect(health.failed(Self.busy) == nil)
    #expect(health.report.health == .ok)
    #expect(ServiceHealth().answered() == nil)
  }

  /// Answers, but for `/bad`, and cannot be looked at.
  private struct Origin: ServiceHandler {
    func respond(
      to request: HTTPXRequest, from caller: Caller, send: (HTTPXResponse) async throws -> Void
    ) async throws {
      let isBad = request.head.path == "/bad"
      try await send(HTTPXResponse(HTTPResponse(status: .ok), failure: isBad ? refused : nil))
    }

    func check() async throws(OriginFailure) {
      throw silent
    }
  }

  private static func health(of node: Node) -> Health? { node.status().services.first?.health.health }

  @Test func servicesAreLookedAtAndLearntByUse() async throws {
    let log = LogRecorder()
    try await Nodes.run(["pi"], logger: log.logger) { nodes in
      let node = nodes[0]
      node.serve(HostedService(name: "app", target: "test", plaintext: false, handler: Origin()))
      try await log.line("the app does not answer", with: ["service": "app", "why": "no response in time"])
      _ = await node.standing(of: "app", within: .seconds(5))
      #expect(Self.health(of: node) == .down("no response in time"))
      let device = try #require(JID("app@pi"))
      var changes = node.watchDevices().changes.makeAsyncIterator()
      for (path, health) in [("/", Health.ok), ("/bad", .down("Connection refused")), ("/", .ok)] {
        let head = HTTPRequest(method: .get, scheme: "httpx", authority: "app@pi", path: path)
        try await node.send(HTTPXRequest(head), to: device) { response in
          #expect((response.head.headerFields[.proxyStatus] == nil) == (path == "/"))
        }
        #expect(Self.health(of: node) == health)
        // Who watches is told each time.
        while let changed = await changes.next(), changed.jid != device {}
      }
      #expect(node.status().health[device]?.health == .ok)
      // With other settings nothing is known.
      node.serve(HostedService(name: "app", target: "test", plaintext: false, handler: Origin()))
      #expect(Self.health(of: node) != .ok)
    }
  }
}
