import Codecs
import Testing

@Suite struct RequestTargetTests {
  @Test(
    arguments: [
      ("/", .origin), ("/a?b", .origin), ("//host/", .origin), ("/ä", .origin), ("*", .asterisk),
      ("**", .absoluteOrAuthority),
      ("http://h/", .absoluteOrAuthority), ("h:443", .absoluteOrAuthority), ("?a", .absoluteOrAuthority),
    ] as [(String, RequestTarget.Form)])
  func forms(text: String, form: RequestTarget.Form) throws {
    #expect(try #require(RequestTarget(text)).form == form)
  }

  @Test(arguments: ["", " ", "/a b", "/a\r\nb", "/a\tb", "/\u{7F}", "/a#b", "/\u{0}"])
  func whatNoRequestLineCarries(text: String) {
    #expect(RequestTarget(text) == nil)
  }

  @Test(arguments: [
    ("/a?b?c", "/a", "?b?c"), ("/a", "/a", ""), ("/?", "/", "?"), ("/a?\u{301}b", "/a", "?\u{301}b"),
  ])
  func pathAndQuery(text: String, path: String, query: String) throws {
    let target = try #require(RequestTarget(text))
    #expect(Array(target.path.utf8) == Array(path.utf8))
    #expect(Array(target.query.utf8) == Array(query.utf8))
  }

  @Test(arguments: [
    ("/", true), ("/a//b", true), ("//host/", true), ("/\\host/", false), ("*", false), ("http://h/", false),
  ])
  func otherHosts(text: String, stays: Bool) throws {
    #expect(try #require(RequestTarget(text)).staysAtHost == stays)
  }

  @Test func bytesBeyondASCII() {
    #expect(RequestTarget("/a")?.isASCII == true)
    #expect(RequestTarget("/ä")?.isASCII == false)
  }
}
