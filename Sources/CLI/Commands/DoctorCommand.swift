import ArgumentParser
import Control
import HTTPX
import FoundationEssentials
import XMPP

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Find out why a device is not seen, or cannot be opened.",
    discussion: HelpText.unwrapped(
      """
      Looks at this machine (daemon, Avahi, interfaces, firewall, names, apps), and with DEVICE at the way there (listed,
      subnet, port, key, access, app), from both ends where its node is a friend and tells what it sees. One line a check:
      what is wrong says why, and what to do about it. The first that is wrong is mostly the cause of the others.

      Exit status 0 where nothing is wrong, 1 where something is.

      Examples:
        hearth doctor
        hearth doctor thermostat@pi
        hearth doctor --json | jq '.checks[] | select(.result == "failed")'
      """))

  @Argument(
    help: "A device, as in `hearth devices`: thermostat@pi.", completion: Completion.devices)
  var device: String?
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let target = try device.map { ($0, try DeviceAddress.parse($0)) }
    let client = client.client
    let facts = await MachineFacts.gather(client)
    var checks = facts.checks(now: Date())
    if let (name, address) = target, facts.status != nil {
      let device = await DeviceFacts.gather(name, try Self.jid(address, facts.devices), facts.devices, client)
      checks += device.checks(interfaces: facts.interfaces, now: Date())
    }
    if json {
      try Terminal.print(json: CheckReport(checks: checks))
    } else {
      for line in DoctorText.lines(checks) { Terminal.print(line) }
    }
    guard checks.allSatisfy({ $0.result != .failed }) else { throw ExitCode(CommandStatus.failure.rawValue) }
  }

  /// That nobody has this address, or name, is for a check to say.
  private static func jid(_ address: DeviceAddress, _ devices: [DeviceResource]) throws(CommandFailure) -> JID {
    do {
      return try address.resolved(among: devices, for: .node).jid
    } catch  where error.status == .notDiscovered {
      return address.uri.jid
    }
  }
}
