import Front
import HTTPTypes
import Testing

struct CookieTests {
  @Test(arguments: [
    ("a=b", "a=b"), ("a=b; Domain=pi.local", "a=b"), ("a=b;domain=pi.local;Path=/", "a=b;Path=/"),
    ("a=b; DOMAIN = .pi.local ; Secure", "a=b; Secure"), ("a=b; Domain; Path=/", "a=b; Path=/"),
    ("domain=x; Path=/", "domain=x; Path=/"), ("a=domain=x; Path=/", "a=domain=x; Path=/"),
    ("a=b; Domain=x; Domain=y; HttpOnly", "a=b; HttpOnly"), ("a=b; XDomain=x", "a=b; XDomain=x"), ("", ""), (";", ";"),
    ("a=b; Path=/domain=x", "a=b; Path=/domain=x"), ("a=b;\tDomain=x", "a=b"),
    ("__Host-a=b; Secure; Path=/", "__Host-a=b; Secure; Path=/"),
  ])
  func domainsAreDropped(_ cookie: String, _ result: String) {
    #expect(Cookie.withoutDomain(cookie) == result)
  }
}

struct RefreshTests {
  @Test(arguments: [
    ("5", "5"), ("", ""), ("0; url=/a", "0; url=</a>"), ("0;URL='/a'", "0;URL='</a>'"),
    ("3,url = \"/a\"; b", "3,url = \"</a>\"; b"), ("1.5 ; /a", "1.5 ; </a>"), ("0; urls", "0; <urls>"),
    (" 0 ; url=/a?b;c", " 0 ; url=</a?b;c>"), ("0; url=", "0; url="), ("0; url='", "0; url='"), ("0 /a", "0 </a>"),
  ])
  func itsURLIsMapped(_ value: String, _ result: String) {
    #expect(Refresh.mapping(value) { "<\($0)>" } == result)
  }
}

struct ViaTests {
  private static let via = Via(pseudonym: "hearth-1")

  @Test(arguments: [
    (["1.1 hearth-1"], true), (["1.1 other, 1.1 hearth-1 (Hearth)"], true), (["1.1 a", "HTTP/1.1 hearth-1"], true),
    (["1.1 hearth-12"], false), (["1.1 hearth"], false), ([], false), (["1.1 x,1.1\thearth-1,1.1 y"], true),
  ])
  func knowsItsOwnMark(_ values: [String], _ isKnown: Bool) {
    var fields = HTTPFields()
    for value in values { fields.append(HTTPField(name: .via, value: value)) }
    #expect(Self.via.marks(fields) == isKnown)
  }

  @Test func marksBehindTheOthers() {
    var fields: HTTPFields = [.via: "1.0 first"]
    Self.via.mark(&fields)
    #expect(fields[values: .via] == ["1.0 first", "1.1 hearth-1"])
    #expect(Self.via.marks(fields))
    #expect(Via().pseudonym != Via().pseudonym)
  }
}
