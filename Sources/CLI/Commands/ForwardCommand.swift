import ArgumentParser
import Control
import HTTPX

/// `hearth forward`; a property for each argument and option, as ArgumentParser wants.
struct ForwardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward",
    abstract: "Make a port of this machine a device, for programs that know no *.localhost.",
    discussion: HelpText.unwrapped(
      """
      At http://localhost:PORT/ (127.0.0.1 and ::1, never wider) every program of this machine finds the device, whatever
      it writes into Host; again whenever the daemon starts, until --remove. Ports that stand in hearth.toml are changed
      there. Pages of other sites are kept out. For browsers `hearth url` is better: there each device has an origin, and
      cookies, of its own.

      Examples:
        hearth forward printer@pi 6310             then: lpstat -h localhost:6310 -a
        hearth forward thermostat@pi               at a port that is free
        hearth forward --list
        hearth forward --remove 6310
      """))

  @Argument(help: "The device, as user@machine.", completion: Completion.devices)
  var device: String?
  @Argument(help: "The TCP port. Default, and 0: one that is free, or that the device has already.")
  var port: Int?
  @Flag(help: "List what is forwarded.")
  var list = false
  @Option(help: ArgumentHelp("End the forward at this port.", valueName: "port"), completion: Completion.ports)
  var remove: Int?
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func validate() throws {
    let wishes = [device != nil, list, remove != nil].filter { $0 }.count
    guard wishes == 1 else {
      throw ValidationError("say one of: DEVICE [PORT], --list, --remove PORT, as in `hearth forward printer@pi 6310`")
    }
  }

  func run() async throws {
    if let device {
      try await open(device)
    } else if let remove {
      try await client.client.closeForward(remove)
    } else {
      let forwards = try await client.client.forwards()
      if json { return try Terminal.print(json: forwards) }
      for line in ForwardText.lines(forwards.forwards) { Terminal.print(line) }
    }
  }

  private func open(_ device: String) async throws {
    let uri = try await DeviceAddress.parse(device).resolved(by: client.client)
    guard uri.path == "/", uri.fragment == nil else {
      throw CommandFailure(.usage, "a whole device is forwarded: leave out \(uri.path), as in \(uri.jid)")
    }
    let wish = ForwardRequest(device: uri.authority, port: port == 0 ? nil : port)
    let opened = try await client.client.openForward(wish)
    if json {
      try Terminal.print(json: opened)
    } else {
      for line in ForwardText.opened(opened.forward) { Terminal.print(line) }
    }
    for warning in opened.warnings { Terminal.printError("hearth: warning: \(Printable.clean(warning))\n") }
  }
}
