import ArgumentParser
import FoundationEssentials
import Testing

@testable import CLI

/// What the program says of itself, its manual, README and docs agree.
struct ManualTests {
  private static let root = String(#filePath.dropLast("Tests/CLITests/ManualTests.swift".count))

  private static func read(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: root + path)), as: UTF8.self)
  }

  @Test func exitStatusesAreTheSameEverywhere() throws {
    let statuses = CommandStatus.allCases.map { ("\($0.rawValue)", $0.meaning) }
    let manual = try Self.read("Config/man/hearth.1").replacing("\\-", with: "-")
    let section = try #require(manual.split(separator: ".SH EXIT STATUS\n").last?.split(separator: ".SH ").first)
    let inManual = section.matches(of: /\.B (\d+)\n(.*)\n/).map { (String($0.1), String($0.2)) }
    #expect(inManual.elementsEqual(statuses, by: ==))
    let page = try Self.read("docs/exit-statuses.md").replacing("`", with: "")
    let inPage = page.matches(of: /\| (\d+) \| (.*) \|/).map { (String($0.1), String($0.2)) }
    #expect(inPage.elementsEqual(statuses, by: ==))
    let help = ExitStatusHelp.text.matches(of: /\n +(\d+)  (.*)/).map { (String($0.1), String($0.2)) }
    #expect(help.elementsEqual(statuses, by: ==))
  }

  /// The options and commands of every line that begins with `hearth` in an example.
  @Test(arguments: ["README.md", "Config/man/hearth.1", "Config/man/httpx.7", "Config/man/hearth.toml.5"])
  func examplesAreUnderstood(_ file: String) throws {
    let text = try Self.read(file).replacing("\\-", with: "-").replacing("\\(aq", with: "'")
    var found = 0
    for match in text.matches(of: /(?:^|[`$ ]|\n)hearth ((?:[a-z\-]+)(?: [^\n`#|]*)?)/) {
      let words = match.1.split(separator: " ").map(String.init)
      guard let command = Self.command(words) else { continue }
      found += 1
      let help = Hearth.helpMessage(for: command, includeHidden: true)
      for word in words {
        guard let option = word.prefixMatch(of: /--[a-z\-]+/) else { continue }
        #expect(help.contains(option.0), "\(file): hearth \(match.1)")
      }
    }
    if file != "Config/man/hearth.toml.5", file != "Config/man/httpx.7" { #expect(found > 3) }
  }

  /// nil where the first word is no command, as in a sentence.
  private static func command(_ words: [String]) -> (any ParsableCommand.Type)? {
    func find(_ name: String?, in command: any ParsableCommand.Type) -> (any ParsableCommand.Type)? {
      command.configuration.subcommands.first { CommandNames.name(of: $0) == name }
    }
    guard let command = find(words.first, in: Hearth.self) else { return nil }
    return words.count > 1 ? find(words[1], in: command) ?? command : command
  }

  /// Every command says what it is for, and gives an example or takes no arguments of its own.
  @Test func everyCommandHasHelp() {
    func check(_ command: any ParsableCommand.Type) {
      #expect(!command.configuration.abstract.isEmpty, "\(command)")
      for subcommand in command.configuration.subcommands { check(subcommand) }
    }
    check(Hearth.self)
  }
}
