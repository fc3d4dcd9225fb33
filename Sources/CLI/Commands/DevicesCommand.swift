import ArgumentParser
import Control
import FoundationEssentials

struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List the devices: those on the link, and friends' over the account.",
    discussion: HelpText.unwrapped(
      """
      Asks the daemon; where none runs, browses by itself for 3 seconds.

      STATE is online, away (listed, yet nobody answers) or gone. HTTP is yes, no, or ? while nobody has asked; down
      for a device of this node's whose app does not answer: `hearth status` says why.

      TRUST is self (this node's own), friend, stranger (it has a key, and is no friend), plaintext (it has none, and may
      be anyone, also where JSON says that it is encrypted), blocked, one-sided (a friend whose node does not list this one any more), or CHANGED: it shows another key
      than before, and nothing is sent to it. FRIEND is what you call its node; NAME is what it calls itself.
      VIA is there when a friend's device is reached over the account: the server; link for the others.

      Examples:
        hearth devices
        hearth devices --json | jq -r '.devices[] | select(.http).url'
        hearth devices --watch --json              one object a change: its event is present, changed, or listed
                                                 behind the last of those that were there
      """))

  @Flag(help: "Print JSON.")
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
    guard let problem = try await client.client.status().problem else { return }
    Terminal.printError(
      "hearth: nobody is heard of at the moment, and what is listed may have changed: \(Printable.clean(problem)); see "
        + "`hearth doctor`\n")
  }

  private func browse() async throws {
    Terminal.printError("hearth: no daemon runs here, so this looks around by itself for 3 seconds\n")
    let devices = try await LinkBrowser.devices(for: CLILimits.browse)
    try show(devices)
    Terminal.printError(
      devices.isEmpty
        ? "hearth: nobody was heard of: see `hearth doctor`\n"
        : "hearth: what they are to this machine, and what they serve, only a daemon finds out: `hearth daemon`\n")
  }

  private func show(_ devices: [DeviceResource]) throws {
    if json {
      try Terminal.print(json: DeviceList(devices))
    } else {
      for line in DeviceTable.lines(devices, now: Date(), width: Terminal.columns) { Terminal.print(line) }
      for line in DeviceTable.problems(devices) { Terminal.printError("\(line)\n") }
    }
  }

  private func follow() async throws {
    try await client.client.watchDevices(all: all) { event in
      if json {
        try Terminal.print(line: event)
      } else if let device = event.device {
        Terminal.print(DeviceTable.change(device))
      }
    }
    throw CommandFailure(.noDaemon, "the daemon has ended")
  }
}
