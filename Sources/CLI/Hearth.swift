import ArgumentParser
import Daemon

/// The program: parses, runs, and turns what went wrong into one line and an exit status.
@main
struct Hearth: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hearth",
    abstract: "A serverless mesh for the home: finds devices on the link and opens them.",
    discussion: HelpText.unwrapped(
      """
      Examples:
        hearth daemon                              run a node
        hearth devices                             who is on the link
        hearth get thermostat/api/state            fetch from a device, as curl does
        hearth open thermostat                     open it in the browser
        hearth forward printer@pi 6310             a port that is a device, for programs that know no *.localhost
        hearth serve tv 3000                       announce an app as a device, for friends
        hearth invite                              print a line for `hearth join` on another node
        hearth friends                             who may come in
        hearth doctor                              why a device is not seen
        hearth trace                               what passes, as it passes

      Completion of commands and of names: hearth --generate-completion-script bash

      Exit statuses: hearth help exit-statuses
      """),
    version: "hearth \(Daemon.version)",
    subcommands: [
      DaemonCommand.self, DevicesCommand.self, GetCommand.self, OpenCommand.self, URLCommand.self, ForwardCommand.self,
      ServeCommand.self, UnserveCommand.self, StatusCommand.self, DoctorCommand.self, IDCommand.self,
      FriendsCommand.self,
      AccountCommand.self,
      RequestsCommand.self,
      AcceptCommand.self, RejectCommand.self, InviteCommand.self, JoinCommand.self, BefriendCommand.self,
      PermitCommand.self, RotateKeyCommand.self, TraceCommand.self, MetricsCommand.self,
    ])

  /// The one prefix of whatever goes wrong, of what the parser says too.
  static let _errorPrefix = "hearth: "

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      try await run(arguments)
    } catch {
      end(error)
    }
  }

  private static func run(_ arguments: [String]) async throws {
    if arguments == ["help", ExitStatusHelp.topic] { return Terminal.print(ExitStatusHelp.text) }
    if let script = CompletionScript.script(for: arguments) { return Terminal.print(script) }
    do throws(CommandFailure) {
      try CommandNames.check(arguments)
    } catch {
      throw said(error)
    }
    var command = try await asyncParseAsRoot(GetCommand.separated(arguments))
    guard var ours = command as? any AsyncParsableCommand else { return try command.run() }
    do {
      try await ours.run()
    } catch  where !(error is CleanExit || error is ExitCode) {
      // The parser's own commands and errors are said by the parser; ours are one line, with a status of ours.
      throw said(CommandFailure(describing: error))
    }
  }

  private static func said(_ failure: CommandFailure) -> ExitCode {
    Terminal.printError("\(_errorPrefix)\(failure.message)\n")
    return ExitCode(failure.status.rawValue)
  }

  /// What the parser has to say, with our kind of quotes, and help.
  private static func end(_ error: any Error) -> Never {
    let code = exitCode(for: error)
    guard !code.isSuccess, !(error is ExitCode) else { exit(withError: error) }
    Terminal.printError(HelpText.requoted(fullMessage(for: error)) + "\n")
    exit(withError: code)
  }
}
