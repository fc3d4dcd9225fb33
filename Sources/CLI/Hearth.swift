import ArgumentParser
import Daemon

/// The program: parses, runs, and turns what went wrong into one line and an exit status.
@main
struct Hearth: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hearth",
    abstract: "A serverless mesh for the home: finds devices on the link and opens them.",
    discussion: """
      Examples:
        hearth daemon                              run a node
        hearth devices                             who is on the link
        hearth get httpx://thermostat@pi/          fetch from a device
        hearth open httpx://thermostat@pi/         open it in the browser
        hearth forward printer@pi 6310             a port that is a device, for programs that know no *.localhost
        hearth serve tv http://127.0.0.1:3000      announce an app as a device, for friends
        hearth invite                              print a line for `hearth join` on another node
        hearth friends                             who may come in

      Completion of commands and of device names: hearth --generate-completion-script bash
      """,
    version: "hearth \(Daemon.version)",
    subcommands: [
      DaemonCommand.self, DevicesCommand.self, GetCommand.self, OpenCommand.self, URLCommand.self, ForwardCommand.self,
      ServeCommand.self, UnserveCommand.self, StatusCommand.self, IDCommand.self, FriendsCommand.self,
      RequestsCommand.self,
      AcceptCommand.self, RejectCommand.self, InviteCommand.self, JoinCommand.self, BefriendCommand.self,
      PermitCommand.self, RotateKeyCommand.self,
    ])

  static func main() async {
    do {
      var command = try await asyncParseAsRoot()
      guard var ours = command as? any AsyncParsableCommand else { return try command.run() }
      do {
        try await ours.run()
      } catch  where !(error is CleanExit) {
        // The parser's own commands and errors are said by the parser; ours are one line, with a status of ours.
        let failure = CommandFailure(describing: error)
        Terminal.printError("hearth: \(failure.message)\n")
        throw ExitCode(failure.status.rawValue)
      }
    } catch {
      exit(withError: error)
    }
  }
}
