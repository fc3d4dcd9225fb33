import LinkLocal
import Testing
import XMPP

@Suite struct InstanceNameTests {
  @Test func itHas63BytesAtMost() {
    #expect(InstanceName(String(repeating: "ü", count: 31)) != nil)
    #expect(InstanceName(String(repeating: "ü", count: 32)) == nil)
    #expect(InstanceName("") == nil && InstanceName("a\u{0}b") == nil && InstanceName("a\u{7F}") == nil)
    #expect(InstanceName(user: "juliet", machine: "pronto")?.text == "juliet@pronto")
    #expect(InstanceName(user: "juliet", machine: String(repeating: "x", count: 57)) == nil)
  }

  static let parts: [(String, String, String?)] = [
    ("juliet@pronto", "juliet", "pronto"), ("a@b@c", "a@b", "c"), ("living room #2", "living room #2", nil),
    ("a\\40b@c", "a\\40b", "c"),
  ]

  @Test(arguments: parts) func theMachineIsBehindTheLastAt(text: String, user: String, machine: String?) throws {
    let name = try #require(InstanceName(text))
    #expect(name.user == user)
    #expect(name.machine == machine)
  }

  @Test func lettersCompareWithoutCase() throws {
    let name = try #require(InstanceName("Juliet@Pronto"))
    #expect(name == InstanceName("juliet@pronto") && name.text == "Juliet@Pronto")
    #expect(InstanceName("ä@b") != InstanceName("Ä@b"), "ASCII letters only")
  }

  @Test(arguments: ["juliet@pronto", "living room/tv", "a@b/c", "tv #2"])
  func anAddressIsMadeOfItAndBack(text: String) throws {
    let name = try #require(InstanceName(text))
    #expect(name.jid.text == text && name.jid.resource == nil)
    #expect(InstanceName(name.jid) == name)
  }

  @Test func anAddressWithAResourceNamesTheSameDevice() throws {
    let full = try #require(JID("Juliet@pronto/balcony"))
    #expect(InstanceName(full)?.text == "Juliet@pronto")
    let long = try #require(JID("juliet@" + String(repeating: "x", count: 57)))
    #expect(InstanceName(long) == nil)
  }
}
