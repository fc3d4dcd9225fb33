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

@Suite struct DeviceLabelTests {
  @Test(arguments: [
    ("thermostat@pi", "thermostat--pi"), ("TV@Living-Room", "tv--living-room"), ("tv-1@pi", "tv-1--pi"),
    ("1@2", "1--2"),
    ("a@b", "a--b"), ("hearth@pi", "hearth--pi"),
  ])
  func plain(jid: String, label: String) throws {
    let jid = try #require(JID(jid))
    #expect(DeviceLabel.label(of: jid) == label)
    #expect(DeviceLabel.jid(ofLabel: label) == jid)
  }

  @Test(arguments: [
    "Living Room@pi", "tv@pi.local", "küche@pi", "tv@pi #2", "printer", "a@b@c", "@pi", "tv@", "a--b@c", "a@b--c",
    "-a@b",
    "a-@b", "a@-b", "a@b-", "x@pi", "xn@pi", "X@pi", "tv_1@pi", "a", "x--y@z", "/../@pi",
  ])
  func escapedAndBack(text: String) throws {
    let jid = try #require(JID(text))
    let label = DeviceLabel.label(of: jid)
    #expect(label.hasPrefix("x--"))
    #expect(label.utf8.count <= 63)
    #expect(label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
    #expect(DeviceLabel.jid(ofLabel: label) == jid)
  }

  @Test func escapingIsBase32OfTheFoldedAddress() throws {
    #expect(DeviceLabel.label(of: try #require(JID("Foobar"))) == "x--mzxw6ytboi")
  }

  @Test func whatIsTooLongIsCutByAHash() throws {
    let one = try #require(JID(String(repeating: "ä", count: 20) + "one"))
    let two = try #require(JID(String(repeating: "ä", count: 20) + "two"))
    let label = DeviceLabel.label(of: one)
    #expect(label.utf8.count == 63)
    #expect(label != DeviceLabel.label(of: two))
    #expect(label.prefix(30) == DeviceLabel.label(of: two).prefix(30))
    #expect(DeviceLabel.jid(ofLabel: label) == nil)
  }

  @Test func theLongestThatFitsIsNotCut() throws {
    let fits = try #require(JID(String(repeating: ".", count: 37)))
    #expect(DeviceLabel.jid(ofLabel: DeviceLabel.label(of: fits)) == fits)
    let longer = try #require(JID(String(repeating: ".", count: 38)))
    #expect(DeviceLabel.jid(ofLabel: DeviceLabel.label(of: longer)) == nil)
  }

  @Test func aPlainLabelThatIsTooLongIsEscaped() throws {
    let fits = try #require(JID(user: String(repeating: "a", count: 30), machine: String(repeating: "b", count: 31)))
    #expect(DeviceLabel.label(of: fits).utf8.count == 63)
    #expect(DeviceLabel.jid(ofLabel: DeviceLabel.label(of: fits)) == fits)
    let longer = try #require(JID(user: String(repeating: "a", count: 31), machine: String(repeating: "b", count: 31)))
    #expect(DeviceLabel.label(of: longer).hasPrefix("x--"))
    #expect(DeviceLabel.label(of: longer).utf8.count == 63)
  }

  @Test func differentAddressesHaveDifferentLabels() {
    let parts = ["a", "-", "--", "x", "@", ".", "b-"]
    var labels: [String: JID] = [:]
    for first in parts {
      for second in parts {
        for third in parts {
          for machine in ["a", "-a", "@b"] {
            guard let jid = JID(first + second + third + "@" + machine) else { continue }
            let label = DeviceLabel.label(of: jid)
            if let other = labels[label] { #expect(other == jid, "\(label)") }
            labels[label] = jid
          }
        }
      }
    }
    #expect(labels.count > 900)
  }

  @Test(arguments: [
    "", "hearth", "localhost", "--", "a--", "--b", "x--", "x--1", "x--mzxw6ytboj", "x--mzxw6ytbo", "x--MZXW6YTBOI",
    "Thermostat--pi", "x--77777777", "xn--pi", "a--b--c", "a---b", "a_b--c", "ä--b", "x--mzxw6ytboi======",
  ])
  func otherLabelsStandForNothing(label: String) {
    #expect(DeviceLabel.jid(ofLabel: label) == nil)
  }
}
