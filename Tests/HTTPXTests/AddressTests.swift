import HTTPX
import Testing
import XMPP

@Suite struct HTTPXURITests {
  /// The three of XEP-0332 §4.3.1.1, and what else occurs.
  static let rows: [(text: String, jid: String, path: String, canonical: String?)] = [
    ("httpx://httpServer@example.org/index.html", "httpServer@example.org", "/index.html", nil),
    ("httpx://httpServer@example.org/images/image1.png", "httpServer@example.org", "/images/image1.png", nil),
    ("httpx://httpServer@example.org/api?p1=a&p2=b", "httpServer@example.org", "/api?p1=a&p2=b", nil),
    ("httpx://tv@pi", "tv@pi", "/", "httpx://tv@pi/"), ("httpx://tv@pi?a=b", "tv@pi", "/?a=b", "httpx://tv@pi/?a=b"),
    ("HTTPX://tv@pi/", "tv@pi", "/", "httpx://tv@pi/"), ("web+httpx://tv@pi/", "tv@pi", "/", "httpx://tv@pi/"),
    ("httpx://Living%20Room@pi/", "Living Room@pi", "/", nil),
    ("httpx://Living Room@pi/", "Living Room@pi", "/", "httpx://Living%20Room@pi/"),
    ("httpx://tv@pi%20%232/", "tv@pi #2", "/", nil), ("httpx://k%C3%BCche@pi/", "küche@pi", "/", nil),
    ("httpx://küche@pi/ö?ü", "küche@pi", "/%C3%B6?%C3%BC", "httpx://k%C3%BCche@pi/%C3%B6?%C3%BC"),
    ("httpx://tv@pi/a%23b?c%23d", "tv@pi", "/a%23b?c%23d", nil),
    ("httpx://tv@pi/a b", "tv@pi", "/a%20b", "httpx://tv@pi/a%20b"),
    ("httpx://tv@pi/%ZZ/../x//y", "tv@pi", "/%ZZ/../x//y", nil),
    ("httpx://tv%40home@pi/", "tv@home@pi", "/", "httpx://tv@home@pi/"),
    ("httpx://printer/", "printer", "/", nil), ("httpx://a%2Fb@pi/", "a/b@pi", "/", nil),
    ("httpx://a%3A80@pi%3A1/", "a:80@pi:1", "/", nil), ("httpx://10%25@pi/", "10%@pi", "/", nil),
    ("httpx://tv@pi/\u{301}x", "tv@pi", "/%CC%81x", "httpx://tv@pi/%CC%81x"),
    ("httpx://tv@pi/a:80?b@c:1", "tv@pi", "/a:80?b@c:1", nil),
  ]

  @Test(arguments: rows.indices) func isRead(index: Int) throws {
    let (text, jid, path, canonical) = Self.rows[index]
    let uri = try HTTPXURI(text)
    #expect(uri.jid.text == jid)
    #expect(uri.path == path)
    #expect(uri.fragment == nil)
    #expect(uri.description == canonical ?? text)
    #expect(try HTTPXURI(uri.description) == uri)
  }

  @Test func aFragmentIsKeptApart() throws {
    let uri = try HTTPXURI("httpx://tv@pi/a?b#c#d ?")
    #expect(uri.path == "/a?b")
    #expect(uri.fragment == "c#d%20?")
    #expect(uri.description == "httpx://tv@pi/a?b#c#d%20?")
    #expect(try HTTPXURI("httpx://tv@pi#x").path == "/")
  }

  @Test(arguments: [
    ("", "httpx://name@machine/path"), ("thermostat@pi", "httpx://name@machine/path"),
    ("httpx:tv@pi", "httpx://name@machine/path"), ("httpx:/tv@pi", "httpx://name@machine/path"),
    ("http://tv@pi/", "httpx://name@machine/path"), ("xmpp://tv@pi/", "httpx://name@machine/path"),
    ("httpx://", "httpx://name@machine/path"), ("httpx:///x", "httpx://name@machine/path"),
    ("httpx://?x", "httpx://name@machine/path"), ("httpx://tv@pi:5298/", "leave out “:5298”"),
    ("httpx://tv@pi:/", "leave out “:”"), ("httpx://tv%@pi/", "write % as %25"), ("httpx://tv%4@pi/", "write % as %25"),
    ("httpx://tv%ff@pi/", "write % as %25"), ("httpx://tv@pi/a\r\nb", "write them as %0A"),
    ("httpx://tv@pi/\u{0}", "write them as"), ("httpx://tv%00@pi/", "no device's name"),
    ("httpx://\(String(repeating: "a", count: 64))/", "1 to 63 bytes"),
  ])
  func anErrorSaysWhatToWrite(text: String, advice: String) {
    let error = #expect(throws: HTTPXError.self) { try HTTPXURI(text) }
    #expect(error?.code == .uri)
    #expect(error?.message.contains(advice) == true, "\(error?.message ?? "")")
  }

  @Test func lengthIsBounded() {
    let error = #expect(throws: HTTPXError.self) {
      try HTTPXURI("httpx://tv@pi/" + String(repeating: "a", count: 65536))
    }
    #expect(error?.code == .limit)
  }

  @Test func addressesCompareWithoutCase() throws {
    #expect(try HTTPXURI("httpx://TV@Pi/") == HTTPXURI("httpx://tv@pI/"))
    #expect(try HTTPXURI("httpx://t%56@pi/") == HTTPXURI("httpx://tv@pi/"))
    #expect(try HTTPXURI("httpx://tv@pi/A") != HTTPXURI("httpx://tv@pi/a"))
  }
}
