import ArgumentParser

/// The commands by name: what nobody knows is answered before the parser sees it, which takes it for an argument.
enum CommandNames {
  /// What other programs call the same.
  private static let synonyms = [
    "ls": "devices", "list": "devices", "scan": "devices", "browse": "devices", "curl": "get", "fetch": "get",
    "wget": "get", "add": "serve", "share": "serve", "announce": "serve", "stop": "unserve", "pair": "befriend",
    "friend": "befriend", "add-friend": "befriend", "peers": "friends", "unfriend": "friends remove",
    "block": "friends block", "unblock": "friends unblock", "rename": "friends rename", "remove": "friends remove",
    "withdraw": "requests withdraw", "deny": "reject", "start": "daemon", "run": "daemon", "info": "status",
    "check": "doctor", "whoami": "id", "proxy": "forward", "browser": "open", "address": "url",
    "login": "account login", "logout": "account logout",
  ]

  /// Throws `CommandFailure` where the first words name no command.
  static func check(_ arguments: [String]) throws(CommandFailure) {
    var words = arguments[...]
    if words.first == "help" {
      guard words.dropFirst().first != ExitStatusHelp.topic else { return }
      words.removeFirst()
    }
    try check(words, in: Hearth.self, called: "hearth")
  }

  private static func check(
    _ words: ArraySlice<String>, in command: any ParsableCommand.Type, called name: String
  ) throws(CommandFailure) {
    let known = command.configuration.subcommands
    guard let word = words.first, !word.hasPrefix("-"), !known.isEmpty, word != "help" else { return }
    guard let found = known.first(where: { self.name(of: $0) == word }) else {
      throw CommandFailure(.usage, "“\(Printable.clean(word))” is no command of \(name)\(hint(word, known, name))")
    }
    try check(words.dropFirst(), in: found, called: "\(name) \(word)")
  }

  private static func hint(_ word: String, _ known: [any ParsableCommand.Type], _ name: String) -> String {
    if name == "hearth", let command = synonyms[word] { return ": did you mean `hearth \(command)`?" }
    if name == "hearth", word.contains("@") || word.contains("://") {
      return ": did you mean `hearth get \(Printable.clean(word))`, or `hearth open`?"
    }
    let question = Suggestion.question(like: word, among: known.map(self.name)) { "`\(name) \($0)`" }
    return ": \(question.map { "\($0) See" } ?? "see") `\(name) --help`"
  }

  static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
  }
}
