import ArgumentParser
import Control
import FoundationEssentials

struct RequestsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "requests", abstract: "Show who wants to be a friend or a contact, and whom you have asked.",
    discussion: HelpText.unwrapped(
      """
      Also the digits to compare, and whether the door is open (hearth permit). What a stranger says of itself proves
      nothing: compare the id with what `hearth id` prints there.

      Examples:
        hearth requests
        hearth requests --json | jq -r '.requests[].id'
        hearth requests withdraw thermostat@pi
      """),
    subcommands: [List.self, Withdraw.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Show who wants to be a friend, and whom you have asked.")

    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var client: ClientOptions

    func run() async throws {
      let list = try await client.client.requests()
      if json { return try Terminal.print(json: list) }
      for line in TrustText.requests(list, now: Date()) { Terminal.print(line) }
    }
  }

  struct Withdraw: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take back what you asked.",
      discussion: HelpText.unwrapped(
        """
        Example:
          hearth requests withdraw thermostat@pi
        """))

    @Argument(
      help: "The node's id, the first group of it, or its address, as in `hearth requests`.",
      completion: Completion.asked)
    var who: String
    @OptionGroup var client: ClientOptions

    func run() async throws { try await client.client.withdraw(who) }
  }
}

struct AcceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Make a friend of a node that asked, or a contact of an account.",
    discussion: HelpText.unwrapped(
      """
      A contact of this node's account on a server may use what has contacts in its access; its server says who it is.

      Examples:
        hearth accept K6QVJZR-… --name anna
        hearth accept anna@example.net
      """))

  @Argument(
    help: "The node's id, all of it, as `hearth requests` prints it here and `hearth id` there.",
    completion: Completion.requestIDs)
  var who: String
  @Option(help: ArgumentHelp("What you call it; a terminal asks where this is missing.", valueName: "petname"))
  var name: String?
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let client = client.client
    let list = try await client.requests()
    if list.contacts.contains(who) {
      try await client.answer(contact: who, accepting: true)
      if json { return try Terminal.print(json: ["jid": who]) }
      return Terminal.print("\(who) is a contact now")
    }
    let request = list.requests.first { $0.id == who }
    let name =
      request == nil ? name : try await PetnameProposal.name(name, of: request?.jid, isOwnersWord: false, client)
    let friend = try await client.accept(who, petname: name)
    if json { return try Terminal.print(json: friend) }
    Terminal.print("\(friend.petname) is a friend now (\(friend.id))")
  }
}

struct RejectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Say no to a node or an account that asked.",
    discussion: HelpText.unwrapped(
      """
      It may ask again in an hour; `hearth friends block` keeps it from that.

      Examples:
        hearth reject ABCDEFG
        hearth reject --all
      """))

  @Argument(
    help: "The node's id, the first group of it, or its address, as in `hearth requests`.",
    completion: Completion.requests)
  var who: String?
  @Flag(help: "Say no to all that wait.")
  var all = false
  @OptionGroup var client: ClientOptions

  func validate() throws {
    guard (who == nil) == all else { throw ValidationError("Name one node, or give --all.") }
  }

  func run() async throws {
    let client = client.client
    let list = try await client.requests()
    if let who {
      return list.contacts.contains(who)
        ? try await client.answer(contact: who, accepting: false) : try await client.reject(who)
    }
    for request in list.requests { try await client.reject(request.id) }
    for contact in list.contacts { try await client.answer(contact: contact, accepting: false) }
  }
}
