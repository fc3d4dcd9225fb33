import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Streams
import Synchronization
import TestKit
import Testing
import XMPP

/// Back-pressure and cancellation of what Juliet sends: who is slow or gone slows and ends its own transfer, at once.
@Suite(.timeLimit(.minutes(2))) struct SendingTests {
  private static let get =
    "<req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1' maxChunkSize='49152'"

  private static func answering(_ body: Body) -> StreamHost {
    .juliet { incoming, send in
      if incoming.request.head.method == .put { return try await StreamHost.echo(incoming, send) }
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: body))
    }
  }

  @Test func aReaderThatAnswersNoBlocksStopsTheSenderWithinTheWindow() async throws {
    let endless = Endless(part: 65536)
    try await Performance.run(on: .sockets, host: Self.answering(Body(endless))) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
      let sid = try await romeo.takesOpen()
      #expect(try await romeo.blocks(of: sid, 8).count == 8)
      // Others on the same stream are served, more than once, and no ninth block comes.
      for id in 1...20 { try await romeo.pings("p\(id)") }
      #expect(!romeo.transcript.rest.contains("<data "))
      // Eight in flight, one and a half more written.
      #expect(endless.taken <= 10 * 49152 + 65536)
      let load = await performance.first().load
      #expect(load.outgoing == 1 && load.answering == 1)
      try await romeo.send("<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='\(sid)'/></iq>")
      try await romeo.transcript.expect("type='result' id='c'/>")
      try await performance.first().idle()
    }
  }

  @Test func aReaderThatGoesAwayEndsASenderThatHasNothingToSay() async throws {
    for allowsIBB in [true, false] {
      let source = Source()
      try await Performance.run(on: .sockets, host: Self.answering(source.body)) { performance in
        let romeo = try await performance.connect()
        try await romeo.greet()
        try await romeo.send("<iq type='set' id='r'>\(Self.get) ibb='\(allowsIBB)'/></iq>")
        source.parts.yield(ByteBuffer(string: "tick"))
        if allowsIBB {
          let sid = try await romeo.takesOpen()
          try await romeo.transcript.expect("dGljaw==")
          try await romeo.send(
            "<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='\(sid)'/></iq>")
        } else {
          try await romeo.transcript.expect("<chunk xmlns='urn:xmpp:http' streamId='")
          let streamId = try await romeo.transcript.expect("'").dropLast()
          try await romeo.transcript.expect("dGljaw==")
          try await romeo.send("<message><cancel xmlns='urn:xmpp:http' streamId='\(streamId)'/></message>")
        }
        // The source is let go, though it never said another word.
        await source.waitUntilEnded()
        try await performance.first().idle()
        try await romeo.pings("still")
      }
    }
  }

  /// A peer may close, and never answer what was in flight.
  @Test func blocksThatAreNeverAnsweredAreForgottenWithTheirTransfer() async throws {
    try await Performance.run(on: .sockets, host: Self.answering(Body(Endless(part: 65536)))) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      for round in 1...10 {
        try await romeo.send("<iq type='set' id='r\(round)'>\(Self.get)/></iq>")
        let sid = try await romeo.takesOpen()
        _ = try await romeo.blocks(of: sid, 8)
        try await romeo.send(
          "<iq type='set' id='c\(round)'><close xmlns='http://jabber.org/protocol/ibb' sid='\(sid)'/></iq>")
        try await romeo.transcript.expect("id='c\(round)'/>")
      }
      try await performance.first().idle()
    }
  }

  @Test func aRefusedOpenEndsTheSenderAndSmallerBlocksAreTried() async throws {
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.answering(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
      for size in [49152, 24576, 12288, 6144, 4096] {
        try await romeo.transcript.expect("type='set' id='")
        let id = try await romeo.transcript.expect("'").dropLast()
        try await romeo.transcript.expect("block-size='\(size)'")
        try await romeo.send(
          "<iq type='error' id='\(id)'><error type='modify'>"
            + "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
      }
      await source.waitUntilEnded()
      try await performance.first().idle()
    }
  }

  @Test func anOpenThatIsNeverAnsweredEndsTheSender() async throws {
    let source = Source()
    try await Performance.run(on: .memory, host: Self.answering(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
      try await romeo.transcript.expect("<open ")
      // It is there, and answers pings; only the open is never answered.
      for id in 2...4 {
        try await performance.pass(.seconds(10))
        try await romeo.transcript.expect("id='\(id)'><ping")
        try await romeo.send("<iq type='result' id='\(id)'/>")
      }
      try await performance.pass(.milliseconds(100))
      await source.waitUntilEnded()
      try await performance.first().idle()
    }
  }

  /// The last bytes of a row are held back for 20 ms, and no longer: while a request is under way a timer is set for later.
  @Test func whatIsHeldBackInARowOfChunksGoesOutSoon() async throws {
    let source = Source()
    try await Performance.run(on: .memory, host: Self.answering(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get) ibb='false'/></iq>")
      try await romeo.transcript.expect("<chunkedBase64 ")
      for word in ["dGljaw==", "dG9jaw=="] {
        source.parts.yield(ByteBuffer(bytes: Base64.decode(word)!.readableBytesView))
        // A part of the time after which a timer looks in any case.
        var passed = 0
        while !romeo.transcript.rest.contains(word), passed < 40 {
          try await performance.pass(.milliseconds(20))
          try await Task.sleep(for: .milliseconds(1))
          passed += 1
        }
        #expect(passed < 40)
        try await romeo.transcript.expect(word)
      }
      source.parts.finish()
      try await romeo.transcript.expect("last='true'")
      try await performance.first().idle()
    }
  }

  /// Chunks have no answers, so the socket is what stops the sender; and other streams do not mind.
  @Test func aSocketThatIsFullStopsChunks() async throws {
    let endless = Endless(part: 65536)
    try await Performance.run(on: .sockets, host: Self.answering(Body(endless))) { performance in
      let romeo = try #require(try await performance.connect() as? ScriptedPeer)
      try await romeo.greet()
      try await romeo.stopListening()
      try await romeo.send("<iq type='set' id='r'>\(Self.get) ibb='false'/></iq>")
      try await standstill { endless.taken }
      // The kernel's buffers on both sides, and ours.
      #expect(endless.taken < 16 << 20)
      try await Scenario("").play(in: performance)
      let before = endless.taken
      try await romeo.listenAgain()
      try await eventually("no more is sent") { endless.taken >= before + (4 << 20) }
      try await romeo.hangUp()
      try await performance.first().idle()
    }
  }

  @Test func aSourceThatBreaksIsNoShortBody() async throws {
    for allowsIBB in [true, false] {
      let source = Source()
      try await Performance.run(on: .sockets, host: Self.answering(source.body)) { performance in
        let romeo = try await performance.connect()
        try await romeo.greet()
        try await romeo.send("<iq type='set' id='r'>\(Self.get) ibb='\(allowsIBB)'/></iq>")
        source.parts.yield(ByteBuffer(string: "tick"))
        if allowsIBB {
          _ = try await romeo.takesOpen()
          try await romeo.transcript.expect("seq='0'")
          source.parts.finish(throwing: Broken())
          // A number left out, which no receiver takes for the end.
          try await romeo.transcript.expect("seq='2'")
          try await romeo.transcript.expect("<close ")
        } else {
          try await romeo.transcript.expect("dGljaw==")
          source.parts.finish(throwing: Broken())
          try await romeo.transcript.expect("<close xmlns='urn:xmpp:http'")
        }
        #expect(!romeo.transcript.rest.contains("last='true'"))
        try await performance.first().idle()
      }
    }
  }

  @Test func theStreamEndsInTheMiddleOfASending() async throws {
    for ending in ["end tag", "FIN", "RST"] {
      let source = Source()
      try await Performance.run(on: .sockets, host: Self.answering(source.body)) { performance in
        let romeo = try #require(try await performance.connect() as? ScriptedPeer)
        try await romeo.greet()
        try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
        source.parts.yield(ByteBuffer(string: "tick"))
        _ = try await romeo.takesOpen()
        try await romeo.expect("dGljaw==")
        switch ending {
        case "end tag": try await romeo.send("</stream:stream>")
        case "FIN":
          try await romeo.endOutput()
          // Our goodbye comes all the same.
          #expect(try await romeo.expectClose().hasSuffix("</stream:stream>"))
        default: try await romeo.reset()
        }
        await source.waitUntilEnded()
        try await performance.first().idle()
      }
    }
  }

  @Test func informationalStatusesAreNeverSent() async throws {
    let host = StreamHost.juliet { _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .continue)))
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
      try await romeo.transcript.expect("type='error' id='r'>")
      try await romeo.transcript.expect("<internal-server-error")
      #expect(!romeo.transcript.rest.contains("statusCode"))
    }
  }

  @Test func documentsGoAsXMLWhereTheServiceWantsThat() async throws {
    for prefersXML in [true, false] {
      let host = StreamHost.juliet { _, send in
        let fields: HTTPFields = [.contentType: "application/soap+xml", .contentLength: "53"]
        try await send(
          HTTPXResponse(
            HTTPResponse(status: .ok, headerFields: fields),
            body: Body("<?xml version='1.0'?>\n<s:a xmlns:s='urn:s'>s:b</s:a>\n"), prefersXML: prefersXML))
      }
      try await Performance.run(on: .sockets, host: host) { performance in
        let romeo = try await performance.connect()
        try await romeo.greet()
        try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
        let answer = try await romeo.transcript.expect("</iq>")
        #expect(answer.contains("<data><xml><s:a xmlns:s='urn:s' xmlns=''>s:b</s:a></xml></data>") == prefersXML)
        #expect(answer.contains("<data><text>") != prefersXML)
        #expect(answer.contains("Content-Length") != prefersXML)
      }
    }
  }

  @Test func answersWithoutABodySendNone() async throws {
    let host = StreamHost.juliet { incoming, send in
      let status = HTTPResponse.Status(code: Int(incoming.request.head.path!.dropFirst())!)
      var head = HTTPResponse(status: status)
      head.headerFields[.contentLength] = "65536"
      try await send(HTTPXResponse(head, body: Body(Endless(part: 65536))))
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        try await romeo.send(
          "<iq type='set' id='r'><req xmlns='urn:xmpp:http' method='\(method)' resource='/\(status)' version='1.1'/></iq>"
        )
        let answer = try await romeo.transcript.expect("</iq>")
        #expect(answer.contains("statusCode='\(status)'") && answer.contains(">65536<") && !answer.contains("<data"))
      }
      try await performance.first().idle()
    }
  }
}
