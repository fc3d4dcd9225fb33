import NIOCore
import Testing
import XML
import XMPP

/// What a responder answers to `<auth/>` (RFC 6120 §6).
@Suite struct SASLTests {
  static func secured(_ header: String = Header.salut) -> Wire {
    let wire = Wire.responder(tls: .preferred)
    wire.feed(Header.salut)
    wire.feed(Say.startTLS)
    wire.secure()
    wire.feed(header)
    return wire
  }

  /// `romeo@forza`, `romeo@forza/orchard`, none.
  @Test(arguments: ["cm9tZW9AZm9yemE=", "cm9tZW9AZm9yemEvb3JjaGFyZA==", "="], [Int.max, 1])
  func whoItIsSucceeds(response: String, piece: Int) {
    let wire = Self.secured()
    #expect(wire.new { wire.feed(Say.auth(response), piece: piece) } == [write(Say.success), .restart])
    wire.feed(Header.salut, piece: piece)
    #expect(wire.peers.map(\.key) == [romeosKey])
  }

  static let failures: [(String, SASL.Condition)] = [
    (Say.auth("=", mechanism: "PLAIN"), .invalidMechanism), (Say.auth("=", mechanism: ""), .invalidMechanism),
    (Say.auth("=", mechanism: "external"), .invalidMechanism),
    ("<auth xmlns='\(Namespace.sasl)'>=</auth>", .invalidMechanism),
    (Say.auth("cm9tZW9AZm9yemE"), .incorrectEncoding), (Say.auth("r%meo"), .incorrectEncoding),
    (Say.auth(" = "), .incorrectEncoding), (Say.auth("cm9t\nZW9AZm9yemE="), .incorrectEncoding),
    // juliet@pronto, a NUL, bytes that are no UTF-8.
    (Say.auth("anVsaWV0QHByb250bw=="), .invalidAuthzid), (Say.auth("AA=="), .invalidAuthzid),
    (Say.auth("//79"), .invalidAuthzid), ("<abort xmlns='\(Namespace.sasl)'/>", .aborted),
  ]

  @Test(arguments: failures) func failuresAreNamed(bytes: String, condition: SASL.Condition) {
    let wire = Self.secured()
    #expect(wire.new { wire.feed(bytes) } == [write(Say.saslFailure(condition.rawValue))])
    // It may try again.
    #expect(wire.new { wire.feed(Say.auth("=")) } == [write(Say.success), .restart])
  }

  @Test(arguments: failures) func threeFailuresAreEnough(bytes: String, condition: SASL.Condition) {
    let wire = Self.secured()
    wire.feed(bytes + bytes)
    #expect(wire.ends.isEmpty)
    wire.feed(bytes)
    #expect(wire.ends.map(\.condition) == [.policyViolation])
    #expect(wire.written.components(of: Say.saslFailure(condition.rawValue)) == 3)
    wire.expectOver()
  }

  @Test func afterAFailureTheStreamMayGoOnWithout() {
    let wire = Self.secured()
    wire.feed(Say.auth("=", mechanism: "PLAIN") + Say.message)
    #expect(wire.peers.map(\.key) == [romeosKey])
    #expect(wire.stanzas.count == 1)
  }

  /// A header without `from` names nobody who could be acted for.
  @Test func aNamelessPeerIsNobody() {
    let wire = Self.secured(Header.salut.replacing(" from='romeo@forza'", with: ""))
    for response in ["cm9tZW9AZm9yemE=", "AA=="] {
      #expect(wire.new { wire.feed(Say.auth(response)) } == [write(Say.saslFailure("invalid-authzid"))])
    }
    #expect(wire.new { wire.feed(Say.auth("=")) } == [write(Say.success), .restart])
  }

  static let challenge = "<challenge xmlns='\(Namespace.sasl)'/>"

  @Test func aMissingResponseIsAskedFor() {
    for response in ["cm9tZW9AZm9yemE=", "=", ""] {
      let wire = Self.secured()
      #expect(wire.new { wire.feed(Say.auth("")) } == [write(Self.challenge)])
      #expect(
        wire.new { wire.feed("<response xmlns='\(Namespace.sasl)'>\(response)</response>") }
          == [write(Say.success), .restart])
    }
  }

  @Test func aChallengeMayBeAborted() {
    let wire = Self.secured()
    wire.feed(Say.auth(""))
    #expect(
      wire.new { wire.feed("<abort xmlns='\(Namespace.sasl)'/>") } == [write(Say.saslFailure("aborted"))])
    wire.feed("<response xmlns='\(Namespace.sasl)'/>")
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType], "nobody asked for that any more")
    wire.expectOver()
  }

  @Test(arguments: [
    "<response xmlns='\(Namespace.sasl)'/>", Say.success, Say.startTLS, Say.saslFailure("aborted"),
    "<auth xmlns='urn:x' mechanism='EXTERNAL'>=</auth>",
  ])
  func straysEndIt(bytes: String) {
    let wire = Self.secured()
    wire.feed(bytes)
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType])
    wire.expectOver()
  }

  /// They would be read as part of the old stream, or lost.
  @Test(arguments: ["\n", Header.salut, Say.message]) func nothingMayComeBehindIt(bytes: String) {
    let wire = Self.secured()
    wire.feed(Say.auth("=") + bytes)
    #expect(wire.ends.map(\.condition) == [.policyViolation])
    #expect(!wire.written.contains("<success"))
    wire.expectOver()
  }

  @Test func itIsDoneOnce() {
    let wire = Self.secured()
    wire.feed(Say.auth("="))
    wire.feed(Header.salut)
    #expect(wire.written.components(of: "<mechanism>") == 1)
    wire.feed(Say.auth("="))
    #expect(wire.ends.map(\.condition) == [.unsupportedStanzaType])
    wire.expectOver()
  }
}

extension String {
  func components(of part: String) -> Int { ranges(of: part).count }
}
