import Daemon
import FoundationEssentials
import HTTPTypes
import HTTPX
import TestKit
import Testing

@testable import CLI

struct CookieJarTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000)

  private static func jar(_ cookies: String..., at uri: String = "httpx://a@b/d/e") throws -> CookieJar {
    var jar = CookieJar()
    var response = HTTPResponse(status: .ok)
    for cookie in cookies { response.headerFields.append(HTTPField(name: .setCookie, value: cookie)) }
    jar.receive(response, from: try HTTPXURI(uri), now: now)
    return jar
  }

  private static func sent(_ jar: CookieJar, to uri: String) throws -> String? {
    jar.field(for: try HTTPXURI(uri), now: now)
  }

  @Test func cookiesGoBackToTheirDeviceAndPath() throws {
    let jar = try Self.jar("a=1; Path=/; HttpOnly", "b = 2 ;Path=/d/e", "c=3", "d=4; Path=/other", "nothing", "=x")
    #expect(try Self.sent(jar, to: "httpx://a@b/d/e?q") == "b=2; c=3; a=1")
    #expect(try Self.sent(jar, to: "httpx://A@B/d/f") == "c=3; a=1")
    #expect(try Self.sent(jar, to: "httpx://a@b/dd") == "a=1")
    #expect(try Self.sent(jar, to: "httpx://c@b/d/e") == nil)
  }

  @Test func cookiesEnd() throws {
    var jar = try Self.jar(
      "a=1; Max-Age=10", "b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "c=3; Expires=Wed, 21-Oct-2099 07:28:00 GMT",
      "d=4")
    #expect(try Self.sent(jar, to: "httpx://a@b/d/") == "a=1; c=3; d=4")
    #expect(jar.field(for: try HTTPXURI("httpx://a@b/d/"), now: Self.now + 11) == "c=3; d=4")
    jar.receive(
      HTTPResponse(status: .ok, headerFields: [.setCookie: "c=; Max-Age=0"]), from: try HTTPXURI("httpx://a@b/d/x"),
      now: Self.now)
    #expect(try Self.sent(jar, to: "httpx://a@b/d/") == "a=1; d=4")
  }

  /// As curl writes and reads it.
  @Test func theFileIsNetscapes() throws {
    try TemporaryFolder.with { folder in
      let jar = try Self.jar("a=1; Path=/; HttpOnly; Max-Age=100", "b=2; Path=/; Secure")
      #expect(jar.text.contains("#HttpOnly_a--b.localhost\tFALSE\t/\tFALSE\t1800000100\ta\t1\n"))
      try FileBytes.replace("\(folder)/jar", in: folder, with: Array(jar.text.utf8))
      var read = CookieJar()
      try read.read("\(folder)/jar")
      #expect(read.cookies == jar.cookies && read.isUsed)
      try read.read("\(folder)/none")
      let failure = #expect(throws: CommandFailure.self) { try read.read(folder) }
      #expect(failure?.status == .readError)
    }
  }
}
