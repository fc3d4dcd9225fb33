import NIOCore
import Testing
import XML
import XMPP

/// The first element inside a stream's default namespace that this text is.
func element(_ xml: String) throws -> Element {
  var found: Element?
  try XMLReader(limits: .established).feed(ByteBuffer(string: Header.iChat + xml)) {
    if case .element(let element) = $0 { found = element }
  }
  return try #require(found)
}

@Suite struct DiscoInfoTests {
  static let exodus = """
    <query xmlns='http://jabber.org/protocol/disco#info' node='http://code.google.com/p/exodus#QgayPKawpkPSDYmwT/WM94uAlu0='>
      <identity category='client' name='Exodus 0.9.1' type='pc'/>
      <feature var='http://jabber.org/protocol/caps'/>
      <feature var='http://jabber.org/protocol/disco#info'/>
      <feature var='http://jabber.org/protocol/disco#items'/>
      <feature var='http://jabber.org/protocol/muc'/>
    </query>
    """
  static let psi = """
    <query xmlns='http://jabber.org/protocol/disco#info' node='http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w='>
      <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
      <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
      <feature var='http://jabber.org/protocol/caps'/>
      <feature var='http://jabber.org/protocol/disco#info'/>
      <feature var='http://jabber.org/protocol/disco#items'/>
      <feature var='http://jabber.org/protocol/muc'/>
      <x xmlns='jabber:x:data' type='result'>
        <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
        <field var='ip_version' type='text-multi' ><value>ipv4</value><value>ipv6</value></field>
        <field var='os'><value>Mac</value></field>
        <field var='os_version'><value>10.5.1</value></field>
        <field var='software'><value>Psi</value></field>
        <field var='software_version'><value>0.11</value></field>
      </x>
    </query>
    """

  /// XEP-0115 §§5.2 and 5.3.
  @Test(arguments: [(exodus, "QgayPKawpkPSDYmwT/WM94uAlu0="), (psi, "q07IKJEyjvHSyhy//CH0CxmKi8w=")])
  func verificationStringsOfTheXEP(xml: String, ver: String) throws {
    let info = try #require(DiscoInfo(element(xml)))
    #expect(info.verification() == ver)
    #expect(info.node?.hasSuffix("#" + ver) == true)
  }

  @Test func theOrderOnTheWireDoesNotMatter() throws {
    var info = try #require(DiscoInfo(element(Self.psi)))
    info.identities.reverse()
    info.features.reverse()
    info.forms[0].fields.reverse()
    info.forms[0].fields[4].values.reverse()
    #expect(info.verification() == "q07IKJEyjvHSyhy//CH0CxmKi8w=")
  }

  /// By bytes: `Z` before `a`, and U+FFFD before U+10000, which UTF-16 and Swift's own order would not do.
  @Test func sortingIsByOctets() {
    let info = DiscoInfo(identities: [], features: ["\u{10000}", "a", "\u{FFFD}", "Z", "e\u{301}", "é"])
    let sorted = DiscoInfo(identities: [], features: ["Z", "a", "e\u{301}", "é", "\u{FFFD}", "\u{10000}"])
    #expect(info.verification() == sorted.verification())
    #expect(
      DiscoInfo(identities: [], features: ["b", "a"]).verification()
        == DiscoInfo(identities: [], features: ["a", "b"]).verification())
  }

  @Test(arguments: [exodus, psi]) func whatIsReadIsWritten(xml: String) throws {
    let info = try #require(DiscoInfo(element(xml)))
    #expect(DiscoInfo(info.query(node: info.node)) == info)
  }

  static let form = "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>t</value></field></x>"
  static let illFormed = [
    "<identity category='a' type='b' name='c'/><identity category='a' type='b' name='c'/>",
    "<feature var='a'/><feature var='a'/>",
    form + form,
    """
    <x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>t</value><value>u</value></field></x>
    """,
    "<feature var='a&lt;b'/>",
    "<identity category='a' type='b' name='c&lt;'/>",
    "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>t&lt;u</value></field></x>",
  ]

  /// XEP-0115 §5.4, against forged verification strings.
  @Test(arguments: illFormed) func illFormedAnswersAreRefused(content: String) throws {
    #expect(try DiscoInfo(element("<query xmlns='\(Namespace.discoInfo)'>\(content)</query>")) == nil)
  }

  @Test(arguments: [
    "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>t</value></field></x>",
    "<x xmlns='jabber:x:data'><field var='a'><value>t</value></field></x>",
    "<x xmlns='jabber:x:data'/>",
    "<item xmlns='urn:other'/>",
  ])
  func strangeFormsAreIgnored(content: String) throws {
    let info = try #require(DiscoInfo(element("<query xmlns='\(Namespace.discoInfo)'>\(content)</query>")))
    #expect(info == DiscoInfo(identities: [], features: []))
  }

  @Test func othersAreNoInfo() throws {
    #expect(DiscoInfo(Element("query", namespace: Namespace.discoItems)) == nil)
    #expect(DiscoInfo(Element("info", namespace: Namespace.discoInfo)) == nil)
  }
}

@Suite struct SHA1Tests {
  /// RFC 3174 §7.3.
  static let vectors: [(String, Int, String)] = [
    ("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    ("a", 1_000_000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
    (
      "0123456701234567012345670123456701234567012345670123456701234567", 10, "dea356a2cddd90c7a7ecedc5ebb563934f460452"
    ),
    ("", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
  ]

  @Test(arguments: vectors) func vectorsOfTheRFC(text: String, count: Int, digest: String) {
    let bytes = Array(repeating: Array(text.utf8), count: count).joined()
    let hex = SHA1.digest(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(hex == digest)
  }

  /// The padding changes its length at these.
  @Test(arguments: [
    (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"), (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
    (63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"), (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
  ])
  func lengthsAroundABlock(count: Int, digest: String) {
    let hex = SHA1.digest(Array(repeating: UInt8(ascii: "a"), count: count)).map {
      ($0 < 16 ? "0" : "") + String($0, radix: 16)
    }
    #expect(hex.joined() == digest)
  }
}
