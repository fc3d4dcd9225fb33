import FoundationEssentials
import TestKit
import Testing
import XMPP

@testable import Trust

/// By which account a friend can be reached.
struct AccountTests {
  @Test func aFriendsWordIsKept() throws {
    var book = try book(with: anna, named: "anna", at: annasLaptop)
    let told = book.told(JID("anna@example.org"), by: anna, now: start)
    #expect(told.first == .persist && told.events.map(\.name) == ["friend-account"])
    #expect(book.told(JID("anna@example.org"), by: anna, now: start + 1).isEmpty)
    #expect(try reload(book).friend(anna)?.account == JID("anna@example.org"))
    #expect(book.told(nil, by: anna, now: start + 2).contains(.persist))
    #expect(book.friend(anna)?.account == nil)
  }

  @Test func strangersAndLongAddressesAreNot() throws {
    var book = try book(with: anna, named: "anna")
    #expect(book.told(JID("bob@example.org"), by: bob, now: start).isEmpty)
    let long = JID("anna@" + String(repeating: "a", count: TrustLimits.accountBytes))
    #expect(long != nil && book.told(long, by: anna, now: start).isEmpty)
  }

  /// Each word is a write to disk: what is too often is not heard.
  @Test func oftenIsNotAlways() throws {
    var book = try book(with: anna, named: "anna")
    var written = 0
    for number in 0..<1000 {
      written += book.told(JID("anna@\(number).example.org"), by: anna, now: start).isEmpty ? 0 : 1
    }
    #expect(written == TrustLimits.requestBurst)
  }
}
