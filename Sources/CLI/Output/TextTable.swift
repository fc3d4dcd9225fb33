/// Columns of text, aligned by two spaces, without trailing ones.
struct TextTable {
  let header: [String]
  var rows: [[String]] = []

  var lines: [String] {
    let all = [header] + rows.map { $0.map(Printable.clean) }
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      var line = ""
      for (cell, width) in zip(row, widths) {
        line += cell + String(repeating: " ", count: width - cell.count + 2)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
