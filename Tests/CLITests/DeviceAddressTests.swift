import ArgumentParser
import Control
import FoundationEssentials
import Front
import HTTPX
import Testing
import XMPP

@testable import CLI

/// What people type, and which device they mean.
struct DeviceAddressTests {
  private static func device(
    _ jid: String, name: String? = nil, trust: String = "friend", petname: String? = nil, http: Bool? = true,
    state: DeviceResource.State = .online
  ) -> DeviceResource {
    DeviceResource(
      jid: jid, name: name ?? jid, state: state, http: http, status: "", message: nil, addresses: [], seen: Date(),
      url: nil, trust: .init(word: trust, node: "node of \(jid.split(separator: "@").last ?? "")", petname: petname))
  }

  private static let home = [
    device("thermostat@pi", name: "Living room", petname: "anna"), device("hearth@pi", petname: "anna", http: false),
    device("tv@den"), device("tv@attic"), device("hearth@den", http: false),
    device("printer@pi.office", trust: "stranger"),
    device("Büro 2@nas", trust: "self"), device("a name that is longer than any label of the DNS may ever be@nas"),
  ]

  private static func resolve(
    _ text: String, _ purpose: DeviceAddress.Purpose = .pages, among devices: [DeviceResource] = home
  ) throws -> String {
    "\(try DeviceAddress.parse(text).resolved(among: devices, for: purpose))"
  }

  @Test(arguments: [
    ("thermostat", "httpx://thermostat@pi/"), ("Thermostat/a?b#c", "httpx://thermostat@pi/a?b#c"),
    ("httpx://thermostat/a", "httpx://thermostat@pi/a"), ("living room", "httpx://thermostat@pi/"),
    ("pi/x", "httpx://thermostat@pi/x"), ("anna", "httpx://thermostat@pi/"), ("printer", "httpx://printer@pi.office/"),
    ("http://thermostat--pi.localhost:8332/x?y", "httpx://thermostat@pi/x?y"),
    ("http://thermostat--pi.localhost", "httpx://thermostat@pi/"), ("nobody@here/x", "httpx://nobody@here/x"),
    ("HTTP://TV--DEN.LOCALHOST:1/#a", "httpx://tv@den/#a"),
  ])
  func whatIsMeant(_ text: String, _ uri: String) throws {
    #expect(try Self.resolve(text) == uri)
  }

  @Test func labelsThatAreHashesAreLookedUp() throws {
    let long = JID(bare: Self.home.last!.jid)!
    let url = "http://\(DeviceLabel.label(of: long)).localhost:8332/x"
    #expect(try DeviceAddress.parse(url).resolved(among: Self.home).jid == long)
    #expect(throws: CommandFailure.self) { try Self.resolve(url, among: []) }
  }

  @Test func severalAreNamed() {
    let failure = #expect(throws: CommandFailure.self) { try Self.resolve("tv") }
    #expect(failure?.status == .usage)
    #expect(failure?.message.contains("tv@den, tv@attic") == true)
  }

  /// Anyone can call a device `thermostat`, and announce any title.
  @Test func thoseOfFriendsComeFirst() throws {
    let evil = Self.device("thermostat@evil", name: "Living room", trust: "stranger")
    #expect(try Self.resolve("thermostat", among: Self.home + [evil]) == "httpx://thermostat@pi/")
    #expect(throws: CommandFailure.self) { try Self.resolve("Living room", among: [evil]) }
    let gone = Self.device("tv@attic", state: .gone)
    #expect(try Self.resolve("tv", among: [Self.device("tv@den"), gone]) == "httpx://tv@den/")
  }

  @Test func aMachineStandsForItsNode() throws {
    #expect(try Self.resolve("pi", .node) == "httpx://thermostat@pi/")
    #expect(try Self.resolve("den", .node) == "httpx://tv@den/")
  }

  @Test(arguments: [
    ("thermostatt", "did you mean thermostat@pi?"), ("tvv", "did you mean tv@den, or tv@attic?"),
    ("hello", "on the link: see `hearth devices`"),
  ])
  func theUnknownIsAskedAbout(_ text: String, _ words: String) {
    let failure = #expect(throws: CommandFailure.self) { try Self.resolve(text) }
    #expect(failure?.status == .notDiscovered)
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
  }

  @Test func addressesAreComparedWhole() {
    #expect(DeviceAddress.question("thermostat@py", Self.home) == "did you mean thermostat@pi?")
    #expect(DeviceAddress.question("x@y", Self.home) == nil)
  }

  @Test(arguments: [
    ("stauts", ["status"]), ("device", ["devices"]), ("xyz", []), ("ge", ["get"]), ("open", ["open"]), ("o", []),
  ])
  func likeNames(_ typed: String, _ names: [String]) {
    #expect(Suggestion.names(like: typed, among: ["get", "status", "devices", "open"]) == names)
  }

  @Test(arguments: [
    (["devcies"], "did you mean `hearth devices`?"), (["ls"], "did you mean `hearth devices`?"),
    (["friends", "remvoe"], "did you mean `hearth friends remove`?"), (["zzz"], "see `hearth --help`"),
    (["thermostat@pi"], "`hearth get thermostat@pi`"), (["help", "sevre"], "did you mean `hearth serve`?"),
  ])
  func commandsThatAreNone(_ arguments: [String], _ words: String) {
    let failure = #expect(throws: CommandFailure.self) { try CommandNames.check(arguments) }
    #expect(failure?.status == .usage)
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
  }

  @Test(arguments: [
    [], ["--version"], ["devices", "x"], ["friends", "--json"], ["friends", "remove", "x"], ["help"],
    ["help", "friends", "remove"], ["help", "exit-statuses"], ["--generate-completion-script", "bash"],
  ])
  func theOthersAreTheParsers(_ arguments: [String]) throws {
    try CommandNames.check(arguments)
  }

  @Test func theParserQuotesAsWeDo() {
    #expect(HelpText.requoted("Unexpected argument 'x'\nUsage: a") == "Unexpected argument “x”\nUsage: a")
    #expect(HelpText.requoted("'a b' is anna's, and bob's 'c'") == "“a b” is anna's, and bob's “c”")
  }

  @Test func namesInAccessThatNobodyHas() {
    #expect(
      ServeCommand.warnings(about: .names(["anna", "ana"]), ["Anna"]) == [
        "no friend is called “ana”: did you mean Anna? See `hearth friends`"
      ])
    #expect(ServeCommand.warnings(about: .friends, []).count == 1)
    #expect(ServeCommand.warnings(about: .friends, ["a"]).isEmpty && ServeCommand.warnings(about: .public, []).isEmpty)
  }
}
