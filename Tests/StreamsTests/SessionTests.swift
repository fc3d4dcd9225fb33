import Bytestreams
import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Streams
import TestKit
import Testing
import XMPP

private let ibb = "http://jabber.org/protocol/ibb"

/// Bodies that peers offer in a Jingle session, of which the `<jingle/>` in `<data/>` is the beginning, as xmpp-httpx has it.
@Suite(.timeLimit(.minutes(2))) struct SessionsWithUsTests {
  private static func initiate(size: Int? = nil) -> String {
    let size = size.map { "<size>\($0)</size>" } ?? ""
    return "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' initiator='romeo@forza' sid='j'>"
      + "<content creator='initiator' name='http' senders='initiator'>"
      + "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name>\(size)</file></description>"
      + "<transport xmlns='urn:xmpp:jingle:transports:ibb:1' block-size='49152' sid='s'/></content></jingle>"
  }

  private static func terminate(_ reason: String) -> String {
    "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='j'><reason><\(reason)/></reason></jingle>"
  }

  private static let open = "<open xmlns='\(ibb)' block-size='49152' sid='s' stanza='iq'/>"
  private static let close = "<close xmlns='\(ibb)' sid='s'/>"

  private static func block(_ seq: Int, _ bytes: ByteBuffer) -> String {
    "<data xmlns='\(ibb)' sid='s' seq='\(seq)'>\(Base64.encode(bytes))</data>"
  }

  /// Answers Juliet's request, and gives the id of her acceptance.
  private func offers(_ romeo: Romeo, size: Int? = nil, length: Int? = nil) async throws -> String {
    let (id, _) = try await romeo.takesRequest()
    try await romeo.answers(id, Self.initiate(size: size), length: length)
    let (accept, tag) = try await romeo.takesIQ(with: "<jingle ")
    #expect(tag == "<jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='j'>")
    try await romeo.peer.expect("<content creator='initiator' name='http'>")
    try await romeo.peer.expect("<transport xmlns='urn:xmpp:jingle:transports:ibb:1' block-size='49152' sid='s'/>")
    return accept
  }

  private func tells(_ romeo: Romeo, _ id: String, _ element: String) async throws {
    try await romeo.peer.send("<iq type='set' id='\(id)'>\(element)</iq>")
    try await romeo.peer.expect("type='result' id='\(id)'/>")
  }

  @Test(arguments: bodySizes, [true, false]) func arrivesAsItWas(size: Int, saysSize: Bool) async throws {
    let body = everyByte(size)
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      let accept = try await offers(romeo, size: saysSize ? size : nil)
      try await romeo.peer.send("<iq type='result' id='\(accept)'/>")
      // Once more, as those who know no HTTP over XMPP begin a session.
      try await tells(romeo, "again", Self.initiate())
      try await tells(romeo, "info", "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='j'/>")
      try await tells(romeo, "o", Self.open)
      var rest = body
      var seq = 0
      while let part = rest.readSlice(length: min(49152, rest.readableBytes)), part.readableBytes > 0 {
        try await tells(romeo, "b\(seq)", Self.block(seq, part))
        seq += 1
      }
      try await tells(romeo, "c", Self.close)
      try await tells(romeo, "t", Self.terminate("success"))
      #expect(try await answer.body == body)
      try await romeo.stillServes()
    }
  }

  @Test func aSessionThatEndsBeforeItsTimeIsNoShortBody() async throws {
    for isOpen in [false, true] {
      try await Romeo.dialled { romeo in
        async let outcome = romeo.outcome()
        let accept = try await offers(romeo)
        try await romeo.peer.send("<iq type='result' id='\(accept)'/>")
        if isOpen {
          try await tells(romeo, "o", Self.open)
          try await tells(romeo, "b", Self.block(0, ByteBuffer(string: "abc")))
        }
        try await tells(romeo, "t", Self.terminate("cancel"))
        let result = await outcome
        #expect(throws: StreamFailure.self) { try result.get() }
        try await romeo.stillServes()
      }
    }
  }

  @Test func whoRefusesTheAcceptanceOfItsOwnOfferSendsNothing() async throws {
    try await Romeo.dialled { romeo in
      async let outcome = romeo.outcome()
      let accept = try await offers(romeo)
      try await romeo.peer.send(
        "<iq type='error' id='\(accept)'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
      )
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await romeo.stillServes()
    }
  }

  @Test func lengthsThatDifferAreAnError() async throws {
    try await Romeo.dialled { romeo in
      async let outcome = romeo.outcome()
      let accept = try await offers(romeo, size: 4)
      try await romeo.peer.send("<iq type='result' id='\(accept)'/>")
      try await tells(romeo, "o", Self.open)
      try await tells(romeo, "b", Self.block(0, ByteBuffer(string: "abc")))
      try await tells(romeo, "c", Self.close)
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      async let other = romeo.outcome()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.answers(id, Self.initiate(size: 3), length: 4)
      let second = await other
      #expect(throws: StreamFailure.self) { try second.get() }
      try await romeo.stillServes()
    }
  }

  @Test func aReaderThatGoesAwayEndsTheSession() async throws {
    try await Romeo.dialled { romeo in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await romeo.request() }
        _ = try await offers(romeo)
        group.cancelAll()
        await #expect(throws: (any Error).self) { try await group.waitForAll() }
      }
      try await romeo.peer.expect("action='session-terminate' sid='j'><reason><cancel/></reason></jingle>")
      try await romeo.peer.send("<iq type='set' id='o'>\(Self.open)</iq>")
      try await romeo.peer.expect("type='error' id='o'>")
      try await romeo.stillServes()
    }
  }

  @Test func aSessionByOtherWaysIsNotUnderstood() async throws {
    try await Romeo.dialled { romeo in
      async let outcome = romeo.outcome()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.answers(id, Self.initiate().replacing("transports:ibb:1", with: "transports:s5b:1"))
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await romeo.stillServes()
    }
  }
}

/// Bodies that Juliet offers in a session, to peers who let her.
@Suite(.timeLimit(.minutes(2))) struct SessionsByUsTests {
  private static func host(_ body: Body) -> StreamHost {
    .juliet(preference: [.jingle, .ibb]) { incoming, send in
      if incoming.request.head.method == .put { return try await StreamHost.echo(incoming, send) }
      try await send(HTTPXResponse(HTTPResponse(status: .ok, headerFields: [.contentType: "image/png"]), body: body))
    }
  }

  private static let get =
    "<req xmlns='urn:xmpp:http' method='GET' resource='/Kermit.png' version='1.1' maxChunkSize='49152'"

  private func asks(_ romeo: any Speaker) async throws -> (session: String, sid: String) {
    try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
    try await romeo.transcript.expect("type='result' id='r'>")
    try await romeo.transcript.expect("<data><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='")
    let session = String(try await romeo.transcript.expect("'").dropLast())
    try await romeo.transcript.expect("<media-type>image/png</media-type><name>Kermit.png</name>")
    try await romeo.transcript.expect("<transport xmlns='urn:xmpp:jingle:transports:ibb:1' block-size='49152' sid='")
    return (session, String(try await romeo.transcript.expect("'").dropLast()))
  }

  private static func accept(_ session: String, _ sid: String, iq: String = "a", blockSize: Int = 49152) -> String {
    "<iq type='set' id='\(iq)'><jingle xmlns='urn:xmpp:jingle:1' action='session-accept' responder='romeo@forza' sid='\(session)'>"
      + "<content creator='initiator' name='body'><transport xmlns='urn:xmpp:jingle:transports:ibb:1' "
      + "block-size='\(blockSize)' sid='\(sid)'/></content></jingle></iq>"
  }

  private func opens(_ romeo: any Speaker, _ sid: String, blockSize: Int = 49152) async throws {
    try await romeo.transcript.expect("type='set' id='")
    let iq = try await romeo.transcript.expect("'").dropLast()
    try await romeo.transcript.expect("block-size='\(blockSize)' sid='\(sid)' stanza='iq'/></iq>")
    try await romeo.send("<iq type='result' id='\(iq)'/>")
  }

  @Test(arguments: bodySizes, [49152, 4096]) func arrivesAsItWas(size: Int, blockSize: Int) async throws {
    let body = everyByte(size)
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      source.parts.yield(body)
      source.parts.finish()
      let (session, sid) = try await asks(romeo)
      try await romeo.send(Self.accept(session, sid, blockSize: blockSize))
      try await romeo.transcript.expect("type='result' id='a'/>")
      try await opens(romeo, sid, blockSize: blockSize)
      var received = ByteBuffer()
      while true {
        try await romeo.transcript.expect("<iq ")
        try await romeo.transcript.expect("id='")
        let iq = try await romeo.transcript.expect("'").dropLast()
        try await romeo.transcript.expect(">")
        let isClose = try await romeo.transcript.expect(">").hasPrefix("<close ")
        try await romeo.send("<iq type='result' id='\(iq)'/>")
        if isClose { break }
        let part = try #require(Base64.decode(String(try await romeo.transcript.expect("<").dropLast())))
        #expect(part.readableBytes <= blockSize)
        received.writeImmutableBuffer(part)
      }
      #expect(received == body)
      try await romeo.transcript.expect(
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='\(session)'><reason><success/></reason></jingle>"
      )
      try await performance.first().idle()
    }
  }

  @Test func itIsAcceptedOnceByWhomItWasOfferedTo() async throws {
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let (session, sid) = try await asks(romeo)
      let paris = try await performance.connect()
      try await paris.greet(as: "paris")
      try await paris.send(Self.accept(session, sid, iq: "p"))
      try await paris.transcript.expect("type='error' id='p'>")
      try await paris.hangUp()
      try await romeo.send(Self.accept("other", sid, iq: "x"))
      try await romeo.transcript.expect("type='error' id='x'>")
      try await romeo.send(Self.accept(session, sid))
      try await romeo.transcript.expect("type='result' id='a'/>")
      try await opens(romeo, sid)
      try await romeo.send(Self.accept(session, sid, iq: "y"))
      try await romeo.transcript.expect("type='error' id='y'>")
      try await romeo.hangUp()
      await source.waitUntilEnded()
      try await performance.first().idle()
    }
  }

  @Test func whoDeclinesOrEndsItEndsTheSender() async throws {
    for isAccepted in [false, true] {
      let source = Source()
      try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
        let romeo = try await performance.connect()
        try await romeo.greet()
        let (session, sid) = try await asks(romeo)
        if isAccepted {
          try await romeo.send(Self.accept(session, sid))
          try await opens(romeo, sid)
        }
        try await romeo.send(
          "<iq type='set' id='t'><jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='\(session)'>"
            + "<reason><decline/></reason></jingle></iq>")
        try await romeo.transcript.expect("type='result' id='t'/>")
        await source.waitUntilEnded()
        try await performance.first().idle()
        try await romeo.pings("still")
      }
    }
  }

  @Test(arguments: [(" jingle='false'", "<ibb "), (" ibb='false'", "<chunkedBase64 "), (" jingle='true'", "<jingle ")])
  func theFlagsOfThePeerComeFirst(flags: String, mechanism: String) async throws {
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)\(flags)/></iq>")
      try await romeo.transcript.expect("<data>\(mechanism)")
      try await romeo.hangUp()
      await source.waitUntilEnded()
      try await performance.first().idle()
    }
  }

  @Test func whoNeverAcceptsIsNotWaitedForForEver() async throws {
    let source = Source()
    try await Performance.run(on: .memory, host: Self.host(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let (session, sid) = try await asks(romeo)
      for _ in 1...3 {
        try await performance.pass(.seconds(10))
        try await romeo.transcript.expect("type='get' id='")
        let ping = try await romeo.transcript.expect("'").dropLast()
        try await romeo.send("<iq type='result' id='\(ping)'/>")
      }
      try await performance.pass(.milliseconds(100))
      await source.waitUntilEnded()
      try await performance.first().idle()
      try await romeo.send(Self.accept(session, sid))
      try await romeo.transcript.expect("type='error' id='a'>")
    }
  }

  @Test func aSourceThatBreaksIsNoShortBody() async throws {
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      source.parts.yield(ByteBuffer(string: "tick"))
      let (session, sid) = try await asks(romeo)
      try await romeo.send(Self.accept(session, sid))
      try await opens(romeo, sid)
      try await romeo.transcript.expect("seq='0'")
      source.parts.finish(throwing: Broken())
      try await romeo.transcript.expect("seq='2'")
      try await romeo.transcript.expect("<close ")
      try await romeo.transcript.expect("action='session-terminate' sid='\(session)'><reason><cancel/>")
      try await performance.first().idle()
    }
  }
}
