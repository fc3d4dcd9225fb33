import ArgumentParser
import Control
import HTTPX
import XMPP

struct FriendsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "friends", abstract: "List friends, name them, and end friendships.",
    discussion: HelpText.unwrapped(
      """
      WHO is a friend's name, its node id or the first group of that, or the address of one of its devices.

      Examples:
        hearth friends
        hearth friends --json | jq -r '.friends[] | select(.online).petname'
        hearth friends rename node-abcdefg-hijklmn anna
        hearth friends remove anna
        hearth friends block anna
      """),
    subcommands: [List.self, Rename.self, Remove.self, Block.self, Unblock.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List friends and blocked nodes.",
      discussion: HelpText.unwrapped(
        """
        BY says how they became friends: invite, digits, request, permit, open (requests = "accept") or fleet (trusted.d).
        DEVICES are the addresses that belong to a friend: another key under one of these is refused.
        A friendship is one-sided where the node over there does not list this one any more. A node that still lists this
        one, and is no friend here, is named below, with what to do about it.
        """))

    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var client: ClientOptions

    func run() async throws {
      let list = try await client.client.friends()
      if json { return try Terminal.print(json: list) }
      for line in TrustText.friends(list, width: Terminal.columns) { Terminal.print(line) }
      for line in TrustText.oneSided(list) { Terminal.printError("\(line)\n") }
    }
  }

  struct Rename: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Call a friend something else.",
      discussion: HelpText.unwrapped(
        """
        Lists in `access` go by these names: a service opened to the old name is not open to the new one.

        Example:
          hearth friends rename node-abcdefg-hijklmn anna
        """))

    @Argument(help: "The friend.", completion: Completion.friends)
    var who: String
    @Argument(help: "Letters, digits, hyphens, dots and underscores.")
    var name: String
    @OptionGroup var client: ClientOptions

    func run() async throws {
      let client = client.client
      try await NameQuestion.suggestingFriends(who, client) { try await client.rename(who, to: name) }
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a friendship; what is open between both nodes is cut at once.",
      discussion: HelpText.unwrapped(
        """
        It is a stranger then, who may ask again.

        Example:
          hearth friends remove anna
        """))

    @Argument(help: "The friend.", completion: Completion.friends)
    var who: String
    @OptionGroup var client: ClientOptions

    func run() async throws {
      let client = client.client
      try await NameQuestion.suggestingFriends(who, client) { try await client.remove(who) }
    }
  }

  struct Block: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a node do nothing here any more, not even ask.",
      discussion: HelpText.unwrapped(
        """
        What is open between both nodes is cut at once. It need not be a friend.

        Example:
          hearth friends block anna
        """))

    @Argument(help: "The node: a name or id, or a stranger's device.", completion: Completion.nodes)
    var who: String
    @OptionGroup var client: ClientOptions

    /// The node of a stranger's device that is listed. What is announced with the id of a friend is none.
    private func stranger(_ client: ControlClient) async throws -> String? {
      guard let address = try? DeviceAddress.parse(who) else { return nil }
      let devices = try await client.devices(all: true).filter { $0.trust == "stranger" }
      guard let jid = try? address.resolved(among: devices, for: .node).jid else { return nil }
      return devices.first { JID(bare: $0.jid) == jid }?.node
    }

    func run() async throws {
      let client = client.client
      do {
        try await client.block(who)
      } catch let error as ControlError where error.code == .notFound {
        guard let stranger = try await stranger(client) else {
          return try await NameQuestion.suggestingFriends(who, client) { throw error }
        }
        try await client.block(stranger)
      }
    }
  }

  struct Unblock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take a block back: the node is a stranger then.",
      discussion: HelpText.unwrapped(
        """
        Example:
          hearth friends unblock ABCDEFG
        """))

    @Argument(help: "The node's id, or the first group of it.", completion: Completion.blocked)
    var who: String
    @OptionGroup var client: ClientOptions

    func run() async throws { try await client.client.unblock(who) }
  }
}
