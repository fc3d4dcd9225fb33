import Testing
import XMPP

@Suite struct JIDTests {
  @Test func lettersCompareWithoutCase() throws {
    let jid = try #require(JID("Juliet@Pronto"))
    #expect(jid == juliet && jid.hashValue == juliet.hashValue)
    #expect(jid.text == "Juliet@Pronto")
    #expect(JID("ä@b") != JID("Ä@b"), "ASCII letters only")
    #expect(juliet < romeo)
  }

  static let parts: [(String, String?, String, String?)] = [
    ("juliet@pronto", "juliet", "pronto", nil), ("a@b@c", "a@b", "c", nil),
    ("living room #2", nil, "living room #2", nil), ("a\\40b@c", "a\\40b", "c", nil),
    ("juliet@example.com/balcony", "juliet", "example.com", "balcony"),
    ("juliet@example.com/a/b@c/d", "juliet", "example.com", "a/b@c/d"), ("küche@haus/ü", "küche", "haus", "ü"),
    ("a/b@c", "a/b", "c", nil), ("living/room", nil, "living/room", nil), ("a@b/", "a", "b", nil),
  ]

  @Test(arguments: parts)
  func isMadeOfThreeParts(text: String, localpart: String?, domainpart: String, resource: String?) throws {
    let jid = try #require(JID(text))
    #expect(jid.localpart == localpart)
    #expect(jid.domainpart == domainpart)
    #expect(jid.resource == resource)
    #expect(JID(jid.text) == jid)
  }

  @Test func aResourceIsComparedExactlyAndWrittenOut() throws {
    let full = try #require(JID("Juliet@Pronto/Balcony"))
    #expect(full.text == "Juliet@Pronto/Balcony" && "\(full)" == full.text)
    #expect(full == JID("juliet@pronto/Balcony") && full.hashValue == JID("juliet@pronto/Balcony")?.hashValue)
    #expect(full != JID("juliet@pronto/balcony"))
    #expect(full != juliet)
    #expect(full.bare == juliet && full.bare.text == "Juliet@Pronto" && juliet.bare == juliet)
    #expect(juliet < full)
  }

  @Test func aBareAddressIsAllOfTheText() throws {
    let jid = try #require(JID(bare: "a@b/c"))
    #expect(jid.resource == nil && jid.text == "a@b/c" && jid != JID("a@b/c"))
    #expect(JID(localpart: "romeo", domainpart: "forza") == romeo)
  }

  @Test func eachPartHas1023BytesAtMost() {
    let (fits, long) = (String(repeating: "x", count: 1023), String(repeating: "x", count: 1024))
    #expect(JID("\(fits)@\(fits)/\(fits)") != nil && JID(fits) != nil)
    #expect(JID("\(long)@b") == nil && JID("a@\(long)") == nil && JID("a@b/\(long)") == nil && JID(long) == nil)
    #expect(JID("") == nil && JID("a\u{0}b") == nil && JID("a\u{7F}") == nil && JID("a@b/\u{1}") == nil)
  }
}
