package import HTTPTypes

/// What an intermediary says of a response: one member of `Proxy-Status` (RFC 9209 §2).
package struct ProxyStatus: Sendable, Hashable {
  /// Who says it.
  package let proxy: String
  /// Why the response is its own, by the error's name (§2.3); nil where it passed one on.
  package let error: String?
  /// For people.
  package let details: String?

  package init(_ proxy: String, error: String? = nil, details: String? = nil) {
    self.proxy = proxy
    self.error = error
    self.details = details
  }

  /// As it stands in the field: strings are quoted and printable ASCII (RFC 9651 §3.3.3).
  package var text: String {
    let parameters = [error.map { "error=\($0)" }, details.map { "details=\(Self.quoted($0))" }]
    return ([Self.quoted(proxy)] + parameters.compactMap { $0 }).joined(separator: "; ")
  }

  private static func quoted(_ text: String) -> String {
    let characters = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case " "..."~": String(scalar)
      case "“", "”": "'"
      default: "?"
      }
    }
    return "\"\(characters.joined())\""
  }
}

extension HTTPFields {
  /// In the order in which they were said: the last is of the intermediary nearest to the reader.
  package var proxyStatus: [ProxyStatus] {
    self[values: .proxyStatus].flatMap { ProxyStatus.split($0[...], at: ",") }.compactMap(ProxyStatus.init(member:))
  }

  /// Says it behind what others have said.
  package mutating func append(_ status: ProxyStatus) {
    self[.proxyStatus] = (self[values: .proxyStatus] + [status.text]).joined(separator: ", ")
  }
}

/// Reading.
extension ProxyStatus {
  fileprivate init?(member: Substring) {
    let parts = Self.split(member, at: ";").map { $0.trimmingSpace }
    guard let proxy = parts.first, !proxy.isEmpty else { return nil }
    var parameters: [String: String] = [:]
    for part in parts.dropFirst() {
      let pair = Self.split(part[...], at: "=")
      if pair.count == 2 { parameters[String(pair[0].trimmingSpace)] = Self.unquoted(pair[1].trimmingSpace) }
    }
    self.init(Self.unquoted(proxy), error: parameters["error"], details: parameters["details"])
  }

  /// Splits outside of quoted strings.
  fileprivate static func split(_ text: Substring, at separator: Character) -> [Substring] {
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

  private static func unquoted(_ text: some StringProtocol) -> String {
    guard text.count >= 2, text.first == "\"", text.last == "\"" else { return String(text) }
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
