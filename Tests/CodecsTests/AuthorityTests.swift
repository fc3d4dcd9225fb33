import Codecs
import Testing

struct AuthorityTests {
  @Test(
    arguments: [
      ("pi.local", "pi.local", nil), ("pi.local:80", "pi.local", "80"), ("pi.local:", "pi.local", ""),
      ("[::1]", "[::1]", nil),
      ("[::1]:8332", "[::1]", "8332"), ("", "", nil), ("a:b:1", "a:b", "1"),
      ("[::1]\u{0301}", "[::1]\u{0301}", nil), ("a:\u{0301}1", "a", "\u{0301}1"),
    ] as [(String, Substring, Substring?)])
  func hostAndPort(_ authority: String, _ host: Substring, _ port: Substring?) {
    let parts = Authority.split(authority)
    #expect(parts.host == host && parts.port == port)
  }
}
