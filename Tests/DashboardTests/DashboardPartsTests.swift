import FoundationEssentials
import Front
import HTTPEdge
import HTTPTypes
import HTTPX
import TestKit
import Testing
import Trust
import XMPP

@testable import Dashboard
@testable import Mesh

/// Routes, forms and pages, without a socket.
struct DashboardPartsTests {
  private static let id = NodeID(digest: [UInt8](repeating: 7, count: 32))!

  @Test func routesAreReadAsTheyAreWritten() throws {
    let jids = ["thermostat@pi", "Living room@pi", "a/b?c#d@pi", "..", "100%@pi", "ä@ö", "a&b'c\"<d>@pi"]
    var routes = jids.compactMap { JID($0) }.flatMap { [DashboardRoute.ask($0), .befriend($0), .icon($0)] }
    for name in ["tv", "Our photos", "a/b", "50%"] { routes.append(.stop(name)) }
    routes += [.accept(Self.id), .reject(Self.id), .withdraw(Self.id), .rename(Self.id)]
    routes += [.remove(Self.id), .block(Self.id), .unblock(Self.id)]
    routes += [.list, .script, .live, .open, .confirmPairing, .cancelPairing, .closePermit, .invite, .join, .serve]
    #expect(routes.count == 3 * jids.count + 21)
    for route in routes {
      #expect(DashboardRoute(route.path) == route, "\(route.path)")
      #expect(DashboardRoute(route.path + "?x=/y") == route)
    }
  }

  @Test(arguments: [
    "", "*", "//", "/x", "/ask", "/ask/", "/ask/a/b", "/ask/%zz", "/ask/%00", "/requests", "/requests/x/accept",
    "/requests/\(id)", "/requests/\(id)/", "/requests/\(id)/accept/", "/pairing", "/pairing/", "/permit", "/ask//a",
    "/befriend/", "/Pairing/cancel", "x/pairing/cancel", "/requests//accept", "/services/", "/services//stop",
    "/services/a/start", "/services/%zz/stop", "/nodes/\(id)/accept", "/friends/x/remove", "/live/", "/asked/\(id)",
  ])
  func otherPathsLeadNowhere(_ path: String) {
    #expect(DashboardRoute(path) == nil)
  }

  @Test(arguments: [
    ("petname=anna", "anna"), ("petname=+anna++b+", "anna b"), ("x=y&petname=%61nna&z", "anna"), ("petname", nil),
    ("petname=", nil), ("petname=++", nil), ("", nil), ("&&=&petname=a&petname=b", "b"), ("petname=%zz", nil),
    ("petname=%ff", nil), ("petname=a=b", "a=b"), ("p%65tname=a%26b", "a&b"), ("Petname=a", nil),
  ])
  func formsAreRead(_ text: String, _ petname: String?) {
    #expect(FormFields(text)["petname"] == petname)
  }

  @Test func strangersCannotWriteIntoTheDashboard() async throws {
    let trustService = try TrustService.fresh()
    let script = "\"><script>alert(1)</script><form action=//evil>"
    await trustService.received(
      .subscribe(FriendRequest(greeting: script)),
      from: .of(Self.id, JID(script), from: "<i>"))
    let home = Home.made(of: [], trustService.current)
    let text = home.parts.flatMap(\.items).map(\.html).joined()
    #expect(text.contains("&lt;script&gt;alert(1)") && text.contains("from &lt;i&gt;"))
    #expect(!text.contains("<script") && !text.contains("<i>") && !text.contains("action=//evil>\n"))
    #expect(text.components(separatedBy: "<form").count == 4)
    // Somebody may be typing.
    #expect(try await ProblemTests.text(of: DashboardPage(home: home).response()).contains("refresh") == false)
  }

  @Test func thePagesOfAskingQuoteWhatDevicesSay() async throws {
    let jid = try #require(JID("\"><script>x</script>@pi"))
    let standings: [Standing] = [
      .stranger, .plaintext, .blocked, .self, .friend(try Petname("pi")), .changed(expected: Self.id, seen: nil),
      .mismatch(announced: "<script>", seen: nil),
    ]
    for standing in standings {
      let device = Device(
        jid: jid, name: "<script>", state: .online, isLocal: false, http: nil, status: "", message: nil, endpoints: [],
        seen: .now, standing: standing, node: Self.id)
      let book = try TrustService.fresh().current
      let page = AskPage(
        front: FrontAddress(port: 8332), device: device, friendship: FriendshipState(device, book), own: book.own,
        declined: .now, mayChange: true)
      let text = try await ProblemTests.text(of: page.response())
      #expect(!text.contains("<script"), "\(standing)")
      for reader in [book, nil] {
        let list = Home.made(of: [device], reader).parts.flatMap(\.items).map(\.html).joined()
        #expect(!list.contains("<script") && list.contains("&lt;script&gt;"), "\(standing)")
        #expect(list.contains("CHANGED") == (standing.word == "CHANGED"))
      }
    }
  }

  @Test func onlySoManyAnswersAreRemembered() {
    let declined = DeclinedRequests()
    for number in 0...DashboardLimits.declinedRequests { declined.note(JID("a\(number)@pi")!, at: .now) }
    #expect(declined.time(of: JID("a0@pi")!) == nil && declined.time(of: JID("a1@pi")!) != nil)
    declined.forget(JID("a1@pi")!)
    #expect(declined.time(of: JID("a1@pi")!) == nil)
  }
}
