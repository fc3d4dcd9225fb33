import Codecs
import HTTPTypes
import Testing

/// RFC 9209, and the structured fields of RFC 9651.
struct ProxyStatusTests {
  private static func members(_ values: String...) -> [ProxyStatus] {
    var fields: HTTPFields = [:]
    for value in values { fields.append(HTTPField(name: .proxyStatus, value: value)) }
    return fields.proxyStatus
  }

  @Test(arguments: [
    (ProxyStatus("a@b"), #""a@b""#), (ProxyStatus("a@b", error: "dns_error"), #""a@b"; error=dns_error"#),
    (ProxyStatus("a\"b\\", error: "e", details: "“x”,\n;ä"), #""a\"b\\"; error=e; details="'x',?;?""#),
  ])
  func aMemberIsWritten(_ status: ProxyStatus, _ text: String) {
    #expect(status.text == text)
  }

  /// The examples of RFC 9209 §2 among them.
  @Test func membersAreRead() {
    #expect(Self.members() == [] && Self.members("") == [] && Self.members(" , ") == [])
    #expect(
      Self.members("revproxy1.example.net, ExampleCDN; received-status=503; error=http_response_timeout") == [
        ProxyStatus("revproxy1.example.net"), ProxyStatus("ExampleCDN", error: "http_response_timeout"),
      ])
    #expect(
      Self.members(#""a, b; c"; details="x=\"y\", z";error = e"#, "last") == [
        ProxyStatus("a, b; c", error: "e", details: #"x="y", z"#), ProxyStatus("last"),
      ])
    #expect(Self.members(#"a; details="not closed"#).map(\.proxy) == ["a"])
  }

  @Test func theLastWordStandsLast() {
    var fields: HTTPFields = [:]
    fields.append(ProxyStatus("app@pi", error: "dns_error"))
    #expect(fields[.proxyStatus] == #""app@pi"; error=dns_error"#)
    fields.append(HTTPField(name: .proxyStatus, value: "nginx"))
    fields.append(ProxyStatus("hearth@laptop"))
    #expect(fields[values: .proxyStatus] == [#""app@pi"; error=dns_error, nginx, "hearth@laptop""#])
  }
}
