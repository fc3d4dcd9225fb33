import ArgumentParser
import Control
import Front

struct URLCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "url", abstract: "Print the address under which browsers on this machine open a device.",
    discussion: """
      Browsers and curl resolve these names by themselves. Other programs ask the system, which knows them where
      libnss-myhostname is installed; http_proxy=http://127.0.0.1:8332 helps them, too, and so does `hearth forward`.

      Example:
        hearth url httpx://thermostat@pi/          http://thermostat--pi.localhost:8332/
      """)

  @Argument(help: "An httpx URI, or user@machine.", completion: .custom(DeviceCompletion.candidates))
  var uri: String
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let uri = try DeviceAddress.parse(uri)
    let front = try await BrowserAddress.front(client.client)
    Terminal.print(front.url(of: uri))
    // A script wants the address alone, and at once.
    guard Terminal.outputIsTerminal, Terminal.errorIsTerminal, await !LocalNames.areResolved() else { return }
    Terminal.printError("hearth: \(LocalNames.advice(front))\n")
  }
}

struct OpenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open", abstract: "Open a device in the browser.",
    discussion: """
      Prints the address instead where there is no display.

      Example:
        hearth open httpx://thermostat@pi/
      """)

  @Argument(help: "An httpx URI, or user@machine.", completion: .custom(DeviceCompletion.candidates))
  var uri: String
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let url = try await BrowserAddress.of(uri, client: client.client)
    let environment = Places.current.environment
    guard environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil else { return Terminal.print(url) }
    do {
      try Browser.open(url)
    } catch {
      Terminal.print(url)
      throw error
    }
  }
}

/// From a device's URI to what a browser on this machine opens.
enum BrowserAddress {
  /// Throws `CommandFailure` where it is no URI or the daemon has no front, and `ControlError`.
  static func of(_ text: String, client: ControlClient) async throws -> String {
    let uri = try DeviceAddress.parse(text)
    return try await front(client).url(of: uri)
  }

  /// Throws `CommandFailure` where the daemon has none, and `ControlError`.
  static func front(_ client: ControlClient) async throws -> FrontAddress {
    guard let dashboard = try await client.status().front, let front = FrontAddress(dashboard: dashboard) else {
      throw CommandFailure(
        .failure,
        "the daemon has no front for browsers: set enabled = true under [front] in hearth.toml, then restart it"
      )
    }
    return front
  }
}
