/// What a `Content-Type` says about sending a body as text (RFC 9110 §8.3).
enum MediaType {
  private static let textual: Set<String> = [
    "application/json", "application/javascript", "application/x-javascript", "application/xml",
    "application/x-www-form-urlencoded", "application/x-ndjson", "application/graphql", "application/sparql-query",
    "application/toml", "application/yaml",
  ]

  /// Whether it is for reading, in UTF-8 as far as it says: a receiver may put text into the charset that is named here.
  static func isText(_ contentType: String) -> Bool {
    let parts = contentType.split(separator: ";").map { trimmed($0).lowercased() }
    guard let type = parts.first else { return false }
    let isTextual =
      type.hasPrefix("text/") || type.hasSuffix("+json") || type.hasSuffix("+xml") || textual.contains(type)
    return isTextual && parts.dropFirst().allSatisfy(isUTF8)
  }

  /// True for every parameter but a foreign charset.
  private static func isUTF8(_ parameter: String) -> Bool {
    let pair = parameter.split(separator: "=", maxSplits: 1).map(trimmed)
    guard pair.first == "charset" else { return true }
    let charset = (pair.last ?? "").filter { $0 != "\"" }
    return charset == "utf-8" || charset == "utf8" || charset == "us-ascii"
  }

  private static func trimmed(_ text: Substring) -> String {
    let front = text.drop(while: \.isWhitespace)
    return String(front.reversed().drop(while: \.isWhitespace).reversed())
  }
}
