import FoundationEssentials
import NIOCore
import Testing
import Trust
import XML
import XMPP

@testable import Streams

/// `docs/wire.md` says what the code does.
struct WireDocumentTests {
  private static let lines: [String] = {
    let path = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/docs/wire.md"
    return (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
  }()

  @Test(arguments: [
    Namespace.hearth, Namespace.upgrade, Namespace.invite, Namespace.pairing, Namespace.rotation, "urn:hearth:node",
  ])
  func hasEveryNamespace(_ namespace: String) {
    #expect(Self.lines.contains { $0.hasPrefix("| `\(namespace)` |") })
  }

  /// Each row of limits, and its numbers in their order.
  private static let limits: [(row: String, numbers: [Int])] = [
    (
      "a stanza while",
      [
        XMLLimits.negotiating.stanzaBytes, XMLLimits.negotiating.elements, XMLLimits.negotiating.depth,
        XMLLimits.negotiating.attributes,
      ]
    ),
    (
      "a stanza afterwards",
      [
        Limits.advertised.maxBytes ?? 0, XMLLimits.established.elements, XMLLimits.established.depth,
        XMLLimits.established.attributes,
      ]
    ),
    ("negotiation", [seconds(StreamTimes.negotiation)]),
    ("a stream with nothing", [Limits.advertised.idleSeconds ?? 0]),
    ("a silent peer", [seconds(Timeouts.silence), seconds(Timeouts.control)]),
    ("the answer to a query", [seconds(Timeouts.query)]),
    ("the head of a response", [seconds(Timeouts.response)]),
    (
      "requests of one stream",
      [Limits.requests, Limits.requestsInAll, Limits.waitingRequests, seconds(Timeouts.turn)]
    ),
    ("stanzas of a stranger", [Limits.stanzaBurst, Int((1 / Limits.stanzaInterval).rounded())]),
    (
      "connections from one",
      [
        Limits.connectionBurst, Int((1 / Limits.connectionInterval).rounded()), Limits.negotiatingStreamsPerAddress,
      ]
    ),
    ("streams from one", [Limits.streamsPerAddress, Limits.strangerStreamsPerAddress]),
  ]

  @Test(arguments: limits.indices) func hasTheLimits(_ index: Int) throws {
    let (row, numbers) = Self.limits[index]
    let line = try #require(Self.lines.first { $0.hasPrefix("| \(row)") }, "no row “\(row)”")
    let cell = line.split(separator: "|").dropFirst().first ?? ""
    let found = cell.replacing(",", with: "").split { !$0.isNumber }.compactMap { Int($0) }
    #expect(found == numbers, "\(line)")
  }

  private static func seconds(_ time: TimeAmount) -> Int { Int(time.nanoseconds / 1_000_000_000) }
}
