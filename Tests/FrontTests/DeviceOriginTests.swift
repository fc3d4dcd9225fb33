import Front
import HTTPTypes
import HTTPX
import Testing
import XMPP

struct DeviceOriginTests {
  private static let lamp = DeviceOrigin(of: JID("lamp@pi")!, at: FrontAddress(port: 8332))
  private static let room = DeviceOrigin(of: JID("Living room@pi")!, at: FrontAddress(port: 80))

  @Test(arguments: [
    ("httpx://lamp@pi/a?b#c", "http://lamp--pi.localhost:8332/a?b#c"),
    ("httpx://lamp@pi", "http://lamp--pi.localhost:8332/"),
    ("HTTPX://LAMP@PI/A", "http://lamp--pi.localhost:8332/A"),
    ("http://lamp@pi/a", "http://lamp--pi.localhost:8332/a"),
    ("https://lamp%40pi/a", "http://lamp--pi.localhost:8332/a"),
    ("//lamp@pi/a", "http://lamp--pi.localhost:8332/a"),
    ("web+httpx://lamp@pi/", "http://lamp--pi.localhost:8332/"),
    // Other devices, by the one scheme that can mean them.
    ("httpx://tv@pi/x", "http://tv--pi.localhost:8332/x"),
  ])
  func referencesForTheBrowser(_ reference: String, _ result: String) {
    #expect(Self.lamp.forBrowser(reference) == result)
  }

  @Test(arguments: [
    "/a", "a/b?c", "", "?x", "#x", "../a:b//c", "http://tv@pi/x", "http://example.com/", "//example.com/x",
    "mailto:lamp@pi", "ftp://lamp@pi/", "httpx://lamp@pi:80/", "httpx:///x", "httpx://%zz/", "//", "http://",
    "/x?u=httpx://lamp@pi/",
  ])
  func whatIsNotAboutDevicesStays(_ reference: String) {
    #expect(Self.lamp.forBrowser(reference) == reference)
  }

  @Test(arguments: [
    ("http://lamp--pi.localhost:8332", "httpx://lamp@pi"),
    ("http://lamp--pi.localhost:8332/a?b", "httpx://lamp@pi/a?b"),
    ("http://lamp--pi.localhost:8332?b", "httpx://lamp@pi?b"),
    ("http://tv--pi.localhost:8332/", "httpx://tv@pi/"),
  ])
  func addressesForTheDevice(_ url: String, _ result: String) {
    #expect(Self.lamp.forDevice(url) == result)
  }

  @Test(arguments: [
    "null", "http://example.com/x", "http://hearth.localhost:8332/", "http://lamp--pi.localhost:83320/", "",
    "http://lamp--pi.localhost/", "http://lamp--pi.localhost:8332.evil.example/", "https://lamp--pi.localhost:8332/",
  ])
  func otherAddressesAreNoBusinessOfOurs(_ url: String) {
    #expect(Self.lamp.forDevice(url) == url)
  }

  @Test func namesThatNeedEscaping() {
    let origin = "http://x--\(Self.room.text.dropFirst("http://x--".count))"
    #expect(Self.room.text == origin && origin.hasSuffix(".localhost"))
    #expect(Self.room.forBrowser("httpx://Living%20room@pi/a") == origin + "/a")
    #expect(Self.room.forBrowser("httpx://living%20ROOM@pi/a") == origin + "/a")
    #expect(Self.room.forDevice(origin + "/a") == "httpx://Living%20room@pi/a")
  }

  @Test func theOriginIsKeptAsTheBrowserSpellsIt() {
    let dotted = DeviceOrigin(of: JID("lamp@pi")!, at: FrontAddress(port: 8332), as: "http://lamp--pi.localhost.:8332")
    #expect(dotted.forBrowser("httpx://lamp@pi/a") == "http://lamp--pi.localhost.:8332/a")
    #expect(dotted.forDevice("http://lamp--pi.localhost.:8332") == "httpx://lamp@pi")
  }

  private static func response(_ fields: HTTPFields) -> HTTPFields {
    var fields = fields
    lamp.adaptResponse(&fields, isTrusted: false)
    return fields
  }

  /// With `treat-as-public-address` Chromium keeps a page from its own WebSockets.
  @Test func aFriendsPageMayReachItsWebSockets() {
    var fields: HTTPFields = [.init("Clear-Site-Data")!: "\"cache\"", .strictTransportSecurity: "max-age=1"]
    Self.lamp.adaptResponse(&fields, isTrusted: true)
    #expect(
      fields == [
        .init("Clear-Site-Data")!: "\"cache\"", .init("X-Frame-Options")!: "SAMEORIGIN",
        .init("Referrer-Policy")!: "same-origin",
      ])
  }

  private static let added: HTTPFields = [
    .init("X-Frame-Options")!: "SAMEORIGIN", .init("Referrer-Policy")!: "same-origin",
    .contentSecurityPolicy: "treat-as-public-address",
  ]

  @Test func protectionIsAddedWhereTheDeviceIsSilent() {
    #expect(Self.response([:]) == Self.added)
    let result = Self.response([
      .init("x-frame-options")!: "DENY", .init("referrer-policy")!: "no-referrer",
      .contentSecurityPolicy: "default-src 'self'",
    ])
    #expect(result[values: .init("X-Frame-Options")!] == ["DENY"])
    #expect(result[values: .init("Referrer-Policy")!] == ["no-referrer"])
    #expect(result[values: .contentSecurityPolicy] == ["default-src 'self'", "treat-as-public-address"])
  }

  @Test func whatReachesBeyondTheOriginIsDropped() {
    let fields: HTTPFields = [
      .strictTransportSecurity: "max-age=31536000", .init("alt-svc")!: "h3=\":443\"",
      .init("CLEAR-SITE-DATA")!: "\"*\"", .init("Alt-Svc")!: "clear",
    ]
    #expect(Self.response(fields) == Self.added)
  }

  @Test func addressesAndCookiesAreAdapted() {
    var fields: HTTPFields = [
      .location: "httpx://lamp@pi/new", .contentLocation: "http://lamp@pi/here",
      .init("Refresh")!: "0; url=httpx://tv@pi/", .eTag: "\"httpx://lamp@pi/\"",
    ]
    fields.append(HTTPField(name: .setCookie, value: "a=1; Domain=pi.local; Path=/"))
    fields.append(HTTPField(name: .setCookie, value: "b=2; HttpOnly"))
    let result = Self.response(fields)
    #expect(result[.location] == "http://lamp--pi.localhost:8332/new")
    #expect(result[.contentLocation] == "http://lamp--pi.localhost:8332/here")
    #expect(result[.init("Refresh")!] == "0; url=http://tv--pi.localhost:8332/")
    #expect(result[.eTag] == "\"httpx://lamp@pi/\"")
    #expect(result[values: .setCookie] == ["a=1; Path=/", "b=2; HttpOnly"])
  }

  @Test func requestsNameTheDeviceByItsAddress() {
    let other = HTTPField.Name("X-Other")!
    var fields: HTTPFields = [
      .origin: "http://lamp--pi.localhost:8332", .referer: "http://lamp--pi.localhost:8332/a?b", .cookie: "a=1",
      other: "http://lamp--pi.localhost:8332/",
    ]
    Self.lamp.adaptRequest(&fields)
    let wanted: HTTPFields = [
      .origin: "httpx://lamp@pi", .referer: "httpx://lamp@pi/a?b", .cookie: "a=1",
      other: "http://lamp--pi.localhost:8332/", .init("X-Forwarded-Host")!: "lamp--pi.localhost:8332",
      .init("X-Forwarded-Proto")!: "http",
    ]
    #expect(fields == wanted)
  }
}
