import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Streams
import Synchronization
import TestKit
import Testing
import XMPP

/// Back-pressure and cancellation of what Juliet receives: an answer is withheld until its block is read.
@Suite(.timeLimit(.minutes(2))) struct ReceivingTests {
  @Test func aReaderThatStopsWithholdsAnswersAndOthersAreServed() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let host = StreamHost.juliet { incoming, send in
      for await _ in gate {}
      try await StreamHost.echo(incoming, send)
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.sendsUpload(sid: "s")
      for seq in 0..<8 { try await romeo.sendsBlock(seq, sid: "s") }
      try await romeo.pings("p")
      #expect(!romeo.transcript.rest.contains("id='b"), "no block is answered before it is read")
      opened.finish()
      for seq in 0..<8 { try await romeo.transcript.expect("type='result' id='b\(seq)'/>") }
      try await romeo.send("<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='s'/></iq>")
      try await romeo.transcript.expect("statusCode='200'")
    }
  }

  /// A browser with many tabs waits for its turn, and whoever asks without end is told so.
  @Test func theSixtyFifthRequestWaits() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let begun = Mutex(0)
    let host = StreamHost.juliet { incoming, send in
      begun.withLock { $0 += 1 }
      for await _ in gate {}
      try await send(HTTPXResponse(HTTPResponse(status: .ok)))
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      for id in 1...513 {
        try await romeo.send(
          "<iq type='set' id='r\(id)'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>")
      }
      try await romeo.transcript.expect("type='error' id='r513'")
      try await romeo.transcript.expect("Too many requests")
      #expect(begun.withLock { $0 } == 64)
      try await romeo.pings("p")
      opened.finish()
      for _ in 1...512 { try await romeo.transcript.expect("statusCode='200'") }
      #expect(begun.withLock { $0 } == 512)
    }
  }

  /// One device of a node that is slow holds up none of its others.
  @Test func aSlowDeviceHoldsUpNoOther() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let begun = Mutex(0)
    let host = StreamHost.juliet { incoming, send in
      if incoming.device == .nurse {
        begun.withLock { $0 += 1 }
        for await _ in gate {}
      }
      try await send(HTTPXResponse(HTTPResponse(status: .ok)))
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let request = "<req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1'/></iq>"
      for id in 1...200 { try await romeo.send("<iq type='set' id='s\(id)' to='\(JID.nurse)'>" + request) }
      for id in 1...100 {
        try await romeo.send("<iq type='set' id='q\(id)' to='\(JID.juliet)'>" + request)
        try await romeo.transcript.expect("type='result' id='q\(id)'")
      }
      #expect(begun.withLock { $0 } == 64)
      opened.finish()
      for _ in 1...200 { try await romeo.transcript.expect("statusCode='200'") }
    }
  }

  @Test func whatWaitsTakesBoundedMemory() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let host = StreamHost.juliet { _, send in
      for await _ in gate {}
      try await send(HTTPXResponse(HTTPResponse(status: .ok)))
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let body = String(repeating: "a", count: 60_000)
      // 64 are being answered; 4 MiB hold 69 more of these.
      for id in 1...134 {
        try await romeo.send(
          "<iq type='set' id='r\(id)'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>"
            + "<data><text>\(body)</text></data></req></iq>")
      }
      try await romeo.transcript.expect("type='error' id='r134'")
      opened.finish()
      for _ in 1...133 { try await romeo.transcript.expect("statusCode='200'") }
    }
  }

  /// Chunks have no answers, so the socket is what slows their sender down to a reader that is somewhat slower. One that stops
  /// holds up nobody for long, and loses what comes beyond its bound.
  @Test(arguments: [true, false]) func chunksWaitForAReaderThatReads(reads: Bool) async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let (chunk, count) = (String(repeating: "AAAA", count: 16_384), 400)
    let host = StreamHost.juliet(as: .known) { incoming, send in
      var taken = 0
      if !reads { for await _ in gate {} }
      for try await part in incoming.request.body {
        taken += part.readableBytes
        try await Task.sleep(for: .milliseconds(2))
      }
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("\(taken)")))
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send(
        "<iq type='set' id='r'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>"
          + "<data><chunkedBase64 streamId='c'/></data></req></iq>")
      for nr in 0..<count {
        let last = nr == count - 1 ? " last='true'" : ""
        try await romeo.send(
          "<message><chunk xmlns='urn:xmpp:http' streamId='c' nr='\(nr)'\(last)>\(chunk)</chunk></message>")
      }
      if !reads { try await romeo.transcript.expect("<close xmlns='urn:xmpp:http' streamId='c'/>") }
      try await romeo.pings("p")
      opened.finish()
      try await romeo.transcript.expect(
        reads ? "<base64>\(Base64.encode(ByteBuffer(string: "\(count * 49_152)")))" : "type='error' id='r'")
      try await performance.first().idle()
    }
  }

  /// One that minds no window is cut off before it has taken the memory of all.
  @Test func whoSendsWithoutWaitingIsCutOff() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let host: StreamHost.Answer = { incoming, _ in
      for await _ in gate {}
      _ = incoming
      throw Broken()
    }
    let known = StreamHost.juliet(as: .known, answer: host)
    try await Performance.run(on: .sockets, host: known) { performance in
      let romeo = try #require(try await performance.connect() as? ScriptedPeer)
      try await romeo.greet()
      // Fourteen bodies of 3 MiB each, none of which alone is too much.
      for body in 0..<14 {
        try await romeo.sendsUpload(sid: "s\(body)", blockSize: 65535)
        for seq in 0..<52 { try await romeo.sendsBlock(seq, sid: "s\(body)", size: 60_000) }
      }
      try await romeo.transcript.expect("<close xmlns='http://jabber.org/protocol/ibb' sid='s13'/>")
      try await romeo.pings("p")
      opened.finish()
    }
  }

  @Test func aReaderThatGoesAwayTellsTheSender() async throws {
    let host = StreamHost.juliet { incoming, send in
      // Reads a little, and answers.
      for try await _ in incoming.request.body { break }
      try await send(HTTPXResponse(HTTPResponse(status: .contentTooLarge)))
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.sendsUpload(sid: "s")
      for seq in 0..<3 { try await romeo.sendsBlock(seq, sid: "s") }
      try await romeo.transcript.expect("statusCode='413'")
      try await romeo.transcript.expect("<close xmlns='http://jabber.org/protocol/ibb' sid='s'/>")
      try await romeo.sendsBlock(3, sid: "s")
      try await romeo.transcript.expect("type='error' id='b3'><error type='cancel'><item-not-found")
      try await performance.first().idle()
    }
  }

  @Test func aRequesterThatGoesAwayLeavesNothing() async throws {
    try await Romeo.dialled { romeo in
      // Before the answer: what comes of it later is declined.
      let waiting = Task { try await romeo.request() }
      let (id, _) = try await romeo.takesRequest()
      waiting.cancel()
      await #expect(throws: CancellationError.self) { _ = try await waiting.value }
      try await romeo.juliet.idle()
      try await romeo.answers(id, "<chunkedBase64 streamId='late'/>")
      try await romeo.peer.expect("<close xmlns='urn:xmpp:http' streamId='late'/>")
      // The same with others waiting: the open is refused at once, not held.
      let other = Task { try await romeo.request() }
      let (otherID, _) = try await romeo.takesRequest()
      let gone = Task { try await romeo.request() }
      let (goneID, _) = try await romeo.takesRequest()
      gone.cancel()
      await #expect(throws: CancellationError.self) { _ = try await gone.value }
      try await romeo.answers(goneID, "<ibb sid='late'/>")
      try await romeo.peer.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
      try await romeo.peer.expect("type='result' id='p'/>")
      try await eventually("the body is still awaited") { await romeo.juliet.load.incoming == 0 }
      try await romeo.peer.send(
        "<iq type='set' id='o'><open xmlns='http://jabber.org/protocol/ibb' block-size='9' sid='late'/></iq>")
      try await romeo.peer.expect("type='error' id='o'><error type='modify'><not-acceptable")
      try await romeo.answers(otherID)
      _ = try await other.value
      // While it reads.
      let reading = Task { try await romeo.request() }
      let (readingID, _) = try await romeo.takesRequest()
      try await romeo.answers(readingID, "<chunkedBase64 streamId='c'/>")
      try await romeo.peer.send(
        "<message><chunk xmlns='urn:xmpp:http' streamId='c' nr='0'>YWJj</chunk></message>")
      try await eventually("the body is not awaited") { await romeo.juliet.load.incoming > 0 }
      reading.cancel()
      try await romeo.peer.expect("<close xmlns='urn:xmpp:http' streamId='c'/>")
      await #expect(throws: (any Error).self) { _ = try await reading.value }
      try await romeo.juliet.idle()
    }
  }

  @Test func aRequesterThatGoesAwayStopsItsUpload() async throws {
    try await Romeo.dialled { romeo in
      let source = Source()
      let uploading = Task { try await romeo.request(.put, body: source.body) }
      _ = try await romeo.takesRequest()
      let (open, _) = try await romeo.takesIQ(with: "<open ")
      try await romeo.peer.send("<iq type='result' id='\(open)'/>")
      source.parts.yield(ByteBuffer(string: "tick"))
      try await romeo.peer.expect("dGljaw==")
      uploading.cancel()
      await #expect(throws: CancellationError.self) { _ = try await uploading.value }
      try await romeo.peer.expect("<close ")
      await source.waitUntilEnded()
      try await romeo.juliet.idle()
    }
  }

  @Test func theStreamEndsInTheMiddleOfAReceiving() async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.outcome()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.answers(id, "<chunkedBase64 streamId='c'/>")
      try await romeo.peer.send("<message><chunk xmlns='urn:xmpp:http' streamId='c' nr='0'>YWJj</chunk></message>")
      try await romeo.peer.hangUp()
      let outcome = await answer
      #expect(throws: StreamFailure.self) { try outcome.get() }
      try await romeo.juliet.idle()
    }
  }
}
