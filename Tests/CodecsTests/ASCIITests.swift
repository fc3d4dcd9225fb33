import Codecs
import Testing

@Suite struct ASCIITests {
  @Test(arguments: [
    ("", ""), ("abc", "abc"), ("ABCxyzZ[@`{", "abcxyzz[@`{"), ("KÜche", "kÜche"), ("\u{212A}", "\u{212A}"),
  ])
  func onlyLettersOfASCIIAreFolded(text: String, folded: String) {
    #expect(text.asciiLowercased == folded)
  }

  @Test(arguments: [
    ("", ""), (" ", ""), ("\t \t", ""), ("a", "a"), (" a b\t", "a b"), ("\u{A0}a\n", "\u{A0}a\n"), ("ü ", "ü"),
  ])
  func onlySpacesAndTabsAtTheEndsGo(text: String, trimmed: String) {
    #expect(text.trimmingSpace == trimmed)
    #expect("--\(text)".dropFirst(2).trimmingSpace == trimmed)
  }

  /// A mark that combines with a space makes it no other byte.
  @Test func bytesCountNotCharacters() {
    #expect(Array(" \u{301}a".trimmingSpace.unicodeScalars) == ["\u{301}", "a"])
  }
}
