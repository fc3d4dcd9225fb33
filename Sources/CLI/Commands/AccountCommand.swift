import ArgumentParser
import Control
import FoundationEssentials

/// `hearth account`.
struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "An account on an XMPP server, for who is away from the link.",
    discussion: HelpText.unwrapped(
      """
      Off unless there is one. The node dials out to the server, and keeps a stream there; no port is opened at home. How the server is
      reached can be said under [account] in hearth.toml.

      Examples:
        hearth account login pi@example.org
        hearth account
        hearth account logout
      """),
    subcommands: [Login.self, Status.self, Logout.self], defaultSubcommand: Status.self)

  struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Log in, now and whenever the daemon starts.",
      discussion: HelpText.unwrapped(
        """
        Asks for the password, or reads a line from standard input where that is no terminal. The login is tried at once, and kept in
        the state folder, where nobody else may read it, only if the server takes it.

        Examples:
          hearth account login pi@example.org
          hearth account login pi@example.org < password
        """))

    @Argument(help: "The account, like pi@example.org.")
    var jid: String
    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var client: ClientOptions

    func run() async throws {
      let asked = Terminal.inputIsTerminal ? Terminal.password("Password of \(Printable.clean(jid)): ") : readLine()
      guard let password = asked, !password.isEmpty else { throw CommandFailure(.usage, "there is no password") }
      let account = try await client.client.logIn(AccountLogin(jid: jid, password: password))
      if json { return try Terminal.print(json: account) }
      Terminal.print("\(Printable.clean(jid)) is this node's account now. To end it: hearth account logout")
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say how the account is.",
      discussion: HelpText.unwrapped(
        """
        State is connecting, online, waiting (until the next attempt) or stopped: a wrong password and a conflict are not tried again
        before `hearth account login`, or a changed hearth.toml and a reload.

        Problem is the last one, and stays there when the account is online again.
        """))

    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var client: ClientOptions

    func run() async throws {
      let account = try await client.client.account()
      if json { return try Terminal.print(json: account) }
      for line in AccountText.lines(account, now: Date()) { Terminal.print(line) }
    }
  }

  struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Leave the server, and forget the password.")

    @OptionGroup var client: ClientOptions

    func run() async throws {
      try await client.client.logOut()
    }
  }
}
