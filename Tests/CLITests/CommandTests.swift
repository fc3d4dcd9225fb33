import ArgumentParser
import Control
import Daemon
import FoundationEssentials
import Front
import HTTPX
import TestKit
import Testing
import Trust
import XMPP

@testable import CLI

struct CommandTests {
  @Test(arguments: [
    ("thermostat@pi", "http://thermostat--pi.localhost:8332/"),
    ("thermostat@pi/a?b=1", "http://thermostat--pi.localhost:8332/a?b=1"),
    ("httpx://thermostat@pi/a#top", "http://thermostat--pi.localhost:8332/a#top"),
    ("HTTPX://Thermostat@Pi", "http://thermostat--pi.localhost:8332/"),
  ])
  func browserAddresses(_ text: String, _ url: String) throws {
    #expect(FrontAddress(port: 8332).url(of: try DeviceAddress.parse(text).resolved(among: [])) == url)
  }

  @Test(arguments: ["", "http://thermostat@pi/", "http://hearth.localhost:8332/", "thermostat@pi:80/", "httpx:///x"])
  func otherAddressesAreRefused(_ text: String) {
    let failure = #expect(throws: CommandFailure.self) { _ = try DeviceAddress.parse(text) }
    #expect(failure?.status == .usage)
  }

  @Test func completionOffersWhatWasBegun() {
    let devices = [true, nil, false].enumerated().map { index, http in
      DeviceResource(
        jid: "d\(index)@pi", name: "d", state: .online, http: http, status: "", message: nil, addresses: [],
        seen: Date(),
        url: nil, trust: nil)
    }
    #expect(Completion.names(devices, prefix: "") == ["d0@pi", "d1@pi"])
    #expect(Completion.names(devices, prefix: "httpx:") == ["httpx://d0@pi/", "httpx://d1@pi/"])
  }

  @Test func namesInAccessAreCompletedOneByOne() {
    #expect(Completion.access(["anna", "bob"], prefix: "a") == ["friends", "public", "anna", "bob"])
    #expect(Completion.access(["anna", "bob"], prefix: "anna,b") == ["anna,bob"])
  }

  @Test(
    arguments: [
      ("thermostat@pi", [], "pi"), ("hearth@küche", [], "küche"), ("a@pi", ["PI"], nil), ("a@friends", [], nil),
      ("a@node-abcdefg-hijklmn", [], nil), ("a@b c", [], nil), (nil, [], nil),
    ] as [(String?, [String], String?)])
  func machinesNamesAreProposed(_ jid: String?, _ taken: [String], _ name: String?) {
    #expect(PetnameProposal.proposal(jid, taken: taken) == name)
  }

  @Test(.timeLimit(.minutes(1))) func aDeadlineEndsTheWork() async {
    let never: Void? = await Deadline.run(.milliseconds(20)) { try await untilCancelled() }
    #expect(never == nil)
    #expect(await Deadline.run(.seconds(3600)) { 1 } == 1)
  }

  @Test(arguments: [
    (["-d{\"a\": 1}", "-HA: b=c", "-d", "-Hx", "-if"], ["-d", "{\"a\": 1}", "-H", "A: b=c", "-d", "-Hx", "-i", "-f"]),
    (["-sSLo", "file"], ["-s", "-S", "-L", "-o", "file"]), (["-sofile"], ["-s", "-o", "file"]),
    (["-C", "-"], ["-C", "-"]),
    (["-C-"], ["-C", "-"]), (["-T", "-"], ["-T", "-"]), (["-"], ["-"]), (["-sz"], ["-sz"]), (["--fail"], ["--fail"]),
  ])
  func getSeparatesOptions(_ typed: [String], _ words: [String]) {
    #expect(GetCommand.separated(["get"] + typed + ["a@b/"]) == ["get"] + words + ["a@b/"])
  }

  @Test func getParsesCurlsHabits() async throws {
    let get = try await GetCommand.asyncParse([
      "-X", "PUT", "-H", "A: b", "-H", "-c: d", "-d", "-1", "-o", "f", "-i", "a@b/",
    ])
    #expect(get.request.method == "PUT")
    #expect(get.request.headers == ["A: b", "-c: d"])
    #expect(get.request.data == ["-1"])
    #expect(get.response.output == "f")
    #expect(get.response.include && !get.response.fail && !get.response.headOnly)
    #expect(GetCommand.separated(["serve", "-dx"]) == ["serve", "-dx"])
    let form = try await GetCommand.asyncParse(["-d", "a=1", "-d", "b=2", "--data-raw", "@c", "a@b/"])
    #expect(form.request.data == ["a=1", "b=2"] && form.request.rawData == ["@c"])
    #expect(try await GetCommand.asyncParse(["--json", "{}", "a@b/"]).request.json == "{}")
    for wrong in [
      ["-I", "-d", "x", "a@b"], ["-m", "0", "a@b"], ["-d", "x", "--json", "{}", "a@b"],
      ["-F", "a=b", "-T", "x", "a@b"],
      ["-G", "a@b"], ["-o", "x", "-O", "a@b"], ["-C", "-", "a@b"], ["-C", "x", "-O", "a@b"],
      ["-C", "-", "-o", "-", "a@b"],
    ] {
      await #expect(throws: (any Error).self, "\(wrong)") { _ = try await GetCommand.asyncParse(wrong) }
    }
  }

  @Test(arguments: ["bad_@@", "@pi", "httpx://@pi/", "pi@"]) func whatIsNoAddressIsRefused(_ text: String) {
    let failure = #expect(throws: CommandFailure.self) { try DeviceAddress.parse(text) }
    #expect(failure?.status == .usage)
  }

  /// The parser fits paragraphs to the terminal; examples stay as they are.
  @Test func paragraphsOfHelpAreOneLine() {
    #expect(HelpText.unwrapped("a b\nc.\n\nExamples:\n  x\n  y\n") == "a b c.\n\nExamples:\n  x\n  y\n")
  }

  @Test func forwardParses() async throws {
    let forward = try await ForwardCommand.asyncParse(["printer@pi", "6310"])
    #expect(forward.device == "printer@pi" && forward.port == 6310)
    #expect(try await ForwardCommand.asyncParse(["--remove", "6310"]).remove == 6310)
    #expect(try await ForwardCommand.asyncParse(["--list", "--json"]).list)
    for wrong in [[], ["printer@pi", "x"], ["--list", "--remove", "1"], ["printer@pi", "--list"]] {
      await #expect(throws: (any Error).self) { _ = try await ForwardCommand.asyncParse(wrong) }
    }
  }

  @Test func forwardsAreAListAndSayHowTheyEnd() {
    let forward = ForwardResource(Forward(port: 6310, to: JID("printer@pi")!), configured: false, problem: nil)
    let broken = ForwardResource(Forward(port: 80, to: JID("tv@den")!), configured: true, problem: "in use")
    #expect(
      ForwardText.lines([broken, forward]) == [
        "PORT  DEVICE      URL                     BY           PROBLEM",
        "80    tv@den      http://localhost/       hearth.toml  in use",
        "6310  printer@pi  http://localhost:6310/  command",
      ])
    #expect(ForwardText.opened(forward).last == "To end it: hearth forward --remove 6310")
    #expect(ForwardText.opened(forward).first?.hasPrefix("http://localhost:6310/ is printer@pi") == true)
  }

  @Test func whatToDoNextIsSaidAsCommands() {
    let error = ControlError(.notFound, "there is no friend eve", nextStep: .listFriends)
    let text = "there is no friend eve: hearth friends lists friends, hearth requests what waits"
    #expect(CommandFailure(error) == CommandFailure(.failure, text))
  }

  @Test func aDaemonThatCannotBeConfiguredHasAStatusOfItsOwn() {
    let failure = CommandFailure(describing: DaemonError.service("tv", reason: "cannot be used"))
    #expect(failure == CommandFailure(.configuration, "services.tv: cannot be used"))
  }

  @Test func placesOfAUser() throws {
    let places = Places(
      environment: ["HOME": "/home/a", "XDG_RUNTIME_DIR": "/run/user/1"], isRoot: false, exists: { _ in false })
    #expect(places.configurations == ["/home/a/.config/hearth/hearth.toml", "/etc/hearth/hearth.toml"])
    #expect(places.configuration == nil)
    #expect(try places.state == "/home/a/.local/state/hearth")
    #expect(try places.daemonSocket(nil) == "/run/user/1/hearth.sock")
    #expect(places.clientSocket(nil) == "/run/user/1/hearth.sock")
    #expect(places.clientSocket("/x") == "/x")
  }

  @Test func placesAreWhereTheEnvironmentSays() throws {
    let places = Places(
      environment: [
        "HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "HEARTH_SOCKET": "/x", "XDG_RUNTIME_DIR": "/r",
      ], isRoot: false, exists: { $0 == "/etc/hearth/hearth.toml" })
    #expect(places.configurations.first == "/c/hearth/hearth.toml")
    #expect(places.configuration == "/etc/hearth/hearth.toml")
    #expect(try places.state == "/s/hearth")
    #expect(try places.daemonSocket(nil) == "/x")
    #expect(places.clientSocket(nil) == "/x")
  }

  /// Who is not in the group of the system's daemon does not see its socket.
  @Test func aSocketMayBeInAFolderThatIsNoneOfThisUsersBusiness() {
    let places = Places(
      environment: ["XDG_RUNTIME_DIR": "/r"], isRoot: false, exists: { _ in false },
      isHidden: { $0 == "/run/hearth/hearth.sock" })
    #expect(places.clientSocket(nil) == "/run/hearth/hearth.sock")
  }

  @Test func aUsersProgramAsksTheSystemsDaemonWhereThereIsNoOther() {
    let places = Places(
      environment: ["XDG_RUNTIME_DIR": "/r"], isRoot: false, exists: { $0 == "/run/hearth/hearth.sock" })
    #expect(places.clientSocket(nil) == "/run/hearth/hearth.sock")
  }

  @Test func placesOfRoot() throws {
    let places = Places(environment: ["HOME": "/root", "XDG_RUNTIME_DIR": "/r"], isRoot: true, exists: { _ in true })
    #expect(places.configurations == ["/etc/hearth/hearth.toml"])
    #expect(try places.state == "/var/lib/hearth")
    #expect(try places.daemonSocket(nil) == "/run/hearth/hearth.sock")
  }

  @Test func aUserWithoutARuntimeFolderIsToldWhatToSay() throws {
    let places = Places(environment: [:], isRoot: false, exists: { _ in false })
    #expect(throws: CommandFailure.self) { _ = try places.daemonSocket(nil) }
    #expect(throws: CommandFailure.self) { _ = try places.state }
  }

  @Test func thePlaceIsBesideTheConfiguration() {
    var places = Places(environment: ["HOME": "/h"], isRoot: false, exists: { _ in false })
    #expect(places.trusted(beside: "/a/hearth.toml") == "/a/trusted.d")
    #expect(places.trusted(beside: "hearth.toml") == "trusted.d")
    #expect(places.trusted(beside: nil) == "/h/.config/hearth/trusted.d")
    places.exists = { $0 == "/etc/hearth/trusted.d" }
    #expect(places.trusted(beside: nil) == "/etc/hearth/trusted.d")
    #expect(places.trusted(beside: "/a/hearth.toml") == "/a/trusted.d")
  }
}
