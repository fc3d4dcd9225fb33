import ArgumentParser
import Control
import HTTPX
import UnixSignals
import XMPP

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

struct BefriendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "befriend", abstract: "Become friends by comparing six digits, or by asking.",
    discussion: HelpText.unwrapped(
      """
      With people at both nodes: one names a device of the other, the other calls `hearth befriend` without one. Both
      are shown six digits, and say whether they are the same: then nobody is in between. There is a minute for that.

      With --request the owner over there is asked, who sees the request in `hearth requests`; or it is accepted at
      once while the door is open there (hearth permit).

      Examples:
        hearth befriend thermostat@pi --name pi
        hearth befriend
        hearth befriend thermostat@pi --request --greeting "Anna's laptop"
      """))

  @Argument(
    help: "A device of the other node; without one, the comparison that the other side began.",
    completion: Completion.devices)
  var device: String?
  @Option(
    help: ArgumentHelp("What you call it. Default: its machine's name, where you said that.", valueName: "petname"))
  var name: String?
  @Flag(help: "Say yes to the digits without asking. For scripts that compare them by other means.")
  var yes = false
  @Flag(help: "Ask the owner over there instead of comparing digits.")
  var request = false
  @Option(help: ArgumentHelp("One line to the owner over there, with --request.", valueName: "text"))
  var greeting: String?
  @Flag(help: "With --request: print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func validate() throws {
    if request, device == nil { throw ValidationError("--request needs a device to ask, as in thermostat@pi") }
    if yes, device == nil {
      throw ValidationError("--yes needs a device: without one, whoever begins would be a friend unseen")
    }
    if greeting != nil, !request { throw ValidationError("--greeting goes with --request") }
  }

  func run() async throws {
    let client = client.client
    let typed = try device.map { try DeviceAddress.parse($0) }
    guard request || yes || Terminal.inputIsTerminal else {
      throw CommandFailure(.usage, "there is no terminal to ask at: say --yes to confirm the digits unseen")
    }
    let address = try await typed?.resolved(by: client, for: .node).jid.text
    let name =
      address == nil ? name : try await PetnameProposal.name(name, of: address, isOwnersWord: true, client)
    if request, let address { return try await ask(address, name, client) }
    let comparison = Comparison(client: client, device: address, petname: name, isConfirmed: yes)
    try await Self.cancelling(client) { Terminal.print(try await comparison.run()) }
  }

  /// Ctrl-C ends the comparison on both sides, so that neither waits and the next one can begin.
  private static func cancelling(_ client: ControlClient, _ body: @escaping @Sendable () async throws -> Void)
    async throws
  {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await _ in signals {
          try? await client.cancelPairing()
          // A question may still be open on the terminal, which nothing else ends.
          Terminal.printError("\n")
          _exit(128 + SIGINT)
        }
      }
      group.addTask { try await body() }
      group.addTask {
        while true {
          try await Task.sleep(for: CLILimits.pairingWait)
          guard try await client.pairing().id != nil else {
            throw CommandFailure(.timedOut, "nobody began to compare digits within 5 minutes")
          }
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func ask(_ address: String, _ name: String?, _ client: ControlClient) async throws {
    let answer = try await client.request(device: address, petname: name, greeting: greeting)
    if json { try Terminal.print(json: answer) }
    switch (answer.outcome, answer.friend) {
    case (.friends, _) where json, (.waiting, _) where json: break
    case (.friends, let friend): Terminal.print("\(friend?.petname ?? address) is a friend now (\(friend?.id ?? "?"))")
    case (.waiting, _): Terminal.print("\(address) was asked: its owner sees it in `hearth requests` there")
    case (.declined, _): throw CommandFailure(.denied, "\(address) takes no requests from this node")
    }
  }
}
