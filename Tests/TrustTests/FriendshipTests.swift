import Testing
import Trust
import XML
import XMPP

@Suite struct FriendshipTests {
  @Test func presenceAndBack() throws {
    let rotation = KeyRotation(old: [1, 2], new: [3], signature: [4, 5, 6])
    let all: [Friendship] = [
      .subscribe(FriendRequest()), .subscribed, .unsubscribe, .unsubscribed, .later,
      .subscribe(FriendRequest(greeting: "hello", token: Array(0..<16), rotations: [rotation, rotation])),
    ]
    for friendship in all {
      let stanza = friendship.stanza(from: annasLaptop, to: thermostat)
      #expect(stanza.from == annasLaptop && stanza.to == thermostat && stanza.kind == .presence)
      let read = try #require(Stanza(stanza.element))
      #expect(Friendship(read) == friendship)
    }
  }

  @Test func otherStanzasAreNone() {
    #expect(Friendship(Stanza(.presence)) == nil)
    #expect(Friendship(Stanza(.presence, type: "probe")) == nil)
    #expect(Friendship(Stanza(.message, type: "subscribe")) == nil)
    #expect(Friendship(Stanza(.presence, type: "error", [StanzaError(.forbidden).element])) == nil)
  }

  @Test func aBrokenTokenStaysOne() throws {
    let stanza = Stanza(.presence, type: "subscribe", [Element("invite", namespace: Namespace.invite, text: "?")])
    var book = newBook()
    let friendship = try #require(Friendship(stanza))
    #expect(book.received(friendship, from: peer(anna), now: start).sent == [.unsubscribed])
    #expect(book.requests.isEmpty)
  }

  @Test func greetingsAreOnePrintableLine() {
    #expect(FriendRequest(greeting: " a\n\u{1B}[2Jb\u{9B}c\u{202E}d \u{2066}e\u{0}").greeting == "a [2Jb cd e")
    #expect(FriendRequest(greeting: "\n\t").greeting == nil)
    #expect(FriendRequest(greeting: "Grüße von Anna 👋").greeting == "Grüße von Anna 👋")
    let long = FriendRequest(greeting: String(repeating: "ö", count: 5000)).greeting ?? ""
    #expect(long.utf8.count == TrustLimits.greetingBytes)
  }
}
