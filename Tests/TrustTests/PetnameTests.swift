import Testing
import Trust

@Suite struct PetnameTests {
  @Test(arguments: [
    "anna", "kitchen-pi", "Bob.2", "9lives", "a_b", "Büro", "ö", "居間", "e\u{301}t", String(repeating: "x", count: 63),
  ])
  func accepts(text: String) throws {
    #expect(try Petname(text).text == text)
  }

  @Test(arguments: [
    "", "-a", ".", "anna smith", "anna@pi", "\u{301}a", "a\u{202E}b", "a👋", "a\u{200B}b", "a\n", "a/b", "friends",
    "Public", "self", "stranger", "plaintext",
    String(repeating: "x", count: 64), NodeIDTests.text, "\u{1B}[31m",
  ])
  func refuses(text: String) {
    let error = #expect(throws: TrustError.self) { try Petname(text) }
    #expect(error?.code == .petname)
  }

  @Test func caseDoesNotCount() {
    #expect(name("Anna") == name("anna"))
    #expect(Set([name("Anna"), name("anna")]).count == 1)
    #expect(name("BÜRO") == name("bu\u{308}ro"))
  }

  @Test func aNeutralNameIsOfTheKey() throws {
    let id = try NodeID(NodeIDTests.text)
    #expect(Petname.neutral(for: id) { _ in false }.text == "node-p56ioi7-mzjnu2y")
    #expect(Petname.neutral(for: id) { $0.text == "node-p56ioi7-mzjnu2y" }.text == "node-p56ioi7-mzjnu2y-2")
    #expect(try Petname("node-p56ioi7-mzjnu2y-2").text.isEmpty == false)
  }
}
