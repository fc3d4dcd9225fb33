import Codecs
import EventLoops
import HTTPTypes
import HTTPX
import TestKit
import Testing

/// What a request from a browser costs the event loops once everything about its device is known.
@Suite(.timeLimit(.minutes(2))) struct WarmRequestTests {
  private static let requests = 100

  /// A task of the front's that begins, waits for the response, and goes on when it is there, and one that answers: functions that
  /// left the isolation of their connection would be a job each, there and back.
  @Test func isFewJobs() async throws {
    try await Rig.run { rig in
      try await rig.serve { _, _, send in
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("on")))
      }
      try await rig.connected { client in
        for _ in 0..<3 { #expect(try await client.ask("GET /", host: rig.host()).status == 200) }
        let before = LoopExecutor.enqueued.jobs
        for _ in 0..<Self.requests { _ = try await client.ask("GET /", host: rig.host()) }
        let jobs = LoopExecutor.enqueued.jobs - before
        #expect(jobs <= 5 * Self.requests, "a request is \(Double(jobs) / Double(Self.requests)) jobs")
      }
    }
  }
}
