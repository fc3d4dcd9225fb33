import Codecs
import Testing

struct RepresentationTests {
  @Test(arguments: [
    ([], Representation.text), (["*/*"], .text), (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*"], .html),
    (["application/json"], .json), (["Application/JSON; charset=utf-8"], .json),
    (["application/json, text/plain, */*"], .json), (["text/html;q=0.5, application/json"], .json),
    (["application/json;q=0.5", "text/html"], .html), (["text/html;q=0"], .text), (["text/html;q=bogus"], .text),
    (["image/png"], .text), (["text/plain, text/html"], .text), ([",,;;,"], .text),
    (["application/problem+json"], .json),
  ])
  func whatIsAcceptedMost(_ accept: [String], _ result: Representation) {
    #expect(Representation.preferred(accept) == result)
  }
}
