import ArgumentParser
import Control
import Front

struct URLCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "url", abstract: "Print the address under which browsers on this machine open a device.",
    discussion: """
      Example:
        hearth url httpx://thermostat@pi/          http://thermostat--pi.localhost:8332/
      """)

  @Argument(help: "An httpx URI, or user@machine.", completion: .custom(DeviceCompletion.candidates))
  var uri: String
  @OptionGroup var client: ClientOptions

  func run() async throws {
    Terminal.print(try await BrowserAddress.of(uri, client: client.client))
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
    guard let dashboard = try await client.status().front, let front = FrontAddress(dashboard: dashboard) else {
      throw CommandFailure(
        .failure,
        "the daemon has no front for browsers: set enabled = true under [front] in hearth.toml, then restart it"
      )
    }
    return front.url(of: uri)
  }
}
