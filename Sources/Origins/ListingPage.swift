import Codecs
import FoundationEssentials

/// A folder's list for people: no script, light and dark, from 320 px up. All links are relative, so that they hold under any
/// address of the device.
struct ListingPage {
  /// What the device is called.
  let title: String
  /// Below the device's folder; empty, or with a slash at its end.
  let path: [UInt8]
  /// In order.
  let entries: [FolderListing.Entry]
  let isCut: Bool
  let order: ListingOrder

  var html: String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>\(HTML.escaped(([title] + folders).joined(separator: " / ")))</title><style>\(Self.style)</style></head>
    <body>\(Self.icons)
    \(breadcrumbs)<h1><bdi>\(HTML.escaped(folders.last ?? title))</bdi></h1>
    <p class="note">\(summary)</p>
    \(entries.isEmpty ? "" : table)</body></html>

    """
  }

  /// The names on the way from the device's folder to this one, for people.
  private var folders: [String] {
    path.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The folders above; the last is the next one up.
  private var breadcrumbs: String {
    guard !folders.isEmpty else { return "" }
    let links = ([title] + folders.dropLast()).enumerated().map { index, name in
      let up = String(repeating: "../", count: folders.count - index) + order.query
      return "<a href=\"\(HTML.escaped(up))\"><bdi>\(HTML.escaped(name))</bdi></a> / "
    }
    return "<nav aria-label=\"Folders above\">\(links.joined())</nav>\n"
  }

  private var summary: String {
    guard !entries.isEmpty else { return "This folder is empty." }
    let files = entries.filter { !$0.isFolder }
    let folders = entries.count - files.count
    let counts = [Self.count(folders, "folder"), Self.count(files.count, "file")].compactMap(\.self)
    let size = files.isEmpty ? "" : ", \(ByteCount.text(files.reduce(0) { $0 + $1.size }))"
    let cut = isCut ? ". There are more: a list has \(OriginLimits.listedEntries) at most." : ""
    return counts.joined(separator: ", ") + size + cut
  }

  private static func count(_ number: Int, _ noun: String) -> String? {
    number == 0 ? nil : "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  private var table: String {
    """
    <table><thead><tr>\(head(.name, "Name"))\(head(.size, "Size"))\(head(.modified, "Changed (UTC)"))</tr></thead>
    <tbody>
    \(entries.map(row).joined())</tbody></table>

    """
  }

  private func head(_ key: ListingOrder.Key, _ name: String) -> String {
    let next = order.choosing(key)
    // `?` alone is this very folder, in the order that needs no query.
    let link = "<a href=\"\(HTML.escaped(next.query.isEmpty ? "?" : next.query))\">\(name)"
    guard order.key == key else { return "<th scope=\"col\">\(link)</a></th>" }
    let (word, arrow) = order.isDescending ? ("descending", "▾") : ("ascending", "▴")
    return "<th scope=\"col\" aria-sort=\"\(word)\">\(link) <span aria-hidden=\"true\">\(arrow)</span></a></th>"
  }

  private func row(_ entry: FolderListing.Entry) -> String {
    let url = HTML.escaped(entry.reference + (entry.isFolder ? order.query : ""))
    let name = "\(picture(entry))<span><bdi>\(HTML.escaped(entry.text))</bdi>\(entry.isFolder ? "/" : "")</span>"
    return """
      <tr><td><a href="\(url)">\(name)</a></td><td>\(entry.isFolder ? "" : ByteCount.text(entry.size))</td>\
      <td>\(Self.time(entry.date))</td></tr>

      """
  }

  /// The picture itself where it is one, which the browser loads once it comes into sight.
  private func picture(_ entry: FolderListing.Entry) -> String {
    guard !entry.isFolder, MediaTypes.isPicture(MediaTypes.type(ofFileNamed: entry.text)) else {
      return "<svg aria-hidden=\"true\"><use href=\"#\(entry.isFolder ? "folder" : "file")\"/></svg>"
    }
    return "<img src=\"\(HTML.escaped(entry.reference))\" alt=\"\" loading=\"lazy\" width=\"64\" height=\"64\">"
  }

  /// `2026-11-22 20:38`: a page without script does not know the reader's clock.
  private static func time(_ date: Date) -> String {
    let text = date.formatted(.iso8601)
    return "<time datetime=\"\(text)\">\(text.prefix(10)) \(text.dropFirst(11).prefix(5))</time>"
  }

  private static let icons = """
    <svg width="0" height="0" style="position:absolute"><symbol id="folder" viewBox="0 0 24 24"><path d="M3 6h6l2 2h10v11H3z"/></symbol>\
    <symbol id="file" viewBox="0 0 24 24"><path d="M6 3h8l4 4v14H6zM14 3v4h4"/></symbol></svg>
    """

  private static let style = """
    :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--line:color-mix(in srgb,currentColor 18%,transparent)}
    body{max-width:60rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
    h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0}.note{margin:0 0 1rem}
    .note,nav,td+td{opacity:.8;font-size:.875rem}
    table{width:100%;border-collapse:collapse}tr{border-bottom:1px solid var(--line)}
    th,td{padding:.25rem 0;text-align:left;font-variant-numeric:tabular-nums}
    th+th,td+td{padding-left:1.5rem;text-align:right;white-space:nowrap}th:first-child{width:100%}
    td>a{display:flex;gap:.75rem;align-items:center;min-height:2.75rem}
    td svg,img{flex:none;width:2rem;height:2rem;fill:none;stroke:currentColor;stroke-width:1.5}
    img{width:4rem;height:4rem;object-fit:cover;border-radius:.25rem;background:var(--line)}
    @media(max-width:36rem){table,thead,tbody{display:block}tr{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.25rem 0}
    th:first-child,th+th,td+td{padding:0;width:auto}td:first-child{width:100%}td:empty{display:none}}
    """
}
