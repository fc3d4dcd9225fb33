/// The longer texts of `--help`.
enum HelpText {
  /// The parser fits lines to the terminal, so those of a paragraph are one line for it; paragraphs with indented lines, as
  /// examples are, stay as they are written.
  static func unwrapped(_ text: String) -> String {
    let paragraphs = text.split(separator: "\n\n", omittingEmptySubsequences: false).map { paragraph in
      let lines = paragraph.split(separator: "\n", omittingEmptySubsequences: false)
      return lines.contains { $0.hasPrefix("  ") } ? String(paragraph) : lines.joined(separator: " ")
    }
    return paragraphs.joined(separator: "\n\n")
  }

  /// With “” in the place of '', which the parser uses and `Proxy-Status`; apostrophes stay.
  static func requoted(_ message: String) -> String {
    message.replacing(/(^|[^\p{L}\p{N}])'([^'\n]*)'/) { "\($0.1)“\($0.2)”" }
  }
}
