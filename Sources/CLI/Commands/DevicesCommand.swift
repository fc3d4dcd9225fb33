import ArgumentParser
import Control
import FoundationEssentials

struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List the devices on the link.",
    discussion: """
      Asks the daemon; where none runs, browses by itself for 3 seconds.

      STATE is online, away (listed, yet nobody answers) or gone. HTTP is yes, no, or ? while nobody has asked; down
      for a device of this node's whose app does not answer: `hearth status` says why.

      TRUST is self (this node's own), friend, stranger (it has a key, and is no friend), plaintext (it has none, and may
      be anyone, also where JSON says that it is encrypted), blocked, or CHANGED: it shows another key than before, and nothing is sent to it. FRIEND is what you
      call its node; NAME is what it calls itself.

      Examples:
        hearth devices
        hearth devices --json | jq -r '.devices[] | select(.http).url'
        hearth devices --watch --json              one object a change
      """)

  @Flag(help: "Print JSON, schema 1.")
  var json = false
  @Flag(help: "Go on, and print each change.")
  var watch = false
  @Flag(help: "Also those that are gone.")
  var all = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    do {
      if watch { try await follow() } else { try await list() }
    } catch let error as ControlError where error.code == .noDaemon && client.socket == nil && !watch {
      try await browse()
    }
  }

  private func list() async throws {
    try show(try await client.client.devices(all: all))
  }

  private func browse() async throws {
    if Terminal.errorIsTerminal { Terminal.printError("No daemon runs here: looking around for 3 seconds…\n") }
    try show(try await LinkBrowser.devices(for: CLILimits.browse))
  }

  private func show(_ devices: [DeviceResource]) throws {
    if json {
      Terminal.write(try ControlJSON.encode(DeviceList(devices), pretty: true) + [0x0A], to: 1)
    } else {
      for line in DeviceTable.lines(devices, now: Date()) { Terminal.print(line) }
      for line in DeviceTable.problems(devices) { Terminal.printError("\(line)\n") }
    }
  }

  private func follow() async throws {
    try await client.client.watchDevices(all: all) { device in
      if json {
        Terminal.write(try ControlJSON.encode(device) + [0x0A], to: 1)
      } else {
        Terminal.print(DeviceTable.change(device))
      }
    }
    throw CommandFailure(.noDaemon, "the daemon has ended")
  }
}
