/// `Refresh: 5; url=/next`, which no RFC knows and every browser obeys (HTML §"shared declarative refresh steps").
package enum Refresh {
  /// The same with its URL mapped; unchanged where it has none.
  package static func mapping(_ value: String, _ map: (String) -> String) -> String {
    let url = url(in: value)
    return url.isEmpty ? value : value[..<url.startIndex] + map(String(url)) + value[url.endIndex...]
  }

  /// Behind the time, a separator, `url=` and a quote, all of which may be missing.
  private static func url(in value: String) -> Substring {
    var rest = value.drop { isSpace($0) || $0.isNumber || $0 == "." }
    if rest.first == ";" || rest.first == "," { rest = rest.dropFirst() }
    rest = rest.drop(while: isSpace)
    if rest.prefix(3).lowercased() == "url" {
      let behind = rest.dropFirst(3).drop(while: isSpace)
      if behind.first == "=" { rest = behind.dropFirst().drop(while: isSpace) }
    }
    guard let quote = rest.first, quote == "'" || quote == "\"" else { return rest }
    return rest.dropFirst().prefix { $0 != quote }
  }

  private static func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
}
