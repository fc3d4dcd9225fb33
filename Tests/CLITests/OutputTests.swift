import Control
import FoundationEssentials
import Logging
import Mesh
import Synchronization
import Testing
import Trust
import XMPP

@testable import CLI

struct OutputTests {
  private static let now = Date(timeIntervalSince1970: 1_000_000)

  private static func device(
    _ name: String, _ jid: String, state: DeviceResource.State = .online, http: Bool? = true, age: Double = 0,
    url: String? = nil,
    trust: DeviceResource.Trust? = nil
  ) -> DeviceResource {
    DeviceResource(
      jid: jid, name: name, state: state, http: http, status: "avail", message: nil,
      addresses: state == .online ? [.init(address: "10.0.0.1", port: 5298, interface: "eth0")] : [],
      seen: now - age, url: url, trust: trust)
  }

  @Test func columnsAreAligned() {
    let devices = [
      Self.device(
        "Living room", "thermostat@pi", age: 7000, url: "http://thermostat--pi.localhost:8332/",
        trust: .init(word: "friend", node: "X", petname: "pi")),
      Self.device("tv", "tv@den", state: .away, http: nil, age: 200),
      Self.device("old", "old@den", state: .gone, http: false, age: 90000, trust: .init(word: "stranger")),
    ]
    #expect(
      DeviceTable.lines(devices, now: Self.now) == [
        "NAME         JID            STATE   TRUST     FRIEND  HTTP  SEEN       URL",
        "Living room  thermostat@pi  online  friend    pi      yes   now        http://thermostat--pi.localhost:8332/",
        "tv           tv@den         away    ?         -       ?     3 min ago  -",
        "old          old@den        gone    stranger  -       no    1 d ago    -",
      ])
  }

  /// In cells of the terminal, not in characters.
  @Test func tablesFitTheTerminal() {
    var table = TextTable(header: ["NAME", "JID"])
    table.rows = [["居間の温度計", "thermostat@pi"], ["a rather long name", "x"], ["e\u{301}", "y"]]
    #expect(
      table.lines == [
        "NAME                JID", "居間の温度計        thermostat@pi", "a rather long name  x",
        "e\u{301}                   y",
      ])
    #expect(
      table.lines(fitting: 25) == ["NAME        JID", "居間の温…   thermostat@pi", "a rather …  x", "e\u{301}           y"])
    #expect(table.lines(fitting: 5)[2] == "a rathe…  x")
    #expect(Cells.width(of: "☀️") == 2 && Cells.width(of: "👩‍👩‍👧") == 2 && Cells.width(of: "ö") == 1)
  }

  @Test func columnsAreShortenedInOrder() {
    var table = TextTable(header: ["NAME", "X", "DEVICES"])
    table.rows = [["somebody with a name", "x", "a@b c@d e@f g@h"]]
    #expect(table.lines(fitting: 38, shortening: [2, 0]).last == "somebody with a name  x  a@b c@d e@f …")
    #expect(table.lines(fitting: 30, shortening: [2, 0]).last == "somebody with a …  x  a@b c@d…")
  }

  @Test func anOwnDeviceWithoutItsAppIsDown() {
    let device = DeviceResource(
      jid: "tv@den", name: "tv", state: .online, http: true, status: "avail", message: nil, addresses: [],
      seen: Self.now, url: nil, trust: .init(word: "self"),
      health: HealthResource(HealthReport(.down("Connection refused"), since: Self.now)))
    #expect(DeviceTable.lines([device], now: Self.now).last == "tv    tv@den  online  self   -       down  now   -")
  }

  @Test(arguments: [
    (Health.ok, "ok "), (.unknown, "unknown"),
    (.down("Connection refused"), "down: Connection refused"),
  ])
  func theStatusSaysHowServicesAre(_ health: Health, _ text: String) throws {
    let service = NodeStatus.Served(
      name: "tv", wanted: JID("tv@den"), jid: JID("tv@den"), target: "/srv", policy: try AccessPolicy(access: .friends),
      problem: nil,
      health: HealthReport(health, since: Self.now - 200))
    let node = NodeStatus(
      jid: JID("hearth@pi")!, wanted: JID("hearth@pi")!, port: 5298, discoveryProblem: nil, services: [service],
      streams: 0)
    let id = try #require(NodeID(digest: Array(repeating: 1, count: 32)))
    let report = StatusReport(
      status: StatusResource(node, id: id, version: "1", frontPort: nil), localhostNames: true)
    #expect(StatusText.lines(report, now: Self.now).last == "tv       tv@den  friends  /srv    \(text)  3 min ago")
  }

  @Test func theAccount() {
    let account = AccountResource(
      state: .online, jid: "pi@example.org", configured: true, since: Self.now - 200, server: "xmpp.example.org:5222",
      tls: "starttls", mechanism: "SCRAM-SHA-256-PLUS", binding: "tls-exporter", bound: "pi@example.org/hearth.abc",
      resumable: true, resumptions: 2,
      problem: .init(code: "lost", message: "the \u{1B}connection broke", at: Self.now - 300))
    #expect(
      AccountText.lines(account, now: Self.now) == [
        "Account    pi@example.org, by hearth.toml", "State      online for 3 min",
        "Server     xmpp.example.org:5222, starttls", "Login      SCRAM-SHA-256-PLUS, bound by tls-exporter",
        "Session    pi@example.org/hearth.abc, resumed 2 times so far", "Relay      off",
        "Problem    5 min ago: the \u{FFFD}connection broke",
      ])
    #expect(AccountText.line(account) == "pi@example.org, online")
    #expect(AccountText.lines(AccountResource(state: .off), now: Self.now)[0].contains("hearth account --help"))
  }

  @Test func anEmptyListIsTheHeader() {
    let lines = DeviceTable.lines([], now: Self.now)
    #expect(lines == ["NAME  JID  STATE  TRUST  FRIEND  HTTP  SEEN  URL"])
  }

  @Test func namesCannotDriveTheTerminal() {
    let lines = DeviceTable.lines(
      [Self.device("\u{1B}[2Jx\r\u{202E}y", "a@b")], now: Self.now)
    #expect(!lines.joined().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
    #expect(lines[1].contains("[2Jx"))
    #expect(Printable.clean("Küche 🔥 — ok") == "Küche 🔥 — ok")
  }

  @Test(arguments: [
    (-5.0, "now"), (59, "now"), (60, "1 min ago"), (3599, "59 min ago"), (3600, "1 h ago"), (86399, "23 h ago"),
    (86400, "1 d ago"), (400_000, "4 d ago"),
  ])
  func ages(_ seconds: Double, _ text: String) {
    #expect(DeviceTable.age(seconds) == text)
  }

  @Test func loopbackIsToldFromOtherAddresses() async {
    #expect(LocalNames.isLoopback("127.0.0.1") && LocalNames.isLoopback("127.9.9.9") && LocalNames.isLoopback("::1"))
    for name in ["10.0.0.1", "::2", "::", "::ffff:10.0.0.1", "1::1"] {
      #expect(!LocalNames.isLoopback(name), "\(name)")
    }
    #expect(await LocalNames.areResolved() == LocalNames.isLoopback("any.localhost"))
  }

  @Test(arguments: [true, false]) func theStatusSaysWhereNamesAreNotResolved(_ isResolved: Bool) throws {
    let node = NodeStatus(
      jid: JID("hearth@pi")!, wanted: JID("hearth@pi")!, port: 5298, discoveryProblem: nil, services: [], streams: 0)
    let id = try #require(NodeID(digest: Array(repeating: 1, count: 32)))
    let report = StatusReport(
      status: StatusResource(node, id: id, version: "1", frontPort: 8400), localhostNames: isResolved)
    let line = StatusText.lines(report, now: Self.now).first { $0.hasPrefix("Names ") }
    #expect((line == nil) == isResolved)
    if let line { #expect(line.contains("libnss-myhostname") && line.contains("http_proxy=http://127.0.0.1:8400")) }
    let json = String(decoding: try ControlJSON.encode(report), as: UTF8.self)
    #expect(json.contains(#""localhostNames":\#(isResolved)"#) && json.contains(#""jid":"hearth@pi""#))
  }

  @Test func theProgressBar() {
    let start = ContinuousClock.now
    var bar = ProgressBar(total: 64 << 20, start: start)
    #expect(
      bar.line(16 << 20, elapsed: .seconds(2))
        == "[#####               ]  25 %  16.0 MiB of 64.0 MiB  8.0 MiB/s  0:06 left")
    #expect(bar.update(1, now: start + .milliseconds(10)) == nil)
    #expect(bar.finish(1, now: start + .milliseconds(20)) == nil)
    #expect(bar.update(1, now: start + .seconds(1))?.first == "\r")
    #expect(bar.update(2, now: start + .milliseconds(1010)) == nil)
    #expect(bar.finish(64 << 20, now: start + .seconds(2))?.hasSuffix("\n") == true)
    #expect(ProgressBar(total: nil, start: start).line(2048, elapsed: .seconds(1)) == "2.0 KiB  2.0 KiB/s")
  }

  @Test func oneLineARecord() {
    let lines = Mutex<[String]>([])
    var logger = Logger(label: "t") { _ in
      LineLogHandler(forJournal: true) { line in lines.withLock { $0.append(line) } }
    }
    logger[metadataKey: "b"] = "two words"
    logger.warning("evil\nname", metadata: ["a": "1", "c": "x\u{1B}[2J\"", "d": ""])
    #expect(lines.withLock { $0 } == ["<4>evil\\nname a=1 b=\"two words\" c=\"x\\u{1b}[2J\\\"\" d=\"\"\n"])
  }

  @Test func aRecordIsAnObjectInJSON() throws {
    struct Record: Decodable {
      let time: String
      let level: String
      let message: String
      let fields: [String: String]
    }
    let lines = Mutex<[String]>([])
    let logger = Logger(label: "t") { _ in
      LineLogHandler(.json, forJournal: false) { line in lines.withLock { $0.append(line) } }
    }
    logger.warning("evil\nname", metadata: ["a": "x\u{1B}[2J\"\n", "time": "1"])
    let line = try #require(lines.withLock { $0 }.first)
    #expect(line.hasSuffix("}\n") && line.filter { $0 == "\n" }.count == 1 && !line.contains("\u{1B}"))
    let record = try ControlJSON.decode(Record.self, from: Data(line.utf8))
    #expect(record.level == "warning" && record.message == "evil\nname" && record.fields["a"] == "x\u{1B}[2J\"\n")
    #expect(record.fields["time"] == "1" && record.time.hasSuffix("Z"))
  }

  @Test func theTimeComesFirstOutsideOfTheJournal() throws {
    let lines = Mutex<[String]>([])
    let logger = Logger(label: "t") { _ in
      LineLogHandler(forJournal: false) { line in lines.withLock { $0.append(line) } }
    }
    logger.notice("ready", metadata: ["jid": "a@b"])
    let line = try #require(lines.withLock { $0 }.first)
    #expect(line.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z notice ready jid=a@b\n/) != nil, "\(line)")
  }
}
