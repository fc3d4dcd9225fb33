import Control

/// Forwards as people read them.
enum ForwardText {
  static func lines(_ forwards: [ForwardResource]) -> [String] {
    guard !forwards.isEmpty else { return ["Nothing is forwarded: see `hearth forward --help`"] }
    var table = TextTable(header: ["PORT", "DEVICE", "URL", "BY", "PROBLEM"])
    table.rows = forwards.map {
      ["\($0.port)", $0.device, $0.url, $0.configured ? "hearth.toml" : "command", $0.problem ?? ""]
    }
    return table.lines
  }

  /// What there is now, and how it ends.
  static func opened(_ forward: ForwardResource) -> [String] {
    let end =
      forward.configured ? "It stands in hearth.toml." : "To end it: hearth forward --remove \(forward.port)"
    return ["\(forward.url) is \(Printable.clean(forward.device)), for every program on this machine", end]
  }
}
