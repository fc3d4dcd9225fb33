import ArgumentParser
import Control
import FoundationEssentials
import Testing
import Trust

@testable import CLI

struct TrustTextTests {
  private static let id = "\(NodeID(digest: Array(repeating: 1, count: 32))!)"

  private static func decode<Value: Decodable>(_ type: Value.Type, _ json: String) throws -> Value {
    try ControlJSON.decode(type, from: Data(json.utf8))
  }

  @Test func friends() throws {
    let list = try Self.decode(
      FriendList.self,
      """
      {"schema": 1, "friends": [{"petname": "anna", "id": "\(Self.id)", "short": "ABCDEFG",
      "devices": ["anna@laptop", "tv@laptop"], "since": "2026-11-22T10:00:00Z", "origin": "digits", "online": true, "renounced": null}],
      "claimed": [], "blocked": [{"id": "\(Self.id)", "short": "ABCDEFG", "petname": null, "since": "2026-01-02T00:00:00Z"}]}
      """)
    #expect(
      TrustText.friends(list) == [
        "NAME  NODE     STATE   SINCE       BY      DEVICES",
        "anna  ABCDEFG  online  2026-11-22  digits  anna@laptop tv@laptop", "",
        "BLOCKED\(String(repeating: " ", count: 56))  WAS  SINCE", "\(Self.id)  -    2026-01-02",
      ])
    let nobody = try Self.decode(FriendList.self, #"{"schema": 1, "friends": [], "claimed": [], "blocked": []}"#)
    #expect(TrustText.friends(nobody).count == 1 && TrustText.friends(nobody)[0].contains("hearth invite"))
    #expect(TrustText.oneSided(list).isEmpty && TrustText.oneSided(nobody).isEmpty)
  }

  @Test func friendshipsOfOneSide() throws {
    let list = try Self.decode(
      FriendList.self,
      """
      {"schema": 1, "friends": [{"petname": "anna", "id": "\(Self.id)", "short": "ABCDEFG", "devices": ["anna@laptop"],
      "since": "2026-11-22T10:00:00Z", "origin": "digits", "online": false, "renounced": "2026-11-23T10:00:00Z"}],
      "claimed": [{"id": "\(Self.id)", "short": "ABCDEFG", "jid": "tv@den", "address": "10.0.0.9",
      "since": "2026-11-23T10:00:00Z"}], "blocked": []}
      """)
    #expect(TrustText.friends(list)[1].contains("away, one-sided"))
    #expect(
      TrustText.oneSided(list) == [
        "hearth: anna does not list you as a friend any more, as came out on 2026-11-23: "
          + "`hearth befriend anna@laptop --request` asks again",
        "hearth: tv@den (ABCDEFG) lists you as a friend, and is none of yours: `hearth befriend tv@den --request` makes you "
          + "friends again, `hearth friends block ABCDEFG` lets it do nothing here",
      ])
    let devices = ["tv@den", "lamp@den"].map { jid in
      DeviceResource(
        jid: jid, name: "tv", state: .online, http: true, status: "", message: nil, addresses: [], seen: Date(),
        url: nil, trust: .init(word: "friend", petname: "den", renounced: Date(timeIntervalSince1970: 0)))
    }
    let lines = DeviceTable.problems(devices)
    #expect(lines.count == 1 && lines[0].contains("`hearth befriend tv@den --request`"))
    #expect(DeviceTable.lines(devices, now: Date())[1].contains("one-sided"))
  }

  private static func requests(
    _ requests: String = "", asked: String = "", contacts: String = "", digits: String? = nil, seconds: Int = 0
  ) throws -> [String] {
    let peer = digits.map { _ in #""id": "\#(id)", "short": "ABCDEFG", "jid": "tv@den""# }
    let list = try decode(
      RequestList.self,
      """
      {"schema": 1, "requests": [\(requests)], "asked": [\(asked)],
      "contacts": [\(contacts)], "pairing": {\(peer ?? #""id": null, "short": null, "jid": null"#),
      "digits": \(digits.map { $0.isEmpty ? "null" : "\"\($0)\"" } ?? "null")},
      "permit": {"open": \(seconds > 0), "seconds": \(seconds)}}
      """)
    return TrustText.requests(list, now: Date(timeIntervalSince1970: 1_000_000))
  }

  @Test func whatWaits() throws {
    #expect(try Self.requests() == ["Nothing waits."])
    #expect(
      try Self.requests(
        """
        {"id": "\(Self.id)", "short": "ABCDEFG", "jid": "eve@x", "address": "10.0.0.1",
        "greeting": "It\\u001b[2Js me", "since": "1970-01-12T13:40:00Z"}
        """,
        asked: """
          {"id": "\(Self.id)", "short": "ABCDEFG", "jid": null, "petname": null, "since": "1970-01-12T13:46:40Z"}
          """, seconds: 87) == [
          "The door is open: requests are accepted for 87 s", "eve@x at 10.0.0.1 wants to be a friend, 6 min ago",
          "  says  “It\u{FFFD}[2Js me”", "  hearth accept \(Self.id)", "  hearth reject ABCDEFG",
          "You asked ABCDEFG (ABCDEFG), now, and wait for an answer",
          "  hearth requests withdraw ABCDEFG   to take it back",
        ])
  }

  @Test func accountsWaitAsWell() throws {
    #expect(
      try Self.requests(contacts: #""anna@example.net""#) == [
        "anna@example.net wants to be a contact of this node's account", "  hearth accept anna@example.net",
        "  hearth reject anna@example.net",
      ])
  }

  @Test func digitsToCompare() throws {
    #expect(try Self.requests(digits: "012345").first == "Compare digits with tv@den (ABCDEFG): 012 345")
    #expect(try Self.requests(digits: "").first == "Comparing digits with tv@den (ABCDEFG): waiting for the other side")
    #expect(TrustText.grouped("012345") == "012 345")
  }

  @Test(arguments: [
    ("120s", 120), ("120", 120), ("2m", 120), ("0", 0), ("", nil), ("s", nil), ("-1s", nil), ("1h", 3600), ("h", nil),
    ("2 m", nil),
    ("9999999", nil),
  ])
  func durations(_ text: String, _ seconds: Int?) {
    #expect(PermitCommand.seconds(text) == seconds)
  }

  @Test func changedKeysAreExplained() {
    let device = DeviceResource(
      jid: "tv@den", name: "tv", state: .online, http: nil, status: "", message: nil, addresses: [], seen: Date(),
      url: nil, trust: .init(word: "CHANGED", node: nil, petname: nil, problem: "expected A, saw B"))
    let lines = DeviceTable.problems([device])
    #expect(lines.count == 1 && lines[0].contains("tv@den") && lines[0].contains("expected A, saw B"))
  }
}

/// What the command line makes of its words.
struct TrustCommandTests {
  @Test(arguments: [
    ["serve", "tv", "/srv", "--plaintext"], ["serve", "tv", "/srv", "--access", ""],
    ["serve", "tv", "/srv", "--access", "a b"], ["serve", "tv", "/srv", "--method", "get"],
    ["serve", "tv", "/srv", "--path", "x"], ["befriend", "--request"], ["befriend", "--yes"],
    ["befriend", "tv@den", "--greeting", "x"],
    ["permit", "soon"], ["join", "httpx://x"], ["friends", "rename", "anna"], ["accept"], ["invite", "anna"],
  ])
  func nonsenseIsRefusedAtOnce(_ words: [String]) async {
    await #expect(throws: (any Error).self) { _ = try await Hearth.asyncParseAsRoot(words) }
  }

  @Test(arguments: [
    ["serve", "tv", "/srv"], ["serve", "tv", "/srv", "--no-listing"],
    ["serve", "tv", "/srv", "--plaintext", "--access", "public"],
    ["serve", "tv", "/srv", "--access", "anna,bob", "--method", "GET", "--method", "PUT", "--path", "/a"],
    ["serve", "nas", "https://nas", "--insecure"], ["friends"], ["friends", "--json"],
    ["friends", "rename", "anna", "eve"], ["friends", "unblock", "ABCDEFG"], ["befriend"],
    ["befriend", "tv@den", "--yes"], ["permit"], ["permit", "off"], ["permit", "120s"], ["rotate-key", "--yes"],
    ["id", "--json"], ["invite", "--name", "anna"], ["requests"], ["reject", "ABCDEFG"],
  ])
  func senseIsUnderstood(_ words: [String]) async throws {
    _ = try await Hearth.asyncParseAsRoot(words)
  }

  @Test func oneMayServeWithRules() async throws {
    let serve = try await ServeCommand.asyncParse([
      "tv", "/srv", "--access", "anna,bob", "--method", "GET", "--path", "/a", "--path", "/b",
    ])
    #expect(serve.access == "anna,bob" && serve.method == ["GET"] && serve.path == ["/a", "/b"])
  }
}
