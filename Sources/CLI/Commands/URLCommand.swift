import ArgumentParser
import Control
import Front
import HTTPX
import XMPP

struct URLCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "url", abstract: "Print the address under which browsers on this machine open a device.",
    discussion: HelpText.unwrapped(
      """
      Browsers and curl resolve these names by themselves. Other programs ask the system, which knows them where
      libnss-myhostname is installed; http_proxy=http://127.0.0.1:8332 helps them, too, and so does `hearth forward`.

      Example:
        hearth url httpx://thermostat@pi/          http://thermostat--pi.localhost:8332/
      """))

  @Argument(help: ArgumentHelp(DeviceAddress.help), completion: Completion.devices)
  var uri: String
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let uri = try await DeviceAddress.parse(uri).resolved(by: client.client)
    let front = try await BrowserAddress.front(client.client)
    if json { return try Terminal.print(json: ["httpx": "\(uri)", "url": front.url(of: uri)]) }
    Terminal.print(front.url(of: uri))
    // A script wants the address alone, and at once.
    guard Terminal.outputIsTerminal, Terminal.errorIsTerminal, await !LocalNames.areResolved() else { return }
    Terminal.printError("hearth: \(LocalNames.advice(front))\n")
  }
}

struct OpenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open", abstract: "Open a device in the browser.",
    discussion: HelpText.unwrapped(
      """
      Prints the address instead where there is no display. Exit status 6 where no such device is, or lately was, on the
      link.

      Example:
        hearth open httpx://thermostat@pi/
      """))

  @Argument(help: ArgumentHelp(DeviceAddress.help), completion: Completion.devices)
  var uri: String
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let address = try DeviceAddress.parse(uri)
    let front = try await BrowserAddress.front(client.client)
    let devices = try await client.client.devices(all: true)
    let device = try address.resolved(among: devices)
    guard devices.contains(where: { JID(bare: $0.jid) == device.jid }) else {
      throw DeviceAddress.unknown(device.jid.text, devices)
    }
    let url = front.url(of: device)
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
