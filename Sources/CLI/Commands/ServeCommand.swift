import ArgumentParser
import Codecs
import Control
import Dashboard
import FoundationEssentials
import Front
import Trust
import XMPP

/// `hearth serve`; a property for each option, as ArgumentParser wants.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Announce an app or a folder as a device.",
    discussion: HelpText.unwrapped(
      """
      At once, and again whenever the daemon starts, until `hearth unserve`. Serving a name again replaces it; names
      that stand in hearth.toml are changed there.

      TARGET is a port of this machine, host:port, https://host:port, unix:/path/of/socket, or a folder, whose files are
      listed where it has no index.html. Friends may use it, unless --access says otherwise.

      Examples:
        hearth serve tv 3000 --title "Living room TV"
        hearth serve photos ~/Pictures --access anna,kitchen-pi --method GET
        hearth serve guests /srv/guests --access public
        hearth serve notes 8123 --access friends,contacts,jid:anna@example.net
        hearth serve nas https://nas.local --fingerprint 5B:F1:…
      """))

  @Argument(help: "The device's name: the part before the @ of its address.")
  var name: String
  @Argument(help: "What answers.", completion: .directory)
  var target: String
  @Option(help: ArgumentHelp("What lists call it.", valueName: "text"))
  var title: String?
  @Option(help: ArgumentHelp("One line about it, announced to everyone on the link.", valueName: "text"))
  var description: String?
  @Option(
    help: ArgumentHelp(
      "Who may use it: friends, public (whoever has a key), or friends' names with commas between; contacts and jid:ADDRESS are accounts on servers.",
      valueName: "who"),
    completion: Completion.access)
  var access = "friends"
  @Option(
    help: ArgumentHelp(
      "Allow only this method; give it once for each. GET includes HEAD; WebSockets need GET and CONNECT.",
      valueName: "method"), completion: Completion.methods)
  var method: [String] = []
  @Option(
    help: ArgumentHelp("Allow only this path and what is below it; give it once for each.", valueName: "path"))
  var path: [String] = []
  @Flag(help: "Serve HTTP also without TLS or key: anyone on the link can read what passes. Needs --access public.")
  var plaintext = false
  @Option(
    help: ArgumentHelp(
      "For https: the SHA-256 of the one certificate to accept, as openssl x509 -fingerprint -sha256 prints it.",
      valueName: "hex"))
  var fingerprint: String?
  @Flag(help: "For https: accept any certificate. Whoever is in between can read and change what passes.")
  var insecure = false
  @Flag(help: "For a folder: do not list its files; who knows a file's name opens it.")
  var noListing = false
  @Option(
    help: ArgumentHelp("For an app: the Host that it gets, app (its own) or browser.", valueName: "which"),
    completion: .list(["app", "browser"]))
  var host: String?
  @Flag(help: "For an app: tell it the peer's IP address, in X-Forwarded-For.")
  var forwardedFor = false
  @Flag(help: "For an app on a microcontroller: add nothing, and leave out what browsers send for large sites.")
  var gadget = false
  @Option(help: ArgumentHelp("For an app: how long it has to begin its answer. (default: 300)", valueName: "seconds"))
  var timeout: Int?
  @Flag(help: "For an app: send its XML documents as XML, where they survive that, instead of as text.")
  var xml = false
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  /// What contradicts itself is said before the daemon is asked.
  func validate() throws {
    if plaintext, access != "public" {
      throw ValidationError("--plaintext lets in anyone on the link: say --access public as well, or leave it out")
    }
    do throws(TrustError) {
      _ = try resource.policy
    } catch {
      throw ValidationError(error.text)
    }
  }

  private var resource: ServiceResource {
    ServiceResource(
      target: TargetText.spelledOut(target, from: FileManager.default.currentDirectoryPath), title: title,
      description: description, access: AccessResource(access), methods: method.isEmpty ? nil : method,
      paths: path.isEmpty ? nil : path, plaintext: plaintext, fingerprint: fingerprint, insecure: insecure,
      listing: noListing ? false : nil, host: host, forwardedFor: forwardedFor ? true : nil,
      gadget: gadget ? true : nil, timeout: timeout, xml: xml ? true : nil)
  }

  func run() async throws {
    let service = resource
    let client = client.client
    let served = try await client.serve(name, service)
    if json { return try Terminal.print(json: served) }
    Terminal.print("httpx://\(served.jid)/ is served from \(service.target), to \(Self.audience(service.access))")
    if let jid = JID(bare: served.jid), let front = try? await BrowserAddress.front(client) {
      Terminal.print("On this machine: \(front.url(of: jid))")
    }
    let friends = try await client.friends().friends.map(\.petname)
    for warning in served.warnings + Self.warnings(about: service.access, friends) {
      Terminal.printError("hearth: warning: \(Printable.clean(warning))\n")
    }
  }

  private static func audience(_ access: AccessResource) -> String {
    switch access {
    case .friends: "friends"
    case .public: "whoever has a key"
    case .names(let names): names.joined(separator: ", ")
    }
  }

  /// Nobody comes in by a name that no friend has.
  static func warnings(about access: AccessResource, _ friends: [String]) -> [String] {
    switch access {
    case .public: []
    case .friends: friends.isEmpty ? ["you have no friends yet, so nobody can open it: `hearth invite` makes one"] : []
    case .names(let names):
      names.filter { name in
        (try? AccessPolicy.audience([name]).0) != .names([])
          && name != "friends" && !friends.contains { $0.lowercased() == name.lowercased() }
      }.map { name in
        let question = Suggestion.question(like: name, among: friends).map { "\($0) See" } ?? "see"
        return "no friend is called “\(name)”: \(question) `hearth friends`"
      }
    }
  }
}

struct UnserveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unserve", abstract: "End what `hearth serve` began.",
    discussion: HelpText.unwrapped(
      """
      Example:
        hearth unserve tv
      """))

  @Argument(help: "The device's name, as given to `hearth serve`.", completion: Completion.services)
  var name: String
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let client = client.client
    try await NameQuestion.suggesting(name, from: { try await client.status().services.map(\.name) }) {
      try await client.unserve(name)
    }
  }
}
