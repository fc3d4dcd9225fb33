import Account
import Front
import HTTPX
import TestKit
import Origins
import Testing
import Trust
import XMPP

@testable import Daemon

struct ConfigurationTests {
  @Test func anEmptyFileIsTheDefaults() throws {
    #expect(try ConfigurationFile.parse("", file: "f") == Configuration())
  }

  @Test func everyKey() throws {
    let configuration = try ConfigurationFile.parse(
      """
      [node]
      name = "kitchen"
      machine = "pi"
      listen = 5299
      interfaces = ["eth0", "wlan0"]
      requests = "reject"
      [front]
      enabled = true
      port = 8400
      [limits]
      memory = "32 MiB"
      [transfer]
      prefer = ["sipub", "jingle", "chunkedBase64"]
      [log]
      access = true
      [metrics]
      listen = 9332
      [account]
      jid = "pi@example.org"
      password_file = "/etc/hearth/account.pw"
      server = "[::1]:5223"
      tls = "direct"
      fingerprint = "\(String(repeating: "0A", count: 32))"
      allow_plain = true
      relay = true
      share = true
      direct = true
      [forward]
      6310 = "printer@pi"
      631 = "httpx://printer@den/"
      [services.thermostat]
      target = "http://127.0.0.1:8321"
      title = "Living room"
      description = "Warm"
      access = ["anna", "kitchen-pi"]
      methods = ["GET", "PUT"]
      paths = ["/api/", "/set"]
      [services.files]
      target = "/srv/www"
      access = "public"
      plaintext = true
      listing = false
      [services.nas]
      target = "https://nas.local"
      access = "friends"
      fingerprint = "\(Self.fingerprint)"
      [services.printer]
      target = "https://10.0.0.7:8443/ui"
      access = "friends"
      insecure = true
      [services.app]
      target = "unix:/run/app.sock"
      access = "friends"
      host = "browser"
      forwarded_for = true
      timeout = 60
      [services.esp]
      target = "http://10.0.0.9"
      access = "friends"
      gadget = true
      xml = true
      """, file: "f")
    #expect(
      configuration.node
        == .init(name: "kitchen", machine: "pi", listen: 5299, interfaces: ["eth0", "wlan0"], requests: .reject))
    #expect(configuration.front == .init(enabled: true, port: 8400))
    #expect(configuration.limits == .init(memory: 32 << 20))
    #expect(configuration.transfer == .init(prefer: [.sipub, .jingle, .chunkedBase64]))
    #expect(configuration.log == .init(access: true) && configuration.metrics == .init(listen: 9332))
    #expect(
      configuration.account
        == .init(
          jid: JID("pi@example.org"), passwordFile: "/etc/hearth/account.pw", server: .init(host: "::1", port: 5223),
          tls: .direct, fingerprint: [UInt8](repeating: 10, count: 32), allowsPlain: true, isRelay: true,
          isShared: true, isDirect: true))
    #expect(
      configuration.forwards == [
        Forward(port: 631, to: JID("printer@den")!), Forward(port: 6310, to: JID("printer@pi")!),
      ])
    #expect(
      configuration.services == [
        ServiceDefinition(
          name: "app", target: "unix:/run/app.sock", access: .friends,
          app: AppOptions(host: .browser, forwardedFor: true, timeout: 60)),
        ServiceDefinition(
          name: "esp", target: "http://10.0.0.9", access: .friends, app: AppOptions(gadget: true, xml: true)),
        ServiceDefinition(
          name: "files", target: "/srv/www", access: try AccessPolicy(access: .public, plaintext: true), listing: false),
        ServiceDefinition(
          name: "nas", target: "https://nas.local", access: .friends, fingerprint: Self.fingerprint),
        ServiceDefinition(name: "printer", target: "https://10.0.0.7:8443/ui", access: .friends, insecure: true),
        ServiceDefinition(
          name: "thermostat", target: "http://127.0.0.1:8321", title: "Living room", description: "Warm",
          access: try AccessPolicy(
            access: .names([Petname("anna"), Petname("kitchen-pi")]), methods: ["GET", "PUT"],
            paths: ["/api/", "/set"])),
      ])
  }

  /// What `Config/hearth.toml` explains is what there is, and its examples are good.
  @Test func theSampleNamesEveryKey() throws {
    let path = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Config/hearth.toml"
    // As it is installed, it says nothing.
    #expect(try ConfigurationFile.read(path) == Configuration())
    let lines = try ConfigurationFile.text(of: path).split(separator: "\n")
    let keys = lines.compactMap { line -> Substring? in
      let text = line.hasPrefix("# ") ? line.dropFirst(2) : line
      let word = text.prefix(while: Self.isOfKey)
      return text.hasPrefix("[") || !word.isEmpty && text.dropFirst(word.count).hasPrefix(" = ") ? text : nil
    }
    let sample = try ConfigurationFile.parse(keys.joined(separator: "\n"), file: path)
    #expect(sample.node.machine != nil && sample.node.listen != nil && sample.node.interfaces != nil)
    #expect(sample.forwards == [Forward(port: 6310, to: JID("printer@pi")!)])
    #expect(sample.services.map(\.name) == ["nas", "photos", "thermostat"])
    let known = [
      "name", "machine", "listen", "interfaces", "requests", "enabled", "port", "6310", "target", "title",
      "description", "access", "methods", "paths", "plaintext", "fingerprint", "insecure", "listing",
      "host", "forwarded_for", "gadget", "timeout", "xml", "memory", "prefer",
      "listen", "access", "jid", "password_file", "server", "tls", "allow_plain", "relay", "share", "serve", "domain",
      "secret_file", "public", "direct",
    ]
    #expect(Set(keys.compactMap { $0.hasPrefix("[") ? nil : String($0.prefix(while: Self.isOfKey)) }) == Set(known))
  }

  private static func isOfKey(_ character: Swift.Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }

  private static let fingerprint = Array(repeating: "5B", count: 32).joined(separator: ":")

  struct Bad: Sendable, CustomTestStringConvertible {
    let text: String
    let line: Int?
    let key: String?
    /// A part of the message that says what is allowed.
    let says: String
    var testDescription: String { text }

    init(_ text: String, _ line: Int?, _ key: String?, _ says: String) {
      self.text = text
      self.line = line
      self.key = key
      self.says = says
    }
  }

  private static let friends = "[services.tv]\ntarget = \"/w\"\naccess = \"friends\"\n"

  static let bad = [
    Bad("[nod]\n", 1, "nod", "node, front, limits, transfer, log, metrics, account, component, forward, services"),
    Bad("[log]\naccess = 1", 2, "log.access", "true or false"),
    Bad("[metrics]\nlisten = 8332", 2, "metrics.listen", "another one"),
    Bad("\n[node]\nname = \"a\"\nnmae = \"b\"\n", 4, "node.nmae", "name, machine, listen, interfaces, requests"),
    Bad("node = 3", 1, "node", "[node]"),
    Bad("[node]\nname = 7", 2, "node.name", "a string in quotes"),
    Bad("[node]\nname = \"a@b\"", 2, "node.name", "letters, digits"),
    Bad("[node]\nname = \"\"", 2, "node.name", "empty"),
    Bad("[node]\nmachine = \"\(String(repeating: "m", count: 60))\"", 2, "node.machine", "63 bytes"),
    Bad("[node]\nlisten = \"5298\"", 2, "node.listen", "1 to 32767"),
    Bad("[node]\nlisten = 40000", 2, "node.listen", "1 to 32767"),
    Bad("[node]\nlisten = 52.5", 2, "node.listen", "1 to 32767"),
    Bad("[node]\ninterfaces = \"eth0\"", 2, "node.interfaces", "a list of strings"),
    Bad("[node]\ninterfaces = [\"eth0\", 1]", 2, "node.interfaces", "entry 2"),
    Bad("[node]\ninterfaces = []", 2, "node.interfaces", "for all"),
    Bad("[node]\nrequests = \"always\"", 2, "node.requests", "\"ask\", \"reject\" or \"accept\""),
    Bad("[node]\nrequests = true", 2, "node.requests", "a string in quotes"),
    Bad("[limits]\nmemory = 64", 2, "limits.memory", "a string in quotes"),
    Bad("[limits]\nmemory = \"64 megs\"", 2, "limits.memory", "\"4MiB\" to \"64GiB\""),
    Bad("[limits]\nmemory = \"1MiB\"", 2, "limits.memory", "\"4MiB\" to \"64GiB\""),
    Bad("[limits]\nmemory = \"65GiB\"", 2, "limits.memory", "as in \"64MiB\""),
    Bad("[limits]\nmemory = \"-64MiB\"", 2, "limits.memory", "as in \"64MiB\""),
    Bad("[limits]\ncpu = 1", 2, "limits.cpu", "memory"),
    Bad("[transfer]\nprefer = \"ibb\"", 2, "transfer.prefer", "a list of strings"),
    Bad("[transfer]\nprefer = [\"ibb\", \"s5b\"]", 2, "transfer.prefer", "“s5b”; it must be a list of \"ibb\""),
    Bad("[transfer]\nprefer = []", 2, "transfer.prefer", "an empty list"),
    Bad("[transfer]\nprefer = [\"ibb\", \"ibb\"]", 2, "transfer.prefer", "twice"),
    Bad("[transfer]\nprefers = []", 2, "transfer.prefers", "prefer"),
    Bad("[front]\nenabled = \"yes\"", 2, "front.enabled", "true or false"),
    Bad("[front]\nport = 0", 2, "front.port", "1 to 65535"),
    Bad("[front]\nhost = \"0.0.0.0\"", 2, "front.host", "enabled, port"),
    Bad("[front]\nenabled = false\n[forward]\n6310 = \"a@b\"", 4, "forward.6310", "enabled = true"),
    Bad("[forward]\n\nprinter = \"a@b\"", 3, "forward.printer", "from 1 to 65535"),
    Bad("[forward]\n70000 = \"a@b\"", 2, "forward.70000", "from 1 to 65535"),
    Bad("[forward]\n0631 = \"a@b\"", 2, "forward.0631", "from 1 to 65535"),
    Bad("[forward]\n8332 = \"a@b\"", 2, "forward.8332", "front itself"),
    Bad("[forward]\n6310 = 1", 2, "forward.6310", "a string in quotes"),
    Bad("[forward]\n6310 = \"a@b/x\"", 2, "forward.6310", "printer@pi"),
    Bad("[forward]\n6310 = \"http://a\"", 2, "forward.6310", "printer@pi"),
    Bad("[forward]\n6310 = \"a@b\"\n6310 = \"c@d\"", 3, nil, "not TOML"),
    Bad("[account]\njid = \"pi\"", 2, "account.jid", "\"pi@example.org\""),
    Bad("[account]\njid = \"pi@example.org/home\"", 2, "account.jid", "\"pi@example.org\""),
    Bad("[account]\npassword_file = \"/x\"", 2, "account.password_file", "whose password"),
    Bad("[account]\njid = \"a@b\"\npassword_file = \"x\"", 3, "account.password_file", "absolute"),
    Bad("[account]\nserver = \"example.org\"", 2, "account.server", "host:port"),
    Bad("[account]\nserver = \"example.org:0\"", 2, "account.server", "host:port"),
    Bad("[account]\ntls = \"none\"", 2, "account.tls", "\"direct\" or \"starttls\""),
    Bad("[account]\nfingerprint = \"5B\"", 2, "account.fingerprint", "SHA-256"),
    Bad("[account]\nallow_plain = 1", 2, "account.allow_plain", "true or false"),
    Bad("[account]\nserves = \"tv\"", 2, "account.serves", "jid, password_file, server"),
    Bad("[services]\ntv = \"http://x\"", 2, "services.tv", "[services.tv]"),
    Bad("[services.tv]\ntitle = \"TV\"", 1, "services.tv", "no target"),
    Bad("[services.tv]\ntarget = \"ftp://x\"", 2, "services.tv.target", "http://host:port"),
    Bad("[services.tv]\ntarget = \"www\"", 2, "services.tv.target", "/path/of/a/folder"),
    Bad("[services.tv]\ntarget = \"/w\"\nport = 1", 3, "services.tv.port", "target, title"),
    Bad("[services.tv]\ntarget = \"/w\"\naccess = \"all\"", 3, "services.tv.access", "\"friends\", \"public\""),
    Bad("[services.tv]\ntarget = \"/w\"", 1, "services.tv", "has no access"),
    Bad("[services.tv]\ntarget = \"/w\"\naccess = [\"a b\"]", 3, "services.tv.access", "letters, digits"),
    Bad("[services.tv]\ntarget = \"/w\"\naccess = [\"public\"]", 3, "services.tv.access", "meaning of its own"),
    Bad(friends + "methods = \"GET\"", 4, "services.tv.methods", "[\"GET\", \"POST\"]"),
    Bad(friends + "methods = []", 4, "services.tv.methods", "opens nothing"),
    Bad(friends + "methods = [\"get\"]", 4, "services.tv.methods", "in capitals"),
    Bad(friends + "paths = [\"photos\"]", 4, "services.tv.paths", "begin with a slash"),
    Bad(friends + "paths = [\"/a/../b\"]", 4, "services.tv.paths", "without dots"),
    Bad(friends + "paths = []", 4, "services.tv.paths", "opens nothing"),
    Bad(friends + "plaintext = true", 4, "services.tv.plaintext", "access = \"public\""),
    Bad(friends + "host = \"mine\"", 4, "services.tv.host", "it must be \"app\" or \"browser\""),
    Bad(friends + "timeout = 0", 4, "services.tv.timeout", "from 1 to 86400"),
    Bad(friends + "gadget = true\nforwarded_for = true", 4, "services.tv.gadget", "leave forwarded_for out"),
    Bad(friends + "listing = \"no\"", 4, "services.tv.listing", "true or false"),
    Bad(
      "[services.tv]\ntarget = \"http://a\"\naccess = \"friends\"\nlisting = true", 4, "services.tv.listing",
      "folders only"),
    Bad(friends + "insecure = true", 4, "services.tv.insecure", "https:// only"),
    Bad(friends + "fingerprint = \"\(fingerprint)\"", 4, "services.tv.fingerprint", "https:// only"),
    Bad(
      "[services.tv]\ntarget = \"https://a\"\naccess = \"friends\"\nfingerprint = \"5B\"", 4,
      "services.tv.fingerprint", "64 hexadecimal"),
    Bad("[component]\nsecret_file = \"/s\"", 1, "component", "has no domain"),
    Bad("[component]\ndomain = \"a@b.c\"\nsecret_file = \"/s\"", 2, "component.domain", "must be a domain"),
    Bad("[component]\ndomain = \"home.example.org\"\nsecret_file = \"s\"", 3, "component.secret_file", "absolute path"),
    Bad("[services.tv]\ntarget = \"/w\"\naccess = [\"jid:anna\"]", 3, "services.tv.access", "jid:anna@example.net"),
    Bad("[services.tv]\ntarget = \"/w\"\naccess = \"public\"\npublic = true", 4, "services.tv.public", "must be"),
    Bad(
      "[services.tv]\ntarget = \"/w\"\naccess = \"public\"\npublic = \"yes\"", 4, "services.tv.public",
      "\"servers too\""),
    Bad(
      "[services.tv]\ntarget = \"/w\"\naccess = \"friends\"\npublic = \"servers too\"", 4, "services.tv.public",
      "set access"),
    Bad("[services.tv]\ntarget = \"/w\"\naccess = []", 3, "services.tv.access", "list of friends' names"),
    Bad("[services.tv]\ntarget = \"/w\"\naccess = true", 3, "services.tv.access", "list of friends' names"),
    Bad(friends + "plaintext = 1", 4, "services.tv.plaintext", "true or false"),
    Bad("[services.tv]\ntarget = \"/w\"\ndescription = \"a\\nb\"", 3, "services.tv.description", "one line"),
    Bad("[services.\"a b\"]\ntarget = \"/w\"", 1, "services.a b", "letters, digits"),
    Bad(
      "[services.TV]\ntarget = \"/w\"\naccess = \"public\"\n[services.tv]\ntarget = \"/w\"\naccess = \"public\"", 4,
      "services.tv", "same name"),
    Bad(
      "[node]\nname = \"tv\"\n[services.TV]\ntarget = \"/w\"\naccess = \"public\"", 3, "services.TV", "node's own name"),
    Bad("[services.tv]\ntarget = \"/w\"\n[services.tv]\ntarget = \"/w\"", 3, nil, "not TOML"),
    Bad("[node]\nname = \"a\"\nname = \"b\"", 3, nil, "not TOML"),
    Bad("[node\n", 1, nil, "not TOML"),
  ]

  @Test(arguments: bad) func aMistakeIsNamed(_ bad: Bad) throws {
    let error = try #require(throws: ConfigurationError.self) {
      _ = try ConfigurationFile.parse(bad.text, file: "hearth.toml")
    }
    #expect(error.line == bad.line)
    #expect(error.key == bad.key)
    #expect(error.message.contains(bad.says), "\(error)")
    #expect("\(error)".hasPrefix("hearth.toml"))
  }

  @Test func theErrorReadsLikeACompilers() {
    let error = ConfigurationError(file: "/etc/hearth.toml", line: 3, key: "node.name", message: "is empty")
    #expect("\(error)" == "/etc/hearth.toml:3: node.name: is empty")
    #expect("\(ConfigurationError(file: "f", message: "no such file"))" == "f: no such file")
  }

  @Test func filesThatCannotBeRead() throws {
    try TemporaryFolder.with { folder in
      for (content, says) in [([UInt8]?.none, "no such file"), ([0xFF, 0xFE], "UTF-8")] {
        let path = "\(folder)/hearth.toml"
        if let content { try FileBytes.replace(path, in: folder, with: content) }
        let error = try #require(throws: ConfigurationError.self) { _ = try ConfigurationFile.read(path) }
        #expect(error.message.contains(says))
      }
      let error = try #require(throws: ConfigurationError.self) { _ = try ConfigurationFile.read(folder) }
      #expect(error.message.contains("cannot be read"))
    }
  }

  @Test(arguments: [
    (["node", "name"], 4), (["services", "tv", "target"], 7), (["services", "a.b", "x"], 9), (["front", "port"], 2),
    (["services", "tv", "absent"], 6), (["services"], 6), (["absent"], nil),
  ])
  func theLineOfAKey(_ path: [String], is line: Int?) {
    let locator = KeyLocator(
      document: """
        # name = "no"
        front.port = 1
        [node]
        name = "a"

        [ services . tv ]
          target = "x = y"
        [services."a.b"]
        'x' = 1
        """)
    #expect(locator.line(of: path) == line)
  }
}
