import ArgumentParser
import Control

struct FriendsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "friends", abstract: "List friends, name them, and end trustService.",
    discussion: """
      WHO is a friend's name, its node id or the first group of that, or the address of one of its devices.

      Examples:
        hearth friends
        hearth friends --json | jq -r '.friends[] | select(.online).petname'
        hearth friends rename node-abcdefg-hijklmn anna
        hearth friends remove anna
        hearth friends block anna
      """,
    subcommands: [List.self, Rename.self, Remove.self, Block.self, Unblock.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List friends and blocked nodes.",
      discussion: """
        BY says how they became friends: invite, digits, request, permit, open (requests = "accept") or fleet (trusted.d).
        DEVICES are the addresses that belong to a friend: another key under one of these is refused.
        """)

    @Flag(help: "Print JSON, schema 1.")
    var json = false
    @OptionGroup var client: ClientOptions

    func run() async throws {
      let list = try await client.client.friends()
      if json { return try Terminal.print(json: list) }
      for line in TrustText.friends(list) { Terminal.print(line) }
    }
  }

  struct Rename: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Call a friend something else.",
      discussion: """
        Lists in `access` go by these names: a service opened to the old name is not open to the new one.

        Example:
          hearth friends rename node-abcdefg-hijklmn anna
        """)

    @Argument(help: "The friend.")
    var who: String
    @Argument(help: "Letters, digits, hyphens, dots and underscores.")
    var name: String
    @OptionGroup var client: ClientOptions

    func run() async throws { try await client.client.rename(who, to: name) }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a friendship; what is open between both nodes is cut at once.",
      discussion: """
        It is a stranger then, who may ask again.

        Example:
          hearth friends remove anna
        """)

    @Argument(help: "The friend.")
    var who: String
    @OptionGroup var client: ClientOptions

    func run() async throws { try await client.client.remove(who) }
  }

  struct Block: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a node do nothing here any more, not even ask.",
      discussion: """
        What is open between both nodes is cut at once. It need not be a friend.

        Example:
          hearth friends block anna
        """)

    @Argument(help: "The node.")
    var who: String
    @OptionGroup var client: ClientOptions

    func run() async throws { try await client.client.block(who) }
  }

  struct Unblock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take a block back: the node is a stranger then.",
      discussion: """
        Example:
          hearth friends unblock ABCDEFG
        """)

    @Argument(help: "The node's id, or the first group of it.")
    var who: String
    @OptionGroup var client: ClientOptions

    func run() async throws { try await client.client.unblock(who) }
  }
}
