import Codecs
import FoundationEssentials
import Front
import HTTPEdge
import HTTPTypes
import HTTPX
import NIOCore
import TestKit
import Testing
import Trust
import XMPP

@testable import Dashboard
@testable import Mesh

struct ProblemTests {
  private static let jid = JID("<lamp>@pi")!
  private static let then = Date(timeIntervalSince1970: 1_800_000_000)

  private static func problem(_ code: MeshError.Code, _ message: String = "Why.", seen: Date? = nil) -> Problem {
    Problem(MeshError(code, device: jid, message: message, lastSeen: seen))
  }

  private static func answer(_ problem: Problem, accept: String? = nil) async throws -> (Response, String) {
    var request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")
    request.headerFields[.accept] = accept
    let response = problem.response(to: request, by: "hearth@laptop", dashboard: "http://hearth.localhost:8332/")
    return (response, try await text(of: response))
  }

  static func text(of response: Response) async throws -> String {
    String(buffer: try await response.body.collect(upTo: 1 << 20))
  }

  /// RFC 9209 §2.3, and the statuses of RFC 9110.
  @Test(arguments: [
    (MeshError.Code.notDiscovered, 502, "destination_not_found"), (.away, 502, "destination_unavailable"),
    (.refused, 502, "connection_refused"), (.unanswered, 504, "connection_timeout"),
    (.timedOut, 504, "http_response_timeout"), (.notHTTP, 502, "http_protocol_error"),
    (.forbidden, 403, "http_request_denied"), (.limit, 503, "connection_limit_reached"),
    (.protocolError, 502, "http_protocol_error"), (.connectionLost, 502, "connection_terminated"),
    (.noUpgrade, 501, "http_upgrade_failed"), (.changed, 502, "tls_certificate_error"),
    (.insecure, 502, "tls_protocol_error"),
  ])
  func everyFailureHasAStatusAndAName(_ code: MeshError.Code, _ status: Int, _ error: String) async throws {
    let (response, text) = try await Self.answer(Self.problem(code))
    #expect(response.status.code == status)
    #expect(response.headers[.proxyStatus] == "\"hearth@laptop\"; error=\(error); details=\"Why.\"")
    #expect(response.headers[.retryAfter] == (code == .limit ? "5" : nil))
    #expect(response.headers[.cacheControl] == "no-store")
    #expect(text == "Why.\n")
  }

  @Test func noFailureIsMissingAbove() {
    #expect(MeshError.Code.allCases.count == 13)
  }

  @Test(arguments: [
    ("a \"quoted\\ word", #"a \"quoted\\ word"#), ("“lamp@pi”", "'lamp@pi'"), ("ä\r\nX: y\u{0}", "???X: y?"),
  ])
  func detailsAreAQuotedStringWhateverADeviceSays(_ message: String, _ details: String) {
    let text = Self.problem(.away, message).proxyStatus(by: "hearth@laptop").text
    #expect(text == "\"hearth@laptop\"; error=destination_unavailable; details=\"\(details)\"")
  }

  @Test func pagesAreForPeople() async throws {
    let (response, text) = try await Self.answer(
      Self.problem(.away, "<b>Gone</b>", seen: Self.then), accept: "text/html")
    #expect(response.headers[.contentType] == "text/html; charset=utf-8")
    #expect(response.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
    #expect(text.contains("<h1>&lt;lamp&gt;@pi is away</h1>"))
    #expect(text.contains("&lt;b&gt;Gone&lt;/b&gt;"))
    #expect(text.contains("2027-01-15 08:00 UTC"))
    #expect(text.contains("href=\"http://hearth.localhost:8332/\""))
    #expect(!text.contains("<lamp>") && !text.contains("<b>"))
  }

  @Test func jsonIsForPrograms() async throws {
    let (response, text) = try await Self.answer(Self.problem(.refused, "a/b"), accept: "application/json")
    #expect(response.headers[.contentType] == "application/json")
    #expect(text == #"{"device":"<lamp>@pi","error":"connection_refused","message":"a/b"}"# + "\n")
  }

  @Test func devicesCannotWriteIntoTheDashboard() async throws {
    let jid = try #require(JID("\"><script>x</script>@pi"))
    let device = Device(
      jid: jid, name: "<img src=x>", state: .away, isLocal: false, http: nil, status: "", message: "<script>",
      endpoints: [], seen: Self.then, standing: .stranger, node: nil)
    let text = Home.made(of: [device], nil, now: Self.then).parts.flatMap(\.items).map(\.html).joined()
    #expect(!text.contains("<script") && !text.contains("<img"))
    #expect(text.contains("&lt;img src=x&gt;") && text.contains("last seen"))
  }

  @Test func anAppThatIsDownIsSaidSo() async throws {
    let jid = try #require(JID("tv@pi"))
    let device = Device(
      jid: jid, name: "tv", state: .online, isLocal: true, http: true, status: "", message: nil, endpoints: [],
      seen: Self.then, standing: .self, node: nil)
    func page(_ health: Health, problem: String? = nil, isOwner: Bool = false) throws -> String {
      let service = NodeStatus.Served(
        name: "tv", wanted: jid, jid: jid, target: "/home/<a>", policy: try AccessPolicy(access: .friends),
        problem: nil,
        health: HealthReport(health, since: Self.then))
      let book = isOwner ? try TrustService.fresh().current : nil
      return Home.made(of: [device], book, services: [service], problem: problem, now: Self.then).parts
        .flatMap(\.items).map(\.html).joined()
    }
    // Why is for the owner: it may name files of theirs.
    let down = Health.down("/home/<a>: no such folder")
    let text = try page(down)
    #expect(text.contains("its app does not answer, since <time") && !text.contains("/home/"))
    #expect(text.contains("The app of <b><bdi>tv</bdi></b> does not answer, since"))
    #expect(try page(down, isOwner: true).contains("does not answer: /home/&lt;a&gt;: no such folder, since <time"))
    let (good, deaf) = (try page(.ok), try page(.ok, problem: "no <D-Bus>"))
    #expect(deaf.contains("Nobody is heard of at the moment") && deaf.contains("no &lt;D-Bus&gt;"))
    #expect(!good.contains("heard of at the moment"))
    #expect(good.contains("its app answers, since <time"))
  }

  @Test func theConfirmationStaysAtTheDevice() async throws {
    let page = Confirmation(of: Self.jid, at: "http://lamp--pi.localhost:8332", path: "//evil.example/\"><b>?a&b")
    let text = try await Self.text(of: page.response())
    #expect(text.contains("href=\"http://lamp--pi.localhost:8332//evil.example/&quot;&gt;&lt;b&gt;?a&amp;b\""))
  }
}
