import ArgumentParser
import Control
import FoundationEssentials
import Trust

struct PermitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "permit", abstract: "Open the door: accept every request of friendship for a while.",
    discussion: HelpText.unwrapped(
      """
      For nodes without a screen. Whoever asks meanwhile is a friend, so keep it short, and look at `hearth friends`
      afterwards. At a terminal the seconds left are shown until the door closes; Ctrl-C leaves it open.

      Examples:
        hearth permit 120s
        hearth permit 2m
        hearth permit off                          close it now
        hearth permit                              is it open?
      """))

  @Argument(help: "How long, up to 15m; or off.", completion: .list(["120s", "5m", "off"]))
  var duration: String?
  @Flag(help: "Print JSON.")
  var json = false
  @OptionGroup var client: ClientOptions

  func validate() throws {
    guard let duration, duration != "off" else { return }
    guard let seconds = Self.seconds(duration) else {
      throw ValidationError("“\(duration)” is no time: write 120s, 2m, or off")
    }
    let range = TrustLimits.permit
    guard range.contains(TimeInterval(seconds)) else {
      throw ValidationError(
        "the door stays open for \(Int(range.lowerBound)) s to \(Int(range.upperBound / 60)) min: it must not be forgotten"
      )
    }
  }

  func run() async throws {
    let client = client.client
    let permit: PermitResource
    switch duration {
    case nil: permit = try await client.permit()
    case "off":
      try await client.closePermit()
      permit = try await client.permit()
    case let text?: permit = try await client.permit(seconds: Self.seconds(text) ?? 0)
    }
    if json { return try Terminal.print(json: permit) }
    if permit.open { try await Self.tellWhoWaits(client) }
    guard duration != nil, permit.open, Terminal.outputIsTerminal else { return Terminal.print(Self.text(permit)) }
    try await countDown(client)
  }

  /// Who asked before the door was open does not come in by it.
  private static func tellWhoWaits(_ client: ControlClient) async throws {
    for request in try await client.requests().requests {
      let who = Printable.clean(request.jid ?? "a node")
      Terminal.printError("\(who) has asked before, and waits: hearth accept \(request.id)\n")
    }
  }

  static func text(_ permit: PermitResource) -> String {
    permit.open ? TrustText.openDoor(permit.seconds) : "The door is closed"
  }

  /// `90`, `90s`, `2m`, `1h`; nil where it is none of these.
  static func seconds(_ text: String) -> Int? {
    let unit = text.last.flatMap { ["s": 1, "m": 60, "h": 3600][$0] }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard !digits.isEmpty, digits.utf8.count <= 6, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int(digits).map { $0 * (unit ?? 1) }
  }

  /// Shows the seconds left, and who comes in, until the door is closed.
  private func countDown(_ client: ControlClient) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var permit = try await client.permit()
        while permit.open {
          Terminal.printError("\r\(Self.text(permit))   ")
          try await Task.sleep(for: .seconds(1))
          permit = try await client.permit()
        }
      }
      group.addTask {
        try await client.watchEvents { event in
          if let line = TrustText.event(event) { Terminal.print("\r\(line)") }
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
    Terminal.printError("\nThe door is closed\n")
  }
}
