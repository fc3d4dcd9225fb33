import Codecs

/// Which of some names somebody may have meant who typed another one.
enum Suggestion {
  /// The closest, ASCII letters without regard to case: one, or those that are equally close, as they were given; none where
  /// more than a third of the letters is different.
  static func names(like typed: String, among names: [String]) -> [String] {
    let word = Array(typed.asciiLowercased)
    let rated = names.map { name in (name, distance(word, Array(name.asciiLowercased))) }
    let limit = max(1, word.count / 3)
    guard let least = rated.map(\.1).min(), least <= limit, least < word.count else { return [] }
    var seen: Set<String> = []
    return rated.filter { $0.1 == least && seen.insert($0.0).inserted }.map(\.0)
  }

  /// `did you mean a, or b?`; nil where nothing is like it.
  static func question(like typed: String, among names: [String], _ shown: (String) -> String = { $0 }) -> String? {
    let names = self.names(like: typed, among: names).prefix(CLILimits.suggestions).map { Printable.clean(shown($0)) }
    return names.isEmpty ? nil : "did you mean \(names.joined(separator: ", or "))?"
  }

  /// Letters that are missing, too many, wrong, or two that changed places.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    // Nobody means a name by one that is twice as long.
    guard !a.isEmpty, abs(a.count - b.count) <= a.count else { return max(a.count, b.count) }
    var rows = [Array(0...b.count)]
    for (i, letter) in a.enumerated() {
      var row = [i + 1]
      for (j, other) in b.enumerated() {
        var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == b[j - 1], a[i - 1] == other { least = min(least, rows[i - 1][j - 1] + 1) }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
