/// What logs and traces may show of what passes: what is there to be understood stays, what opens doors does not.
package enum ShownText {
  /// Fields by which somebody is known, in small letters.
  private static let secretFields: Set = [
    "authorization", "proxy-authorization", "cookie", "set-cookie", "authentication-info", "proxy-authentication-info",
    "x-api-key", "x-auth-token", "x-access-token", "x-csrf-token", "x-xsrf-token", "sec-websocket-protocol",
  ]

  /// The value of a field of HTTP: its length where it is a secret, else without what follows a `?`, and cut.
  package static func field(_ name: String, _ value: String) -> String {
    let name = name.lowercased()
    let isSecret = secretFields.contains(name) || name.hasSuffix("token") || name.hasSuffix("-key")
    return isSecret ? length(of: value) : withoutQuery(cut(value))
  }

  package static func length(of text: String) -> String { text.isEmpty ? "" : "(\(text.utf8.count) bytes)" }

  /// Bytes of one value that are shown: long ones are addresses and lists, whose beginning tells.
  private static let valueBytes = 256

  package static func cut(_ text: String) -> String { cut(text, to: valueBytes) }

  /// By bytes, since a character may have any number of them.
  package static func cut(_ text: String, to limit: Int) -> String {
    text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self) + "…"
  }

  package static func withoutQuery(_ text: String) -> String {
    guard let mark = text.firstIndex(of: "?") else { return text }
    return text[...mark] + "…"
  }
}
