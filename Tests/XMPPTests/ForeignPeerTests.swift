import NIOCore
import Testing
import XML
import XMPP

/// A scripted peer for each client that is known: what it opens with, and what must come of it.
@Suite struct ForeignPeerTests {
  struct Script: Sendable, CustomTestStringConvertible {
    let name: String
    let header: String
    /// What it takes to have features sent to it.
    let knowsFeatures: Bool
    /// Whether it says who it is.
    var isNamed = true
    var testDescription: String { name }
  }

  static let initiators = [
    Script(name: "Pidgin", header: Header.pidgin, knowsFeatures: false),
    Script(name: "Gajim", header: Header.gajim, knowsFeatures: true),
    Script(name: "Adium", header: Header.adium, knowsFeatures: false),
    Script(name: "Kopete", header: Header.kopete, knowsFeatures: false),
    Script(name: "Kopete without names", header: Header.kopeteNameless, knowsFeatures: false, isNamed: false),
    Script(name: "Salut", header: Header.salut, knowsFeatures: true),
    Script(name: "gloox", header: Header.gloox, knowsFeatures: true),
    Script(name: "Jitsi", header: Header.jitsi, knowsFeatures: false, isNamed: false),
    Script(name: "kaa", header: Header.kaa, knowsFeatures: true),
    Script(name: "libschnee", header: Header.libschnee, knowsFeatures: true),
    Script(name: "Smack", header: Header.smack, knowsFeatures: true),
    Script(name: "iChat", header: Header.iChat, knowsFeatures: false, isNamed: false),
  ]

  static let message =
    "<message from='mercutio@forza' to='juliet@pronto' type='chat'><body>hi</body></message>\n"
    + "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"

  @Test(arguments: initiators, [Int.max, 1]) func dialsUs(script: Script, piece: Int) {
    let wire = Wire.responder()
    // Header, features of an initiator and stanzas in one burst, before it has seen anything of ours.
    wire.feed(script.header + "<stream:features/>" + Self.message, piece: piece)
    let sender = script.isNamed ? romeo : nil
    #expect(wire.peers.map(\.remote) == [sender])
    #expect(wire.peers.map(\.local) == [juliet])
    #expect(wire.stanzas.map(\.body) == ["hi", nil])
    #expect(wire.stanzas.map(\.from) == [sender, sender], "whatever the stanza says")
    #expect(wire.stanzas.map(\.to) == [juliet, juliet])
    #expect(wire.features == [StreamFeatures()])
    #expect(wire.written.hasPrefix("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http"))
    #expect(wire.written.contains(" from='juliet@pronto'"))
    #expect(wire.written.contains(" to='romeo@forza'") == script.isNamed)
    #expect(wire.written.contains(script.knowsFeatures ? " id='id1' version='1.0'>" : " id='id1'>"))
    #expect(wire.written.contains("<stream:features>") == script.knowsFeatures)
    // It hangs up without a word.
    wire.endInput()
    #expect(wire.ends == [.hungUp])
    wire.expectOver()
  }

  static let responders: [(String, String)] = [
    ("Pidgin", Header.pidgin), ("Gajim", Header.gajim), ("Adium", Header.adium), ("Kopete", Header.kopeteNameless),
    ("Salut", Header.salutResponse + "<stream:features/>"), ("gloox", Header.gloox), ("Jitsi", Header.jitsi),
    ("kaa", Header.kaaResponse), ("libschnee", Header.libschnee), ("Smack", Header.smack), ("iChat", Header.iChat),
  ]

  @Test(arguments: responders, [Int.max, 1]) func isDialled(peer: (name: String, header: String), piece: Int) {
    let wire = Wire.initiator()
    #expect(wire.send(.chat("too early")) == .tooEarly)
    wire.feed(peer.header, piece: piece)
    #expect(wire.peers.map(\.remote) == [romeo])
    #expect(wire.peers.map(\.local) == [juliet])
    #expect(wire.send(.chat("hi")) != .tooEarly, "no wait for features that may never come")
    wire.feed(Self.message, piece: piece)
    #expect(wire.stanzas.map(\.from) == [romeo, romeo])
    wire.feed("</stream:stream>", piece: piece)
    #expect(wire.ends == [.closedByPeer(nil)])
    wire.expectOver()
  }

  @Test(arguments: [Int.max, 1]) func aHeaderThatIsNotXMLEndsThatStreamOnly(piece: Int) {
    for wire in [Wire.responder(), Wire.initiator()] {
      wire.feed(Header.jitsiBroken, piece: piece)
      #expect(wire.written.hasPrefix("<?xml version='1.0'?><stream:stream "))
      #expect(wire.written.hasSuffix("</stream:error></stream:stream>"))
      #expect(wire.written.contains("<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"))
      #expect(wire.peers.isEmpty)
      wire.expectOver()
    }
  }

  @Test(arguments: [Int.max, 1]) func anUnescapedBodyEndsThatStreamOnly(piece: Int) {
    let wire = Wire.responder()
    wire.feed(Header.kopete + "<message><body>a & b < c</body></message>", piece: piece)
    #expect(wire.stanzas.isEmpty)
    #expect(wire.written.hasSuffix("</stream:error></stream:stream>"))
    guard case .violated(let error) = wire.ends.first else {
      Issue.record("ended otherwise: \(wire.ends)")
      return
    }
    #expect(error.condition == .notWellFormed)
    wire.expectOver()
  }
}
