import Codecs
import Testing

struct HTMLTests {
  @Test(arguments: [
    ("", ""), ("plain ümlaut", "plain ümlaut"), ("<script>", "&lt;script&gt;"), ("a&amp;b", "a&amp;amp;b"),
    ("\" onerror='x'", "&quot; onerror=&#39;x&#39;"), ("e\u{301}<", "e\u{301}&lt;"), ("<\u{301}", "&lt;\u{301}"),
  ])
  func nothingOfATextIsMarkup(_ text: String, _ escaped: String) {
    #expect(HTML.escaped(text).utf8.elementsEqual(escaped.utf8))
  }
}
