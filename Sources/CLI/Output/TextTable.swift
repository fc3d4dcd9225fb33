/// Columns of text, aligned by two spaces, without trailing ones.
struct TextTable {
  let header: [String]
  var rows: [[String]] = []

  var lines: [String] { lines(fitting: nil) }

  /// - Parameters:
  ///   - width: cells of the terminal; nil: nothing is shortened.
  ///   - shortened: which columns are for that, one after the other. The first of a table mostly says what others call themselves.
  func lines(fitting width: Int?, shortening shortened: [Int] = [0]) -> [String] {
    var all = [header] + rows.map { $0.map(Printable.clean) }
    var widths = header.indices.map { column in all.map { Cells.width(of: $0[column]) }.max() ?? 0 }
    var excess = widths.reduce(2 * (widths.count - 1), +) - (width ?? .max)
    for column in shortened where excess > 0 && widths.indices.contains(column) {
      let wanted = max(min(widths[column], CLILimits.shortestName), widths[column] - excess)
      excess -= widths[column] - wanted
      widths[column] = wanted
      for row in all.indices { all[row][column] = Cells.shortened(all[row][column], to: wanted) }
    }
    return all.map { row in
      var line = ""
      for (cell, width) in zip(row, widths) {
        line += cell + String(repeating: " ", count: width - Cells.width(of: cell) + 2)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

/// How many cells of a terminal a text takes: two for the wide characters of East Asia and for emoji (Unicode Standard Annex #11).
enum Cells {
  static func width(of text: String) -> Int { text.reduce(0) { $0 + width(of: $1) } }

  /// The beginning and `…`, where it is longer than that.
  static func shortened(_ text: String, to limit: Int) -> String {
    guard width(of: text) > limit else { return text }
    var (result, taken) = ("", 1)
    for character in text {
      taken += width(of: character)
      guard taken <= limit else { break }
      result.append(character)
    }
    return result + "…"
  }

  private static func width(of character: Character) -> Int {
    let scalars = character.unicodeScalars
    if scalars.contains(where: { isWide($0) || $0.value == 0xFE0F }) { return 2 }
    return scalars.allSatisfy { $0.properties.generalCategory == .nonspacingMark } ? 0 : 1
  }

  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Hangul, radicals to Yi, syllables, ideographs, forms of full width, emoji, further ideographs.
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF,
      0x20000...0x3FFFD:
      true
    default: scalar.properties.isEmojiPresentation
    }
  }
}
