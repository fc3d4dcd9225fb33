import Dashboard
import FoundationEssentials
import HTTPEdge
import HTTPTypes
import HTTPX
import Logging
import Mesh
import NIOCore
import NIOPosix
import TestKit
import Testing
import XMPP

@testable import Front

/// Devices that come and go, and the front's own life.
@Suite(.timeLimit(.minutes(1))) struct WaitingTests {
  private static func service(_ name: String = "app") -> HostedService {
    HostedService(
      name: name, target: "test", plaintext: true,
      handler: TestHandler { request, _, send in
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: request.body))
      })
  }

  @Test func aDeviceThatIsBackInAMomentIsWaitedFor() async throws {
    try await Rig.run { rig in
      rig.pi.serve(Self.service())
      _ = await rig.laptop.awaitOnline("app@pi")
      #expect(rig.pi.unserve("app"))
      _ = await rig.laptop.awaitDevice { $0.jid.text == "app@pi" && $0.state == .gone }
      async let answer = rig.ask("PUT /", body: "still here")
      try await rig.log.line("waiting for a device", with: ["device": "app@pi"])
      rig.pi.serve(Self.service())
      let result = try await answer
      #expect(result.status == 200 && result.text == "still here")
    }
  }

  @Test func oneThatStaysAwayIsGivenUp() async throws {
    try await Rig.run { rig in
      rig.pi.serve(Self.service())
      _ = await rig.laptop.awaitOnline("app@pi")
      #expect(rig.pi.unserve("app"))
      _ = await rig.laptop.awaitDevice { $0.jid.text == "app@pi" && $0.state == .gone }
      let start = ContinuousClock.now
      let answer = try await rig.ask("GET /", ["Accept: text/html"])
      let time = ContinuousClock.now - start
      #expect(answer.status == 502)
      #expect(answer["Proxy-Status"]?.contains("destination_unavailable") == true)
      #expect(answer.text.contains("Last seen"))
      #expect(time > .seconds(2.5), "\(time)")
    }
  }

  @Test func oneThatRefusesIsTriedAgain() async throws {
    try await Rig.run { rig in
      // Announced, and nothing listens there.
      let port = try await unusedPort()
      rig.link.haunt(try #require(JID("ghost@attic")), port: port)
      _ = await rig.laptop.awaitOnline("ghost@attic")
      let start = ContinuousClock.now
      let answer = try await rig.ask("GET /", host: rig.host("ghost@attic"))
      #expect(answer.status == 502 && answer["Proxy-Status"]?.contains("connection_refused") == true)
      #expect(ContinuousClock.now - start > .seconds(2.5))
      #expect(rig.laptop.device(try #require(JID("ghost@attic")))?.state == .away)
    }
  }

  @Test func onlyWhatWasHereWithinADayAndCannotBeReachedMayPass() throws {
    let (jid, now) = (try #require(JID("app@pi")), Date(timeIntervalSince1970: 1_800_000_000))
    for code in MeshError.Code.allCases {
      for (age, isRecent) in [(0.0, true), (86_399, true), (86_400, false)] {
        let error = MeshError(code, device: jid, message: "", lastSeen: now.addingTimeInterval(-age))
        #expect(error.mayPass(now: now) == (isRecent && [.away, .refused].contains(code)))
      }
      #expect(!MeshError(code, device: jid, message: "").mayPass(now: now))
    }
  }

  @Test func aTakenPortIsSaid() async throws {
    try await Rig.run { rig in
      let second = Front(
        node: rig.laptop, port: rig.front.port,
        responder: DashboardResponder(
          node: rig.laptop, services: TestServices(node: rig.laptop), mayChange: { _ in false }, logger: .silent),
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        logger: Logger(label: "front") { _ in SwiftLogNoOpLogHandler() })
      let error = await #expect(throws: HTTPServerError.self) { try await second.run() }
      #expect(error?.code == .inUse)
      #expect(error?.message.contains("127.0.0.1:\(rig.front.port) is in use by another program") == true)
      #expect(await second.waitUntilListening() == nil)
    }
  }

  /// Of a listener that is closed again.
  private func unusedPort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(channel.localAddress?.port)
    try await channel.close()
    return port
  }
}
