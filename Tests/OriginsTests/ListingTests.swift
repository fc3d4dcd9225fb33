import Codecs
import Foundation
import HTTPTypes
import HTTPX
import Mesh
import Testing

@testable import Origins

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What people and programs see of a folder without an index page.
@Suite(.timeLimit(.minutes(1))) struct ListingTests {
  private let site: Site
  private let folder: FileFolder

  init() throws {
    site = try Site()
    unlink(site.root + "/index.html")
    folder = try FileFolder(site.root, title: "Photos & <films>")
  }

  private static func document(_ got: Received) throws -> ListingDocument {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(ListingDocument.self, from: Data(got.body.utf8))
  }

  private func list(_ path: String) async throws -> ListingDocument {
    let got = try await folder.get(path, ["Accept": "application/json"])
    #expect(got.code == 200 && got["Content-Type"] == "application/json" && got["Vary"] == "Accept")
    return try Self.document(got)
  }

  /// The values of an attribute in a page, as a browser reads them.
  private static func values(of name: String, in page: String) -> [String] {
    page.components(separatedBy: " \(name)=\"").dropFirst().map { rest in
      String(rest.prefix { $0 != "\"" }).replacing("&#39;", with: "'").replacing("&quot;", with: "\"")
        .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    }
  }

  @Test func onlyWhatOpensIsListed() async throws {
    let listing = try await list("/")
    #expect(listing.entries.map(\.name) == ["current", "empty", "sub", "digits.txt", "nothing.bin"])
    #expect(listing.entries.map(\.type) == [.folder, .folder, .folder, .file, .file])
    #expect(listing.entries.map(\.url) == ["current/", "empty/", "sub/", "digits.txt", "nothing.bin"])
    #expect(listing.entries.map(\.size) == [nil, nil, nil, 10, 0])
    #expect(!listing.truncated)
    for entry in listing.entries { #expect([200, 301].contains(try await folder.get("/" + entry.url).code)) }
    let links = Self.values(of: "href", in: try await folder.get("/").body).filter { !"#?".contains($0.prefix(1)) }
    #expect(links == listing.entries.map(\.url))
  }

  @Test func theDocumentIsAsDescribed() async throws {
    var times = [timeval(tv_sec: 1_000_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000_000, tv_usec: 0)]
    utimes(site.root + "/digits.txt", &times)
    let got = try await folder.get("/", ["Accept": "text/html;q=0.5, application/json"])
    #expect(
      got.body.contains(
        #"{"modified":"2001-09-09T01:46:40Z","name":"digits.txt","size":10,"type":"file","url":"digits.txt"}"#))
    #expect(got.body.hasPrefix(#"{"entries":["#) && got.body.hasSuffix("],\"truncated\":false}\n"))
    #expect(got["Content-Length"] == "\(got.body.utf8.count)")
  }

  @Test func peopleGetAPage() async throws {
    let got = try await folder.get("/", ["Accept": "text/html,application/xhtml+xml,*/*;q=0.8"])
    #expect(got.code == 200 && got["Content-Type"] == "text/html; charset=utf-8" && got["Vary"] == "Accept")
    #expect(got["Content-Security-Policy"]?.hasPrefix("default-src 'none'; img-src 'self'") == true)
    #expect(got["X-Content-Type-Options"] == "nosniff" && got["Cache-Control"] == "no-cache")
    #expect(got.body.contains("<h1><bdi>Photos &amp; &lt;films&gt;</bdi></h1>"))
    #expect(got.body.contains("3 folders, 2 files, 10 B"))
    #expect(!got.body.contains("<script") && !got.body.contains("<nav"))
    #expect(try await folder.get("/").body == got.body, "whoever has no preference gets the page too")
    let empty = try await folder.get("/empty/")
    #expect(empty.body.contains("This folder is empty.") && !empty.body.contains("<table"))
    #expect(try await folder.get("/sub/").body == "<h1>sub</h1>", "its index page")
    #expect(try await folder.get("/sub/", ["Accept": "application/json"]).body == "<h1>sub</h1>")
  }

  @Test func headIsGetWithoutTheBody() async throws {
    for accept in ["text/html", "application/json"] {
      let get = try await folder.get("/", ["Accept": accept])
      let head = try await folder.ask(.head, "/", ["Accept": accept])
      #expect(head.head == get.head && head.body.isEmpty && head["Content-Length"] != "0")
    }
  }

  /// Whatever a file is called, its link opens it, and its name is text.
  @Test func namesAreNoMarkupAndNoAddress() async throws {
    let texts = [
      "<b onload=x>", "\"' autofocus x='", "a&amp;b", "a b", "100%", "#1", "who?", "javascript:alert(1)", "http:x",
      "\\back", "ümlaut", "новый", "日本", "\u{202E}gpj.exe", "line\nbreak", "\u{7F}", "+plus", "~", "%41",
    ]
    let names = texts.map { Array($0.utf8) } + [[0xFF, 0xFE], Array("caf".utf8) + [0xE9]]
    for name in names { site.write("content", bytes: Array("odd/".utf8) + name) }
    let page = try await folder.get("/odd/").body
    let links = Self.values(of: "href", in: page).filter { !$0.hasPrefix("?") && !$0.hasPrefix("#") && $0 != "../" }
    #expect(links.count == names.count)
    #expect(Set(links.compactMap { PercentEncoding.decode($0.utf8) }) == Set(names))
    for link in links {
      #expect(link.utf8.allSatisfy { ASCIISet.unreserved.union(ASCIISet("%")).contains($0) })
      let got = try await folder.get("/odd/" + link)
      #expect(got.code == 200 && got.body == "content")
    }
    #expect(page.contains("&lt;b onload=x&gt;") && page.contains("<bdi>\u{202E}gpj.exe</bdi>"))
    #expect(!page.contains("<b onload") && !page.contains("\"'"))
    #expect(try await list("/odd/").entries.map(\.url).sorted() == links.sorted())
  }

  @Test func foldersWithNamesThatAreNoTextOpenToo() async throws {
    site.write("deep", bytes: [0xE4, 0x2F, 0xF6])
    #expect(try await folder.get("/%E4").head.headerFields[.location] == "/%E4/")
    #expect(try await list("/%E4/").entries.map(\.url) == ["%F6"])
    #expect(try await folder.get("/%E4/%F6").body == "deep")
  }

  @Test func picturesAreTheirOwnThumbnails() async throws {
    for name in ["a b.JPG", "b.png", "c.heic", "d.mp4"] { site.write("x", "album/" + name) }
    let page = try await folder.get("/album/").body
    #expect(Self.values(of: "src", in: page) == ["a%20b.JPG", "b.png"])
    #expect(Self.values(of: "loading", in: page) == ["lazy", "lazy"])
  }

  @Test func theWayUpIsRelative() async throws {
    site.write("x", "2024/<June>/x.txt")
    let page = try await folder.get("/2024/%3CJune%3E/?sort=size&order=desc").body
    let nav = try #require(page.components(separatedBy: "<nav").last?.components(separatedBy: "</nav>").first)
    #expect(Self.values(of: "href", in: nav) == ["../../?sort=size&order=desc", "../?sort=size&order=desc"])
    #expect(nav.contains("<bdi>Photos &amp; &lt;films&gt;</bdi>") && nav.contains("<bdi>2024</bdi>"))
    #expect(page.contains("<title>Photos &amp; &lt;films&gt; / 2024 / &lt;June&gt;</title>"))
    #expect(
      try await folder.get("/2024/?sort=size&order=desc").body.contains("\"%3CJune%3E/?sort=size&amp;order=desc\""))
  }

  @Test func columnsSort() async throws {
    for (name, size) in [("b2.txt", 3), ("b10.txt", 2), ("A.txt", 1)] {
      site.write(String(repeating: "x", count: size), "sorted/" + name)
    }
    for (index, name) in ["b10.txt", "A.txt", "b2.txt"].enumerated() {
      var times = [timeval(tv_sec: index, tv_usec: 0), timeval(tv_sec: index, tv_usec: 0)]
      utimes(site.root + "/sorted/" + name, &times)
    }
    site.write("x", "sorted/z/x")
    for (query, names) in [
      ("", ["A.txt", "b2.txt", "b10.txt"]), ("?order=desc", ["b10.txt", "b2.txt", "A.txt"]),
      ("?sort=size", ["A.txt", "b10.txt", "b2.txt"]), ("?sort=size&order=desc", ["b2.txt", "b10.txt", "A.txt"]),
      ("?sort=modified&order=asc", ["b10.txt", "A.txt", "b2.txt"]), ("?sort=colour", ["A.txt", "b2.txt", "b10.txt"]),
    ] {
      #expect(try await list("/sorted/" + query).entries.map(\.name) == ["z"] + names)
    }
    let page = try await folder.get("/sorted/?sort=size&order=desc").body
    #expect(
      Self.values(of: "href", in: page).filter { $0.hasPrefix("?") }
        == ["?", "?sort=size&order=asc", "?sort=modified&order=desc"])
    #expect(page.components(separatedBy: "aria-sort=\"descending\"").count == 2)
  }

  @Test func aLongListIsCutAndSaysSo() async throws {
    for number in 0...OriginLimits.listedEntries { site.write("", "many/\(number).jpg") }
    let listing = try await list("/many/")
    #expect(listing.entries.count == OriginLimits.listedEntries && listing.truncated)
    let page = try await folder.get("/many/")
    #expect(page.body.contains("There are more") && page["Content-Length"] == "\(page.body.utf8.count)")
    unlink(site.root + "/many/7.jpg")
    #expect(try await !list("/many/").truncated)
  }

  @Test func anOwnerMayWantNoLists() async throws {
    let unlisted = try FileFolder(site.root, isListed: false)
    for path in ["/", "/empty/"] {
      let got = try await unlisted.get(path, ["Accept": "application/json"])
      #expect(got.code == 404 && got.body == "There is no such file.\n")
    }
    #expect(try await unlisted.get("/sub").code == 301)
    #expect(try await unlisted.get("/sub/").body == "<h1>sub</h1>")
    #expect(try await unlisted.get("/digits.txt").code == 200)
  }

  @Test func aFolderThatMayBeEnteredAndNotReadIsForbidden() async throws {
    site.write("x", "closed/x.txt")
    chmod(site.root + "/closed", 0o711)
    defer { chmod(site.root + "/closed", 0o755) }
    try await Unprivileged.with { threads in
      let folder = try FileFolder(site.root, threads: threads)
      let got = try await folder.get("/closed/")
      #expect(got.code == 403 && got.body.contains("may not read"))
      #expect(try await folder.get("/closed/x.txt").body == "x")
      #expect(try await folder.get("/").body.contains("closed/"))
    }
  }

  @Test(arguments: [
    ("", ListingOrder()), ("?", ListingOrder()), ("?sort=size", ListingOrder(.size)),
    ("?order=desc&sort=modified", ListingOrder(.modified, isDescending: true)), ("?sort", ListingOrder()),
    ("?sort=&order=&x=y", ListingOrder()), ("?sort=SIZE&order=down", ListingOrder()),
    ("?sort=name&order=desc", ListingOrder(isDescending: true)),
  ])
  func orders(_ query: String, _ order: ListingOrder) {
    #expect(ListingOrder(query: query) == order)
    #expect(ListingOrder(query: order.query) == order)
  }

  @Test(arguments: [
    ("2", "10"), ("a2", "a10b"), ("a", "B"), ("B", "c"), ("a", "ab"), ("a01", "a1"), ("01", "02"), ("9", "a"),
    ("a99999999999999999999998", "a99999999999999999999999"), ("", "a"), ("A", "a"), ("img1.png", "img1a.png"),
  ])
  func namesAreSortedAsPeopleCount(_ first: String, _ second: String) {
    let (first, second) = (Array(first.utf8), Array(second.utf8))
    #expect(ListingOrder.precedes(first, second) && !ListingOrder.precedes(second, first))
    #expect(!ListingOrder.precedes(first, first))
  }
}
