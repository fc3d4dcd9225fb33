import ArgumentParser
import Control
import Dashboard
import FoundationEssentials
import Trust

/// `hearth serve`; a property for each option, as ArgumentParser wants.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Announce an app or a folder as a device.",
    discussion: """
      At once, and again whenever the daemon starts, until `hearth unserve`. Serving a name again replaces it; names
      that stand in hearth.toml are changed there.

      TARGET is http://host:port, https://host:port, unix:/path/of/socket, or a folder, whose files are listed where it
      has no index.html. Friends may use it, unless --access says otherwise.

      Examples:
        hearth serve tv http://127.0.0.1:3000 --title "Living room TV"
        hearth serve photos ~/Pictures --access anna,kitchen-pi --method GET
        hearth serve guests /srv/guests --access public
        hearth serve nas https://nas.local --fingerprint 5B:F1:…
      """)

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
      "Who may use it: friends, public (whoever has a key), or friends' names with commas between.", valueName: "who"))
  var access = "friends"
  @Option(
    help: ArgumentHelp(
      "Allow only this method; give it once for each. GET includes HEAD; WebSockets need GET and CONNECT.",
      valueName: "method"))
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
  @Option(help: ArgumentHelp("For an app: the Host that it gets, app (its own) or browser.", valueName: "which"))
  var host: String?
  @Flag(help: "For an app: tell it the peer's IP address, in X-Forwarded-For.")
  var forwardedFor = false
  @Flag(help: "For an app on a microcontroller: add nothing, and leave out what browsers send for large sites.")
  var gadget = false
  @Option(help: ArgumentHelp("For an app: how long it has to begin its answer. (default: 300)", valueName: "seconds"))
  var timeout: Int?
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
      target: Self.absolute(target, from: FileManager.default.currentDirectoryPath), title: title,
      description: description, access: AccessResource(access), methods: method.isEmpty ? nil : method,
      paths: path.isEmpty ? nil : path, plaintext: plaintext, fingerprint: fingerprint, insecure: insecure,
      listing: noListing ? false : nil, host: host, forwardedFor: forwardedFor ? true : nil,
      gadget: gadget ? true : nil, timeout: timeout)
  }

  func run() async throws {
    let service = resource
    let served = try await client.client.serve(name, service)
    Terminal.print("httpx://\(served.jid)/ is served from \(service.target)")
    for warning in served.warnings { Terminal.printError("hearth: warning: \(warning)\n") }
  }

  /// The daemon runs in another folder, so paths have to be absolute.
  static func absolute(_ target: String, from folder: String) -> String {
    let (scheme, path) =
      target.hasPrefix("unix:") ? ("unix:", target.dropFirst(5)) : ("", target[...])
    if path.isEmpty || path.hasPrefix("/") || path.contains("://") { return target }
    let relative = path.hasPrefix("./") ? path.dropFirst(2) : path == "." ? "" : path
    return scheme + (relative.isEmpty ? folder : "\(folder)/\(relative)")
  }
}

struct UnserveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unserve", abstract: "End what `hearth serve` began.",
    discussion: """
      Example:
        hearth unserve tv
      """)

  @Argument(help: "The device's name, as given to `hearth serve`.")
  var name: String
  @OptionGroup var client: ClientOptions

  func run() async throws {
    try await client.client.unserve(name)
  }
}
