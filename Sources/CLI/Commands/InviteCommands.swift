import ArgumentParser
import Control
import Dashboard
import Trust
import XMPP

struct InviteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invite", abstract: "Print a line that makes a friend of the node that joins with it.",
    discussion: HelpText.unwrapped(
      """
      The line is good once, for ten minutes. Whoever reads it can use it, so hand it over in private.

      Examples:
        hearth invite --name anna
        ssh laptop hearth join "$(hearth invite)"
      """))

  @Option(help: ArgumentHelp("What you will call the one who comes.", valueName: "petname"))
  var name: String?
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let client = client.client
    var name = name
    if name == nil, !json, Terminal.inputIsTerminal, Terminal.outputIsTerminal {
      let answer = Terminal.ask("What will you call the one who comes? [a name made of its key]")
      name = answer.isEmpty ? nil : answer
    }
    let invite = try await client.invite(petname: name)
    if json { return try Terminal.print(json: invite) }
    Terminal.print(invite.line)
    if Terminal.outputIsTerminal {
      Terminal.printError("On the other node, within ten minutes, once: hearth join LINE\n")
    }
  }
}

struct JoinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Become friends with the node that printed an invite.",
    discussion: HelpText.unwrapped(
      """
      Finds the node, makes sure that it has the key that the line names, and shows it the token: both are friends then.

      Example:
        hearth join httpx://hearth@pi/invite/ABCDEFG-…/… --name pi
      """))

  @Argument(help: "What `hearth invite` printed there.")
  var line: String
  @Option(help: ArgumentHelp("What you call it. Default: its machine's name.", valueName: "petname"))
  var name: String?
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  /// A typo is named before the daemon is asked.
  func validate() throws {
    do throws(TrustError) {
      _ = try InviteLine(line)
    } catch {
      throw ValidationError(error.text)
    }
  }

  func run() async throws {
    let client = client.client
    let jid = try InviteLine(line).jid.text
    let name = try await PetnameProposal.name(name, of: jid, isOwnersWord: true, client)
    let friend = try await client.join(line, petname: name)
    if json { return try Terminal.print(json: friend) }
    Terminal.print("\(friend.petname) is a friend now (\(friend.id))")
  }
}
