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

  static let parts: [(String, String, String?)] = [
    ("juliet@pronto", "juliet", "pronto"), ("a@b@c", "a@b", "c"), ("living room #2", "living room #2", nil),
    ("a\\40b@c", "a\\40b", "c"),
  ]

  @Test(arguments: parts) func theMachineIsBehindTheLastAt(text: String, user: String, machine: String?) throws {
    let jid = try #require(JID(text))
    #expect(jid.user == user)
    #expect(jid.machine == machine)
  }

  @Test func instanceNamesHave63BytesAtMost() {
    #expect(JID(String(repeating: "ü", count: 31)) != nil)
    #expect(JID(String(repeating: "ü", count: 32)) == nil)
    #expect(JID("") == nil && JID("a\u{0}b") == nil && JID("a\u{7F}") == nil)
    #expect(JID(user: "romeo", machine: "forza") == romeo)
  }
}
