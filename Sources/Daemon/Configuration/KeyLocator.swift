/// Finds the line on which a key of a TOML document stands, for messages; the parser keeps no positions.
///
/// Knows table headers, dotted and quoted keys. What it cannot see (keys of inline tables, lines inside multi-line
/// strings) is answered with the line of the nearest enclosing key, or nil.
struct KeyLocator: Sendable {
  private let lines: [(path: [String], line: Int)]

  init(document: String) {
    var lines: [(path: [String], line: Int)] = []
    var table: [String] = []
    for (index, line) in document.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let text = line.drop { $0 == " " || $0 == "\t" }
      if text.first == "[" {
        table = Self.keyPath(text.drop { $0 == "[" })
        lines.append((table, index + 1))
      } else if text.first != "#", text.contains("=") {
        lines.append((table + Self.keyPath(text), index + 1))
      }
    }
    self.lines = lines
  }

  /// The line of this key, counted from 1, else of the closest key or table around it.
  func line(of path: [String]) -> Int? {
    for length in stride(from: path.count, to: 0, by: -1) {
      let prefix = Array(path.prefix(length))
      if let found = lines.first(where: { $0.path == prefix }) { return found.line }
      if let below = lines.first(where: { $0.path.starts(with: prefix) }) { return below.line }
    }
    return nil
  }

  /// The parts of a dotted key, up to `=` or `]`.
  private static func keyPath(_ text: Substring) -> [String] {
    var parts = [""]
    var quote: Character?
    for character in text {
      if let open = quote {
        if character == open { quote = nil } else { parts[parts.count - 1].append(character) }
        continue
      }
      switch character {
      case "=", "]": return parts
      case ".": parts.append("")
      case "\"", "'": quote = character
      case " ", "\t": break
      default: parts[parts.count - 1].append(character)
      }
    }
    return parts
  }
}
