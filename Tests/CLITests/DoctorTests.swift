import Avahi
import Control
import Foundation
import HTTPX
import Mesh
import NIOCore
import NIOPosix
import Testing
import TLS
import TestKit
import Trust
import XMPP

@testable import CLI
@testable import Daemon

/// What `hearth doctor` makes of what it found.
struct DoctorTests {
  private static let now = Date(timeIntervalSince1970: 1_000_000)
  private static let eth0 = NetworkInterface(
    name: "eth0", index: 2, isUp: true, isLoopback: false, hasMulticast: true,
    addresses: [.init(bytes: [10, 0, 0, 5], prefix: 24)])

  private static func status(
    wanted: String = "hearth@pi", jid: String = "hearth@pi", problem: String? = nil, refusal: String? = nil,
    services: [NodeStatus.Served] = [], account: AccountResource? = nil
  ) throws -> StatusResource {
    StatusResource(
      NodeStatus(
        jid: JID(jid)!, wanted: JID(wanted)!, port: 5298, discoveryProblem: problem, announcementProblem: refusal,
        services: services, streams: 0),
      id: try Identity.generate(name: "pi").nodeID, version: "test", frontPort: 8332, account: account)
  }

  private static func healthy() throws -> MachineFacts {
    var facts = MachineFacts()
    facts.status = try status()
    facts.isAvahiThere = true
    facts.avahi = AvahiConfiguration(parsing: "")
    facts.interfaces = [eth0]
    facts.heard = ["eth0": .heard]
    facts.ownPort = ["10.0.0.5": .accepted]
    return facts
  }

  private func failed(_ facts: MachineFacts) -> [String] {
    facts.checks(now: Self.now).filter { $0.result == .failed }.map(\.check)
  }

  @Test func nothingIsWrongWhereAllIsWell() throws {
    #expect(failed(try Self.healthy()).isEmpty)
  }

  @Test(arguments: [("name", "DNS"), ("unreachable", "TCP"), ("certificate", "TLS"), ("password", "login")])
  func anAccountThatIsOfflineSaysHowFarItGot(_ code: String, _ step: String) throws {
    var facts = try Self.healthy()
    #expect(!facts.checks(now: Self.now).contains { $0.check == "account" })
    facts.status = try Self.status(
      account: AccountResource(
        state: .waiting, jid: "pi@example.org", problem: .init(code: code, message: "because", at: Self.now)))
    let check = facts.checks(now: Self.now).last
    #expect(check?.check == "account" && check?.result == .failed)
    #expect(check?.message == "pi@example.org is offline (\(step)): because")
  }

  @Test func eachFaultIsNamedFirst() throws {
    var facts = try Self.healthy()
    (facts.status, facts.noDaemon) = (nil, "nothing at /run/hearth.sock")
    #expect(failed(facts).first == "daemon")
    facts = try Self.healthy()
    facts.status = try Self.status(problem: "gone")
    facts.isAvahiThere = false
    #expect(failed(facts) == ["avahi"])
    facts = try Self.healthy()
    facts.avahi = AvahiConfiguration(parsing: "[publish]\n disable-user-service-publishing = yes\n")
    #expect(failed(facts) == ["publishing"])
    facts.avahi = nil
    facts.status = try Self.status(refusal: "avahi-daemon announces nothing for programs")
    #expect(failed(facts) == ["publishing"])
    facts = try Self.healthy()
    facts.avahi = AvahiConfiguration(parsing: "[server]\ndeny-interfaces=eth0, wlan0")
    #expect(failed(facts) == ["interfaces"])
    facts = try Self.healthy()
    facts.interfaces = []
    #expect(failed(facts) == ["interfaces"])
    facts = try Self.healthy()
    facts.heard = ["eth0": .silence]
    #expect(failed(facts) == ["multicast"])
    facts.heard = ["eth0": .unsent("Network is unreachable")]
    #expect(failed(facts) == ["multicast"])
    facts = try Self.healthy()
    facts.ownPort = ["10.0.0.5": .silence]
    #expect(failed(facts) == ["port"])
  }

  /// What keeps a daemon from starting is said first, in its own words.
  @Test func whatKeepsADaemonFromStartingIsFound() async throws {
    let folder = try Folder()
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(listener.localAddress?.port)
    try folder.write("good.toml", Array("[node]\nmachine = \"pi\"\n[front]\nport = \(port)\n".utf8))
    try folder.write("bad.toml", Array("[front]\nport = 70000\n".utf8))
    let state = folder.path("state")
    #expect(mkdir(state, 0o755) == 0)
    func found(_ file: String) -> [StartObstacle] {
      StartObstacle.all(file: folder.path(file), trusted: nil, folders: [state, folder.path("none")])
    }
    #expect(found("good.toml").map(\.kind) == [.state, .port])
    #expect(found("good.toml").last?.reason.contains("(process \(getpid())) has port \(port)") == true)
    #expect(chmod(state, 0o700) == 0)
    #expect(found("bad.toml").first?.kind == .configuration)
    try await listener.close()
    #expect(found("good.toml").isEmpty)
    var facts = try Self.healthy()
    facts.status = nil
    facts.obstacles = StartObstacle.all(file: folder.path("bad.toml"), trusted: nil, folders: [])
    #expect(failed(facts).first == "configuration")
  }

  /// A name that somebody else has on the link, of the node or of a service.
  @Test func aTakenNameIsToldWithBothNames() throws {
    var facts = try Self.healthy()
    facts.status = try Self.status(jid: "hearth-1@pi")
    let check = facts.checks(now: Self.now).first { $0.check == "names" }
    #expect(check?.result == .failed)
    #expect(
      check?.message == "another machine on this link has the name hearth@pi (this one is hearth-1@pi)")
    let service = NodeStatus.Served(
      name: "tv", wanted: JID("tv@pi"), jid: JID("tv-1@pi"), target: "http://127.0.0.1:1",
      policy: try AccessPolicy(access: .friends), problem: nil,
      health: HealthReport(.down("Connection refused"), since: Self.now))
    facts.status = try Self.status(services: [service])
    #expect(failed(facts) == ["names", "apps"])
  }

  private static func device(
    _ address: String, state: DeviceResource.State = .online, trust: String = "friend"
  ) -> DeviceResource {
    DeviceResource(
      jid: "tv@pi", name: "tv", state: state, http: true, status: "avail", message: nil,
      addresses: [.init(address: address, port: 5298, interface: "eth0")], seen: now, url: nil,
      trust: .init(word: trust, node: "X", petname: nil))
  }

  private func checks(
    _ device: DeviceResource?, _ outcome: ConnectProbe.Outcome?, _ answer: DeviceFacts.Answer? = nil
  ) -> [String] {
    var facts = DeviceFacts(name: "tv@pi")
    facts.device = device
    if let device, let outcome { facts.connections = [(device.addresses[0], outcome)] }
    facts.answer = answer
    return facts.checks(interfaces: [Self.eth0], now: Self.now).map { "\($0.check) \($0.result)" }
  }

  @Test func theWayToADeviceEndsAtWhatIsWrong() {
    let near = Self.device("10.0.0.9")
    #expect(checks(nil, nil) == ["device failed"])
    #expect(checks(Self.device("10.0.0.9", state: .gone), nil) == ["device failed"])
    #expect(checks(Self.device("10.0.0.9", trust: "CHANGED"), .accepted) == ["device failed"])
    #expect(checks(Self.device("10.0.1.9"), .silence) == ["device ok", "addresses failed"])
    #expect(checks(Self.device("10.0.1.9"), .accepted, .status(200)).last == "request ok")
    #expect(checks(near, .refused) == ["device ok", "addresses ok", "port failed"])
    #expect(checks(near, .silence) == ["device ok", "addresses ok", "port failed"])
    #expect(checks(near, .unreachable("No route to host")) == ["device ok", "addresses ok", "port failed"])
    #expect(checks(near, .accepted, .failed(CommandFailure(.wrongKey, "no"))).last == "key failed")
    #expect(checks(near, .accepted, .failed(CommandFailure(.denied, "no"))).last == "access failed")
    #expect(checks(near, .accepted, .appFailed(CommandFailure(.noApp, "no"))).last == "app failed")
    #expect(checks(near, .accepted, .status(404)) == ["device ok", "addresses ok", "port ok", "request ok"])
    #expect(checks(Self.device("10.0.0.9", trust: "self"), nil, .status(200)) == ["device ok", "request ok"])
  }

  private func checks(_ outcome: ReportOutcome) -> [String] {
    var facts = DeviceFacts(name: "tv@pi")
    let device = Self.device("10.0.0.9")
    facts.device = device
    facts.connections = [(device.addresses[0], .accepted)]
    facts.report = ReportResource(outcome)
    facts.answer = .status(200)
    return facts.checks(interfaces: [Self.eth0], now: Self.now).dropFirst(3).map { "\($0.check) \($0.result)" }
  }

  private static func told(_ service: DeviceReport.Service?, secondsAhead: Double = 0) -> ReportOutcome {
    .told(DeviceReport(version: "9", time: now + secondsAhead, address: "10.0.0.5", service: service))
  }

  /// The other end's half.
  @Test func theOtherEndSaysWhatItSees() {
    let start = ["friendship ok", "there ok", "clock ok"]
    #expect(checks(Self.told(.init(isOpen: true, health: .ok))) == start + ["access ok", "request ok"])
    #expect(checks(Self.told(.init(isOpen: false, health: .ok))) == start + ["access failed"])
    #expect(checks(Self.told(nil)) == start + ["access failed"])
    #expect(checks(Self.told(.init(isOpen: true, health: .down("no")))) == start + ["access ok", "app failed"])
    #expect(
      checks(Self.told(.init(isOpen: true, health: .unknown), secondsAhead: -7200)).contains("clock unknown"))
    #expect(checks(.notFriends) == ["friendship failed"])
    #expect(checks(.notTold) == ["friendship unknown", "request ok"])
  }

  @Test func avahisConfigurationIsReadAsItIs() {
    #expect(AvahiConfiguration(parsing: "#disable-publishing=yes\ndisable-publishing=no").forbidding == nil)
    #expect(AvahiConfiguration(parsing: "disable-publishing = Yes").forbidding == "disable-publishing=Yes")
    let avahi = AvahiConfiguration(parsing: "allow-interfaces=eth0, wlan0\ndeny-interfaces=wlan0")
    #expect(avahi.uses("eth0") && !avahi.uses("wlan0") && !avahi.uses("docker0"))
  }

  @Test func subnetsAreComparedByTheirPrefix() {
    let address = NetworkInterface.Address(bytes: [192, 168, 3, 7], prefix: 22)
    #expect(address.reaches([192, 168, 1, 1]) && !address.reaches([192, 168, 4, 1]))
    #expect(!address.reaches([UInt8](repeating: 0, count: 16)))
    #expect(NetworkInterface.all.contains { $0.isLoopback && $0.addresses.contains { $0.text == "127.0.0.1" } })
  }

  /// RFC 1035 §4.1, as it stands on the wire.
  @Test func aQueryAsksForOneRecord() {
    let labels = ["a@pi", "_presence", "_tcp", "local"].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    let wanted: [UInt8] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, 33, 0, 1]
    #expect(MulticastProbe.query("a@pi") == wanted)
  }

  @Test func linesSayWhatToDo() {
    let checks: [Check] = [
      .ok("port", "open"), .failed("avahi", "gone", remedy: "start it"), .unknown("x", "\u{1B}[2J"),
    ]
    #expect(
      DoctorText.lines(checks) == [
        "✔ port   open", "✘ avahi  gone", "         → start it", "– x      \u{FFFD}[2J",
      ])
  }
}
