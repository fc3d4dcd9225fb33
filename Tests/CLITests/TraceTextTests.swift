import ArgumentParser
import Control
import FoundationEssentials
import Testing

@testable import CLI

struct TraceTextTests {
  private static func event(_ json: String) throws -> TraceResource {
    try ControlJSON.decode(TraceResource.self, from: Data(json.utf8))
  }

  @Test func aRequestIsOneLine() throws {
    let event = try Self.event(
      """
      {"time": "2026-11-29T12:00:00Z", "stanza": null, "request": {"id": "mfzwizltmnuxk", "side": "served", "who": "an\\u001Bna",
      "device": "tv@pi", "method": "GET", "path": "/a", "status": 200, "failure": null, "requestBytes": 24,
      "responseBytes": 2024, "time": "2026-11-29T12:00:00Z", "seconds": 0.0154}}
      """)
    let lines = TraceText.lines(event)
    #expect(lines.count == 1)
    let line = try #require(lines.first)
    #expect(line.hasSuffix("  served an\u{FFFD}na → tv@pi  GET /a  200  2.0 KiB  15 ms  mfzwizltmnuxk"), "\(line)")
    #expect(line.prefix(8).wholeMatch(of: /\d\d:\d\d:\d\d/) != nil)
  }

  @Test func whatCameToNothingSaysWhy() throws {
    let event = try Self.event(
      """
      {"time": "2026-11-29T12:00:00Z", "stanza": null, "request": {"id": "mfzwizltmnuxk", "side": "sent", "who": null,
      "device": "tv@pi", "method": "GET", "path": "/", "status": null, "failure": "connectionLost", "requestBytes": 0,
      "responseBytes": 0, "time": "2026-11-29T12:00:00Z", "seconds": 61.2}}
      """)
    #expect(
      TraceText.lines(event).first?.hasSuffix("  sent tv@pi  GET /  connectionLost  0 B  61 s  mfzwizltmnuxk")
        == true)
  }

  @Test func aStanzaShowsItsWay() throws {
    let event = try Self.event(
      #"{"time": "2026-11-29T12:00:00Z", "stanza": {"direction": "received", "peer": "a@b", "xml": "<iq/>"}, "request": null}"#
    )
    #expect(TraceText.lines(event).first?.hasSuffix("  ← a@b  <iq/>") == true)
  }

  @Test func arguments() async throws {
    #expect(try await TraceCommand.asyncParse(["tv@pi", "--json", "--recent"]).device == "tv@pi")
    let daemon = try await DaemonCommand.asyncParse(["--log-format", "json", "--access-log", "-vv"])
    #expect(daemon.logFormat == .json && daemon.accessLog && daemon.verbose == 2)
    await #expect(throws: (any Error).self) { _ = try await DaemonCommand.asyncParse(["--log-format", "xml"]) }
  }
}
