import NIOCore
import TestKit
import Testing

/// One play, and what it shows.
struct Play: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String

  init(_ name: String, _ text: String) {
    self.name = name
    self.text = text
  }

  var testDescription: String { name }
}

/// Every play is given in memory, and where no time has to pass also over sockets. Each ends with another peer's request.
@Suite(.timeLimit(.minutes(2))) struct ScenarioTests {
  @Test(arguments: Play.streams + Play.queries + Play.requests + Play.offeredRequests + Play.bodies, Stage.allCases)
  func plays(_ play: Play, stage: Stage) async throws {
    let scenario = try Scenario(play.text)
    guard stage == .memory || !scenario.hasTime else { return }
    try await Performance.run(on: stage) { try await scenario.play(in: $0) }
  }

  @Test func aScenarioThatGoesWrongSaysWhere() async throws {
    let scenario = try Scenario(
      """
      # Comments and empty lines count as lines.

      Romeo greets
      Romeo sends
        <iq type='get' id='1'>
        <ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        <iq…type='result'
      Romeo hangs up
      Romeo receives
        more
      """)
    for stage in Stage.allCases {
      try await Performance.run(on: stage) { performance in
        let failure = await #expect(throws: Scenario.Failure.self) { try await scenario.play(in: performance) }
        #expect(failure?.description.hasPrefix("Line 10: The other side hung up before “more”") == true)
      }
    }
    #expect(throws: Scenario.Failure.self) { try Scenario("Romeo dances") }
    #expect(throws: Scenario.Failure.self) { try Scenario("many s pass") }
  }
}

extension Play {
  /// Streams: their beginning, their end, and what is no XML.
  static let streams = [
    Play(
      "not well-formed",
      """
      Romeo greets
      Romeo sends
        <message><body>you & me</body></message>
      Romeo receives
        <stream:error><not-well-formed …</stream:error></stream:stream>
      Romeo is disconnected
      """),
    Play(
      "a DTD",
      """
      Romeo connects
      Romeo sends
        <?xml version='1.0'?><!DOCTYPE x [<!ENTITY a "b">]>
      Romeo receives
        <stream:stream …<restricted-xml …</stream:stream>
      Romeo is disconnected
      """),
    Play(
      "a comment",
      """
      Romeo greets
      Romeo sends
        <!-- hello -->
      Romeo receives
        <restricted-xml …</stream:stream>
      Romeo is disconnected
      """),
    Play(
      "a processing instruction",
      """
      Romeo greets
      Romeo sends
        <message><?php phpinfo() ?></message>
      Romeo receives
        <restricted-xml …</stream:stream>
      Romeo is disconnected
      """),
    Play(
      "entities",
      """
      Romeo greets
      Romeo sends
        <message><body>&lol9;</body></message>
      Romeo receives
        <restricted-xml …</stream:stream>
      Romeo is disconnected
      """),
    Play(
      "text between stanzas",
      """
      Romeo greets
      Romeo sends
        hello?
      Romeo receives
        <bad-format …</stream:stream>
      Romeo is disconnected
      """),
    Play(
      "no header in time",
      """
      Romeo connects
      9.9 s pass
      Romeo sends
        <?xml version='1.0'?><stream:stream xmlns='jabber:client'
      0.2 s pass
      Romeo receives
        <connection-timeout …</stream:stream>
      Romeo is disconnected
      """),
    Play(
      "a header, and then nothing",
      """
      Romeo greets
      119 s pass
      Romeo sends
        <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        id='1'/>
      119 s pass
      Romeo sends
        <message/>
      2 s pass
      Romeo sends
        <iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        id='2'/>
      121 s pass
      Romeo receives
        </stream:stream>
      2.1 s pass
      Romeo is disconnected
      """),
    Play(
      "silence while a body is under way: a ping, and the end",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <data><ibb sid='s'/></data></req></iq>
        <iq type='set' id='2'><open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='s'/></iq>
      Romeo receives
        type='result' id='2'/>
      31 s pass
      Romeo receives
        <ping xmlns='urn:xmpp:ping'/>
      10.1 s pass
      Romeo receives
        <connection-timeout …</stream:stream>
      2.1 s pass
      Romeo is disconnected
      """),
    Play(
      "an answered ping, even by an error, keeps a slow body alive",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>
        <data><ibb sid='s'/></data></req></iq>
        <iq type='set' id='2'><open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='s'/></iq>
      Romeo receives
        type='result' id='2'/>
      5.1 s pass
      Romeo receives
        id='1'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='error' id='1'><error type='cancel'>
        <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
      5.1 s pass
      Romeo receives
        id='2'><ping xmlns='urn:xmpp:ping'/>
      Romeo sends
        <iq type='result' id='2'/><iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        type='result' id='p'/>
      """),
    Play(
      "a goodbye",
      """
      Romeo greets
      Romeo sends
        </stream:stream>
      Romeo receives
        </stream:stream>
      Romeo is disconnected
      """),
    Play(
      "a stream error",
      """
      Romeo greets
      Romeo sends
        <stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>
      Romeo receives
        </stream:stream>
      Romeo is disconnected
      """),
    Play(
      "hanging up in the middle of a stanza",
      """
      Romeo greets
      Romeo sends
        <iq type='set' id='1'><req xmlns='urn:xmpp:http' met
      Romeo hangs up
      """),
    Play(
      "hanging up before a word",
      """
      Romeo connects
      Romeo hangs up
      """),
    Play(
      "a header without a version, as Pidgin's: no features, and stanzas pipelined behind it",
      """
      Romeo connects
      Romeo sends
        <?xml version="1.0" encoding="UTF-8" ?><stream:stream xmlns="jabber:client" xmlns:stream=
        "http://etherx.jabber.org/streams" from="romeo@forza" to="">
        <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        from='juliet@pronto' to='romeo@forza' id='…'><iq from='juliet@pronto' to='romeo@forza' type='result' id='1'/>
      """),
    Play(
      "a header without from, as iChat's",
      """
      Romeo connects
      Romeo sends
        <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
        <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        from='juliet@pronto' id='…'><iq from='juliet@pronto' type='result' id='1'/>
      """),
    Play(
      "to an address that is not ours: the node answers as itself",
      """
      Romeo connects
      Romeo sends
        <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='127.0.0.1' from='romeo@forza'>
        <iq type='get' id='1' to='tybalt@verona'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        <iq from='juliet@pronto' to='romeo@forza' type='result' id='1'/>
      """),
    Play(
      "to another device of the node, and within the stream to yet another",
      """
      Romeo connects
      Romeo sends
        <stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='nurse@pronto' from='romeo@forza'>
        <iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
        <iq type='get' id='2' to='juliet@pronto'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        <iq from='nurse@pronto' to='romeo@forza' type='result' id='1'/>…<iq from='juliet@pronto' to='romeo@forza' type='result' id='2'/>
      """),
    Play(
      "a stanza in another's name is answered to the stream's peer",
      """
      Romeo greets
      Romeo sends
        <iq type='get' id='1' from='tybalt@verona'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        <iq from='juliet@pronto' to='romeo@forza' type='result' id='1'/>
      """),
  ]

  /// IQs that are no requests.
  static let queries = [
    Play(
      "IQs that nobody knows, of either type, and of none",
      """
      Romeo greets
      Romeo sends
        <iq type='get' id='1'><query xmlns='jabber:iq:discovered'/></iq>
        <iq type='set' id='2'><x xmlns='urn:unheard-of'/></iq>
        <iq type='put' id='3'><x xmlns='urn:unheard-of'/></iq>
        <iq type='get' id='4'/>
        <iq type='get' id='5'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>
      Romeo receives
        type='error' id='1'>…<service-unavailable …type='error' id='2'>…<service-unavailable
      Romeo receives
        type='error' id='3'>…<bad-request …type='error' id='4'>…<bad-request …type='error' id='5'>…<bad-request
      """),
    Play(
      "an IQ without an id, and one with a strange id",
      """
      Romeo greets
      Romeo sends
        <iq type='get'><ping xmlns='urn:xmpp:ping'/></iq><iq type='get' id='&apos;&lt;&amp;'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        type='error'>…<bad-request …type='result' id='&apos;&lt;&amp;'/>
      """),
    Play(
      "answers that nobody waits for",
      """
      Romeo greets
      Romeo sends
        <iq type='result' id='1'/><iq type='error' id='2'/><iq type='result'/>
        <iq type='result' id='3'><resp xmlns='urn:xmpp:http' version='1.1' statusCode='200'><data>
        <chunkedBase64 streamId='c'/></data></resp></iq>
      Romeo receives
        <message …<close xmlns='urn:xmpp:http' streamId='c'/>
      Romeo sends
        <iq type='get' id='9'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        type='result' id='9'/>
      """),
    Play(
      "presence, chat and typing notes are passed over",
      """
      Romeo greets
      Romeo sends
        <presence/><message type='chat'><body>wherefore?</body></message>
        <message><body/><x xmlns='jabber:x:event'><composing/></x></message>
        <iq type='get' id='9'><ping xmlns='urn:xmpp:ping'/></iq>
      Romeo receives
        type='result' id='9'/>
      """),
    Play(
      "what it is and can do",
      """
      Romeo greets
      Romeo sends
        <iq type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        <iq type='get' id='2'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:hearth:node#wrong'/></iq>
        <iq type='get' id='3'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        <iq type='get' id='4'><query xmlns='jabber:iq:version'/></iq>
      Romeo receives
        id='1'>…<feature var='urn:xmpp:http'/>…id='2'>…<item-not-found …id='3'>…id='4'>…<name>Hearth</name>
      """),
  ]
}
