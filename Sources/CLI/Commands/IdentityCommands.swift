import ArgumentParser
import Control

struct IDCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "id", abstract: "Print this node's id.",
    discussion: HelpText.unwrapped(
      """
      The id is made of the node's key: others know this node by it, whatever it is called and wherever it is. It is no
      secret. For hearth.toml's trusted.d on other nodes, or to read out to somebody.

      Examples:
        hearth id
        hearth id --json | jq -r .short
      """))

  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let identity = try await client.client.identity()
    if json { try Terminal.print(json: identity) } else { Terminal.print(identity.id) }
  }
}

struct RotateKeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-key", abstract: "Give this node a new key.",
    discussion: HelpText.unwrapped(
      """
      The old key vouches for the new one, so that friends go on
      knowing this node. The new key is used from the daemon's next start on; open invites are void then, and where a
      trusted.d names this node, its new id has to be written there.

      Where somebody else may have the old key, they can vouch for a key of their own with it: then have your friends
      remove this node as well (hearth friends remove), and invite them again.

      Example:
        hearth rotate-key && systemctl restart hearth
      """))

  @Flag(help: "Do not ask.")
  var yes = false
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    if !yes {
      guard Terminal.inputIsTerminal
      else { throw CommandFailure(.usage, "there is no terminal to ask at: say --yes to change the key") }
      guard try await Terminal.confirm("Give this node a new key, and a new id?") == true
      else { throw CommandFailure(.failure, "the key was not changed") }
    }
    let rotation = try await client.client.rotateKey()
    if json { return try Terminal.print(json: rotation) }
    Terminal.print(rotation.id)
    if rotation.restart { Terminal.printError("This is the id from the daemon's next start on: restart it now.\n") }
  }
}
