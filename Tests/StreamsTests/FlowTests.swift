import HTTPTypes
import HTTPX
import NIOCore
import Streams
import Synchronization
import TestKit
import Testing
import XMPP

/// Back-pressure and cancellation: who is slow or gone slows and ends its own transfer, and that at once.
@Suite struct FlowTests {
  private static let get =
    "<req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1' maxChunkSize='49152'"

  private static func answering(_ body: Body) -> StreamHost {
    .juliet { incoming, send in
      if incoming.request.head.method == .put { return try await StreamHost.echo(incoming, send) }
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: body))
    }
  }

  private static func stream(_ performance: Performance) -> PeerStream { performance.streams[0] }

  private static func ping(_ peer: any Speaker, _ id: String) async throws {
    try await peer.send("<iq type='get' id='\(id)'><ping xmlns='urn:xmpp:ping'/></iq>")
    try await peer.transcript.expect("type='result' id='\(id)'/>")
  }

  // MARK: Sending

  @Test func aReaderThatAnswersNoBlocksStopsTheSenderWithinTheWindow() async throws {
    let endless = Endless(part: 65536)
    try await Performance.run(on: .sockets, host: Self.answering(Body(endless))) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
      let sid = try await romeo.takesOpen()
      #expect(try await romeo.blocks(of: sid, 8).count == 8)
      // Others on the same stream are served, more than once, and no ninth block comes.
      for id in 1...20 { try await Self.ping(romeo, "p\(id)") }
      #expect(!romeo.transcript.rest.contains("<data "))
      // Eight in flight, one and a half more written.
      #expect(endless.taken <= 10 * 49152 + 65536)
      let load = await Self.stream(performance).load
      #expect(load.outgoing == 1 && load.answering == 1)
      try await romeo.send("<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='\(sid)'/></iq>")
      try await romeo.transcript.expect("type='result' id='c'/>")
      try await Self.stream(performance).idle()
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
          try await romeo.send("<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='\(sid)'/></iq>")
        } else {
          try await romeo.transcript.expect("<chunk xmlns='urn:xmpp:http' streamId='")
          let streamId = try await romeo.transcript.expect("'").dropLast()
          try await romeo.transcript.expect("dGljaw==")
          try await romeo.send("<message><cancel xmlns='urn:xmpp:http' streamId='\(streamId)'/></message>")
        }
        // The source is let go, though it never said another word.
        await source.waitUntilEnded()
        try await Self.stream(performance).idle()
        try await Self.ping(romeo, "still")
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
      try await Self.stream(performance).idle()
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
      try await Self.stream(performance).idle()
    }
  }

  @Test func anOpenThatIsNeverAnsweredEndsTheSender() async throws {
    let source = Source()
    try await Performance.run(on: .memory, host: Self.answering(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
      try await romeo.transcript.expect("<open ")
      try await performance.pass(.seconds(6))
      // It is there, and answers pings; only the open is never answered.
      try await romeo.transcript.expect("id='2'><ping")
      try await romeo.send("<iq type='result' id='2'/>")
      try await performance.pass(.milliseconds(4100))
      await source.waitUntilEnded()
      try await Self.stream(performance).idle()
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
      try await endless.waitUntilQuiet()
      // The kernel's buffers on both sides, and ours.
      #expect(endless.taken < 16 << 20)
      try await Scenario("").play(in: performance)
      let before = endless.taken
      try await romeo.listenAgain()
      while endless.taken < before + (4 << 20) { try await Task.sleep(for: .milliseconds(5)) }
      try await romeo.hangUp()
      try await Self.stream(performance).idle()
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
        try await Self.stream(performance).idle()
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
        try await Self.stream(performance).idle()
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
          "<iq type='set' id='r'><req xmlns='urn:xmpp:http' method='\(method)' resource='/\(status)' version='1.1'/></iq>")
        let answer = try await romeo.transcript.expect("</iq>")
        #expect(answer.contains("statusCode='\(status)'") && answer.contains(">65536<") && !answer.contains("<data"))
      }
      try await Self.stream(performance).idle()
    }
  }

  // MARK: Receiving

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
      try await Self.ping(romeo, "p")
      #expect(!romeo.transcript.rest.contains("id='b"), "no block is answered before it is read")
      opened.finish()
      for seq in 0..<8 { try await romeo.transcript.expect("type='result' id='b\(seq)'/>") }
      try await romeo.send("<iq type='set' id='c'><close xmlns='http://jabber.org/protocol/ibb' sid='s'/></iq>")
      try await romeo.transcript.expect("statusCode='200'")
    }
  }

  /// One that minds no window is cut off before it has taken the memory of all.
  @Test func whoSendsWithoutWaitingIsCutOff() async throws {
    let (gate, opened) = AsyncStream.makeStream(of: Void.self)
    let host = StreamHost.juliet { incoming, _ in
      for await _ in gate {}
      _ = incoming
      throw Broken()
    }
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try #require(try await performance.connect() as? ScriptedPeer)
      try await romeo.greet()
      // Eleven bodies of 3 MiB each, none of which alone is too much.
      for body in 0..<11 {
        try await romeo.sendsUpload(sid: "s\(body)", blockSize: 65535)
        for seq in 0..<52 { try await romeo.sendsBlock(seq, sid: "s\(body)", size: 60_000) }
      }
      try await romeo.transcript.expect("<close xmlns='http://jabber.org/protocol/ibb' sid='s10'/>")
      try await Self.ping(romeo, "p")
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
      try await Self.stream(performance).idle()
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
      // The same with others waiting: the open is refused at once, not parked.
      let other = Task { try await romeo.request() }
      let (otherID, _) = try await romeo.takesRequest()
      let gone = Task { try await romeo.request() }
      let (goneID, _) = try await romeo.takesRequest()
      gone.cancel()
      await #expect(throws: CancellationError.self) { _ = try await gone.value }
      try await romeo.answers(goneID, "<ibb sid='late'/>")
      try await romeo.peer.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
      try await romeo.peer.expect("type='result' id='p'/>")
      while await romeo.juliet.load.incoming > 0 { try await Task.sleep(for: .milliseconds(2)) }
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
      while await romeo.juliet.load.incoming == 0 { try await Task.sleep(for: .milliseconds(2)) }
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

/// A body without end, that counts what is taken of it.
final class Endless: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  private let part: ByteBuffer
  private let count = Mutex(0)

  init(part: Int) {
    self.part = ByteBuffer(repeating: 0, count: part)
  }

  /// Bytes.
  var taken: Int { count.withLock { $0 } }

  /// Waits until nobody takes any for a while.
  func waitUntilQuiet() async throws {
    var before = -1
    while before != taken || before == 0 {
      before = taken
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    let body: Endless

    mutating func next() async throws -> ByteBuffer? {
      try Task.checkCancellation()
      body.count.withLock { $0 += body.part.readableBytes }
      return body.part
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }
}

extension Speaker {
  /// Accepts a bytestream of Juliet's, and gives its name.
  func takesOpen() async throws -> String {
    try await transcript.expect("<data><ibb sid='")
    let sid = String(try await transcript.expect("'").dropLast())
    try await transcript.expect("type='set' id='")
    let id = try await transcript.expect("'").dropLast()
    try await transcript.expect("sid='\(sid)' stanza='iq'/></iq>")
    try await send("<iq type='result' id='\(id)'/>")
    return sid
  }

  /// The ids of the next blocks.
  func blocks(of sid: String, _ count: Int) async throws -> [String] {
    var ids: [String] = []
    for _ in 1...count {
      try await transcript.expect("type='set' id='")
      ids.append(String(try await transcript.expect("'").dropLast()))
      try await transcript.expect("sid='\(sid)'>")
      try await transcript.expect("</iq>")
    }
    return ids
  }

  func sendsUpload(sid: String, blockSize: Int = 4096) async throws {
    try await send(
      "<iq type='set' id='r\(sid)'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'>"
        + "<data><ibb sid='\(sid)'/></data></req></iq><iq type='set' id='o\(sid)'>"
        + "<open xmlns='http://jabber.org/protocol/ibb' block-size='\(blockSize)' sid='\(sid)'/></iq>")
    try await transcript.expect("id='o\(sid)'/>")
  }

  func sendsBlock(_ seq: Int, sid: String, size: Int = 3) async throws {
    let base64 = String(repeating: "AAAA", count: size / 3)
    try await send(
      "<iq type='set' id='b\(seq)'><data xmlns='http://jabber.org/protocol/ibb' sid='\(sid)' seq='\(seq)'>"
        + "\(base64)</data></iq>")
  }
}
