import ArgumentParser
import Control
import FoundationEssentials
import HTTPX
import XMPP

struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Watch what passes: stanzas and requests of the running daemon.",
    discussion: HelpText.unwrapped(
      """
      One line each, until interrupted. → is what this node sends, ← what it receives, and a request is told when it has
      ended: its id, which both nodes' logs have, who asked, device, method, path, status, bytes and time.

      Bodies, cookies, passwords, tokens, and what follows a ? in an address are left out; their length is told. Only the
      owner of the daemon may look.

      Examples:
        hearth trace
        hearth trace thermostat@pi                 of one device
        hearth trace --recent                      the last requests, and no more
        hearth trace --json | jq 'select(.request.status >= 500)'
      """))

  @Argument(
    help: ArgumentHelp("Only of this device, or of the node that calls itself so.", valueName: "device"),
    completion: Completion.devices)
  var device: String?
  @Flag(help: "The last requests, the oldest first, instead of what passes from now on.")
  var recent = false
  @Flag(help: "Print JSON, one object a line.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let client = client.client
    var jid: String?
    if let device { jid = try await DeviceAddress.parse(device).resolved(by: client).jid.text }
    guard !recent else {
      let requests = try await client.recentRequests().requests
      for request in requests.reversed() where jid == nil || request.device == jid { try show(request) }
      return
    }
    try await client.trace(jid) {
      if Terminal.errorIsTerminal { Terminal.printError("hearth: watching, until Ctrl-C\n") }
    } receive: { event in
      if json {
        Terminal.write(try ControlJSON.encode(document: event) + [0x0A], to: 1)
      } else {
        for line in TraceText.lines(event) { Terminal.print(line) }
      }
    }
    throw CommandFailure(.noDaemon, "the daemon has ended")
  }

  private func show(_ request: RequestResource) throws {
    if json {
      Terminal.write(try ControlJSON.encode(document: request) + [0x0A], to: 1)
    } else {
      Terminal.print(TraceText.line(request))
    }
  }
}
