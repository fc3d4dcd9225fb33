import ArgumentParser
import Control

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say what the daemon is and does.",
    discussion: """
      Exit status 69 where no daemon answers.
      """)

  @Flag(help: "Print JSON, schema 1.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    let status = try await client.client.status()
    if json {
      Terminal.write(try ControlJSON.encode(status, pretty: true) + [0x0A], to: 1)
    } else {
      for line in StatusText.lines(status) { Terminal.print(line) }
    }
  }
}
