import Codecs
import FoundationEssentials

/// One part of the dashboard: a list whose items are replaced one by one in a page that is open.
struct PagePart: Sendable, Hashable {
  struct Item: Sendable, Hashable {
    /// Of its element; unique in the page.
    let id: String
    /// Escaped; one element.
    let html: String

    /// - Parameter news: what to say where it appears in an open page, for those who do not see it.
    init(_ id: String, classes: String = "", news: String? = nil, _ inside: String) {
      self.id = id
      html = Self.element(id, classes: classes, news: news, inside)
    }

    static func element(_ id: String, classes: String = "", news: String? = nil, _ inside: String) -> String {
      let classes = classes.isEmpty ? "" : " class=\"\(classes)\""
      let news = news.map { " data-news=\"\(HTML.escaped($0))\"" } ?? ""
      return "<li id=\"\(id)\"\(classes)\(news)>\(inside)</li>"
    }
  }

  /// Of the list's element.
  let id: String
  let items: [Item]

  var list: String {
    "<ul id=\"\(id)\">\n\(items.map { $0.html + "\n" }.joined())</ul>"
  }

  /// With a heading; hidden while it is empty.
  func section(_ heading: String, level: Int = 2) -> String {
    """
    <section data-part aria-labelledby="\(id)-title"\(items.isEmpty ? " hidden" : "")>
    <h\(level) id="\(id)-title">\(heading)</h\(level)>
    \(list)
    </section>

    """
  }
}

/// What an open page has been told, and so what there is to tell it: only items that are new or others than before.
struct PageChanges: Sendable {
  private var told: [String: PagePart] = [:]

  /// An event of server-sent events for each part that differs (HTML standard §9.2); nil where none does.
  mutating func events(to parts: [PagePart]) -> String? {
    let events = parts.compactMap { event(to: $0) }
    return events.isEmpty ? nil : events.joined()
  }

  private mutating func event(to part: PagePart) -> String? {
    let known = told[part.id]
    guard known != part else { return nil }
    told[part.id] = part
    let same = Set(known?.items ?? [])
    let changed = part.items.filter { !same.contains($0) }
    let message = Message(
      part: part.id, order: part.items.map(\.id),
      items: Dictionary(changed.map { ($0.id, $0.html) }) { first, _ in first })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A struct of strings always encodes, to one line.
    guard let json = try? encoder.encode(message) else { return nil }
    return "event: part\ndata: \(String(decoding: json, as: UTF8.self))\n\n"
  }

  /// A property for each key of the JSON.
  private struct Message: Encodable {
    let part: String
    /// The ids of all items.
    let order: [String]
    let items: [String: String]
  }
}
