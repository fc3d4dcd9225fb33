import ArgumentParser
import Control
import FoundationEssentials

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Announce an app or a folder as a device.",
    discussion: """
      At once, and again whenever the daemon starts, until `hearth unserve`. Serving a name again replaces it; names
      that stand in hearth.toml are changed there.

      TARGET is http://host:port, unix:/path/of/socket, or a folder.

      Examples:
        hearth serve tv http://127.0.0.1:3000 --plaintext --title "Living room TV"
        hearth serve photos ~/Pictures --plaintext
      """)

  @Argument(help: "The device's name: the part before the @ of its address.")
  var name: String
  @Argument(help: "What answers.", completion: .directory)
  var target: String
  @Option(help: ArgumentHelp("What lists call it.", valueName: "text"))
  var title: String?
  @Option(help: ArgumentHelp("One line about it, announced to everyone on the link.", valueName: "text"))
  var description: String?
  @Flag(help: "Serve HTTP to anyone on the link, without TLS.")
  var plaintext = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let folder = FileManager.default.currentDirectoryPath
    let service = ServiceResource(
      target: Self.absolute(target, from: folder), title: title, description: description, plaintext: plaintext)
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
