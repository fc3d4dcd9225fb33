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

  @Test func aMachineThatFillsTheNameLeavesNone() throws {
    let wanted = try #require(InstanceName(user: "a", machine: String(repeating: "m", count: 61)))
    #expect(wanted.alternative(1) == nil)
  }
}
