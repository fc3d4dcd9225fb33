import LinkLocal
import Testing

@Suite struct AlternativeTests {
  @Test(arguments: [
    ("juliet@pronto", 1, "juliet-1@pronto"), ("juliet@pronto", 12, "juliet-12@pronto"), ("tv-1@pi", 1, "tv-1-1@pi"),
    ("a@b@c", 1, "a@b-1@c"), ("Büro", 2, "Büro-2"),
  ])
  func followsTheXEP(wanted: String, number: Int, name: String) {
    #expect(InstanceName(wanted)?.alternative(number)?.text == name)
  }

  @Test func theUserPartIsCutToFit() throws {
    let wanted = try #require(InstanceName(user: String(repeating: "x", count: 58), machine: "pi42"))
    #expect(wanted.alternative(7)?.text == String(repeating: "x", count: 56) + "-7@pi42")
    let wide = try #require(InstanceName(user: String(repeating: "é", count: 29), machine: "pi42"))
    #expect(wide.alternative(10)?.text == String(repeating: "é", count: 27) + "-10@pi42")
  }

  @Test(arguments: [
    ("juliet-1@pronto", "juliet@pronto", true), ("JULIET-12@pronto", "juliet@Pronto", true),
    ("tv-1-1@pi", "tv-1@pi", true),
    ("Büro-2", "Büro", true), ("juliet@pronto", "juliet@pronto", false), ("juliet-1@pi", "juliet@pronto", false),
    ("juliet-0@pronto", "juliet@pronto", false), ("juliet-01@pronto", "juliet@pronto", false),
    ("juliet-101@pronto", "juliet@pronto", false), ("romeo-1@pronto", "juliet@pronto", false),
    ("juliet-@pronto", "juliet@pronto", false),
  ])
  func isKnownAsSuch(name: String, wanted: String, isAlternative: Bool) throws {
    #expect(try #require(InstanceName(name)).isAlternative(of: try #require(InstanceName(wanted))) == isAlternative)
  }

  @Test func aCutOneIsKnownToo() throws {
    let wanted = try #require(InstanceName(user: String(repeating: "x", count: 58), machine: "pi42"))
    #expect(try #require(wanted.alternative(7)).isAlternative(of: wanted))
  }

  @Test func aMachineThatFillsTheNameLeavesNone() throws {
    let wanted = try #require(InstanceName(user: "a", machine: String(repeating: "m", count: 61)))
    #expect(wanted.alternative(1) == nil)
  }
}
