import ArgumentParser
import Control
import FoundationEssentials

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say what the daemon is and does.",
    discussion: HelpText.unwrapped(
      """
      APP says whether what answers for a service does, by requests and by a look a minute: ok, down with the reason, or
      unknown; SINCE, for how long it is so.

      Names is there where programs other than browsers and curl do not resolve *.localhost, and says what to do.

      Exit status 69 where no daemon answers.
      """))

  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func run() async throws {
    async let isResolved = LocalNames.areResolved()
    let report = StatusReport(status: try await client.client.status(), localhostNames: await isResolved)
    if json {
      try Terminal.print(json: report)
    } else {
      for line in StatusText.lines(report, now: Date(), width: Terminal.columns) { Terminal.print(line) }
    }
  }
}

/// What the daemon says of itself, and what this program finds out: one object in JSON.
struct StatusReport: Encodable {
  let status: StatusResource
  /// Whether programs other than browsers and curl resolve `*.localhost`.
  let localhostNames: Bool

  private enum CodingKeys: CodingKey {
    case localhostNames
  }

  func encode(to encoder: any Encoder) throws {
    try status.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(localhostNames, forKey: .localhostNames)
  }
}
