import Codecs
import HTTPTypes

/// Why a request never got an answer from its device, as the daemon says in `Proxy-Status` (RFC 9209).
enum ProxyFailure {
  private static let field = HTTPField.Name("Proxy-Status")!
  /// How the daemon calls itself there.
  private static let proxy = "hearth"

  /// nil where the response is the device's own.
  static func of(_ response: HTTPResponse, device: String) -> CommandFailure? {
    guard let member = response.headerFields[values: field].last.flatMap({ members($0).last }) else { return nil }
    let parts = split(member, at: ";").map { String($0.trimmingSpace) }
    guard parts.first.map(unquoted) == proxy else { return nil }
    let parameters = parts.dropFirst().map { split($0[...], at: "=").map { String($0.trimmingSpace) } }.filter {
      $0.count == 2
    }
    guard let token = parameters.first(where: { $0[0] == "error" })?[1] else { return nil }
    let status = CommandStatus(proxyStatus: unquoted(token))
    let details = parameters.first { $0[0] == "details" }.map { Printable.clean(unquoted($0[1])) }
    return CommandFailure(status, details ?? "\(device): \(words(status, token: unquoted(token)))")
  }

  private static func words(_ status: CommandStatus, token: String) -> String {
    switch status {
    case .notDiscovered: "no such device on the link: see `hearth devices`"
    case .refused: "it is away, or refuses connections"
    case .timedOut: "no answer in time"
    case .noHTTP: "it does not speak HTTP"
    case .denied: "it does not let this node in"
    case .wrongKey: "it shows another key than it has to: see `hearth devices`"
    case .insecure: "it has to be reached over TLS, and is not: somebody may be in between"
    case .connectionLost: "the connection broke"
    default: "no answer (\(token))"
    }
  }

  private static func members(_ value: String) -> [Substring] {
    split(value[...], at: ",")
  }

  /// Splits outside of quoted strings (RFC 9651 §3.3.3).
  private static func split(_ text: Substring, at separator: Character) -> [Substring] {
    var parts: [Substring] = []
    var start = text.startIndex
    var (quoted, escaped) = (false, false)
    for index in text.indices {
      let character = text[index]
      if escaped {
        escaped = false
      } else if character == "\\", quoted {
        escaped = true
      } else if character == "\"" {
        quoted.toggle()
      } else if character == separator, !quoted {
        parts.append(text[start..<index])
        start = text.index(after: index)
      }
    }
    return parts + [text[start...]]
  }

  private static func unquoted(_ text: String) -> String {
    guard text.count >= 2, text.first == "\"", text.last == "\"" else { return text }
    var result = ""
    var escaped = false
    for character in text.dropFirst().dropLast() {
      if character == "\\", !escaped {
        escaped = true
      } else {
        result.append(character)
        escaped = false
      }
    }
    return result
  }
}
