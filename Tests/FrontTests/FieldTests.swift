import Front
import HTTPTypes
import Mesh
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

struct ViaTests {
  private static let via = Via(pseudonym: "hearth-1")

  @Test(arguments: [
    (["hearth-1"], true), (["other", "hearth-1"], true), (["hearth-12"], false), (["hearth"], false), ([], false),
    (["other; id=a", "hearth-1; id=aaaaaaaaaaaaa"], true), (["hearth-12; id=aaaaaaaaaaaaa"], false),
  ])
  func knowsItsOwnMark(_ values: [String], _ isKnown: Bool) {
    var fields = HTTPFields()
    for value in values { fields.append(HTTPField(name: .hearthVia, value: value)) }
    #expect(Self.via.marks(fields) == isKnown)
  }

  @Test func marksBehindTheOthers() {
    var fields: HTTPFields = [.via: "1.0 first", .hearthVia: "other"]
    let id = RequestID()
    Self.via.mark(request: &fields, id)
    #expect(fields[values: .via] == ["1.0 first"])
    #expect(fields[values: .hearthVia] == ["other", "hearth-1; id=\(id.text)"])
    #expect(Self.via.marks(fields) && RequestID(in: fields) == id)
    Self.via.mark(response: &fields, id)
    #expect(fields[.hearthRequestID] == id.text)
    #expect(fields[values: .via] == ["1.0 first", "1.1 hearth-1"])
    #expect(Via().pseudonym != Via().pseudonym)
  }
}
