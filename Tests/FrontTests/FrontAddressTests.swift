import Front
import HTTPX
import Testing
import XMPP

struct FrontAddressTests {
  @Test(arguments: [
    (8332, "http://hearth.localhost:8332/", "http://thermostat--pi.localhost:8332"),
    (80, "http://hearth.localhost/", "http://thermostat--pi.localhost"),
  ])
  func addresses(_ port: Int, _ dashboard: String, _ origin: String) throws {
    let front = FrontAddress(port: port)
    #expect(front.dashboard == dashboard)
    #expect(FrontAddress(dashboard: dashboard) == front)
    let device = try #require(JID("Thermostat@pi"))
    #expect(front.origin(of: device) == origin)
    #expect(front.url(of: device) == origin + "/")
    #expect(front.url(of: try HTTPXURI("httpx://thermostat@pi/a?b#c")) == origin + "/a?b#c")
  }

  @Test(arguments: [
    "", "http://hearth.localhost:8332", "https://hearth.localhost:8332/", "http://other.localhost:8332/",
  ])
  func otherDashboardsAreNone(_ url: String) {
    #expect(FrontAddress(dashboard: url) == nil)
  }

  @Test(arguments: [
    ("Thermostat--Pi.LOCALHOST:8332", "thermostat--pi.localhost"), ("a.localhost.:8332", "a.localhost"),
    ("[::1]:8332", "[::1]"), ("a..:8332", "a."),
    ("a.localhost", nil), ("a.localhost:", nil), ("a.localhost:80", nil), ("a.localhost:08332", nil), (":8332", nil),
    (".:8332", nil), ("", nil), ("a b:8332", nil), ("\u{212A}itchen--pi.localhost:8332", nil), ("a\u{0}:8332", nil),
    // A combining character behind the colon: the same bytes are not the same characters.
    ("a:\u{0301}8332", nil),
  ])
  func hosts(_ authority: String, _ host: String?) {
    #expect(FrontAddress(port: 8332).host(ofAuthority: authority) == host)
  }

  @Test(arguments: [
    ("a.localhost", "a.localhost"), ("a.localhost:80", "a.localhost"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]"),
    ("a:81", nil), ("[::1]:81", nil), ("a:b:80", nil), ("[::1]:81:80", nil), ("a:80:80", nil),
  ])
  func port80MayGoUnsaid(_ authority: String, _ host: String?) {
    #expect(FrontAddress(port: 80).host(ofAuthority: authority) == host)
  }

  @Test(arguments: [
    ("a--b.localhost", "a--b"), ("a.b.localhost", "a.b"), ("localhost", nil), (".localhost", nil),
    ("localhost.example", nil), ("alocalhost", nil),
  ])
  func labels(_ host: String, _ label: String?) {
    #expect(FrontAddress.label(ofHost: host) == label)
  }
}
