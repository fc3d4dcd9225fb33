import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import Streams
import TestKit
import Testing
import XMPP

/// Juliet's requests, answered by peers of all kinds.
@Suite(.timeLimit(.minutes(2))) struct RequesterTests {
  @Test func anHonestAnswer() async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      let (id, request) = try await romeo.takesRequest()
      #expect(request.contains("sipub='false' ibb='true' jingle='false' s5='false'"))
      #expect(request.contains("maxChunkSize='65535'"))
      try await romeo.answers(id, "<text>hello</text>", length: 5)
      #expect(try await answer.body == ByteBuffer(string: "hello"))
      try await romeo.juliet.idle()
    }
  }

  struct BadAnswer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let payload: String
    var status = 200
    var length: Int?
    var method = HTTPRequest.Method.get
    /// What follows the answer.
    var then: [String] = []
  }

  static let ibbOpen = "<open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='s'/>"
  static let ibbData = "<data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='0'>YWJj</data>"
  static let ibbClose = "<close xmlns='http://jabber.org/protocol/ibb' sid='s'/>"

  static let badAnswers = [
    BadAnswer(testDescription: "shorter than Content-Length", payload: "<text>abc</text>", length: 4),
    BadAnswer(testDescription: "longer than Content-Length", payload: "<base64>YWJj</base64>", length: 2),
    BadAnswer(testDescription: "nothing instead of Content-Length", payload: "", length: 2),
    BadAnswer(testDescription: "no base64", payload: "<base64>!</base64>"),
    BadAnswer(
      testDescription: "sipub, which was not allowed", payload: "<sipub xmlns='http://jabber.org/protocol/sipub'/>"),
    BadAnswer(testDescription: "two bodies", payload: "<text>a</text><text>b</text>"),
    BadAnswer(testDescription: "status 100, as to Expect", payload: "", status: 100),
    BadAnswer(testDescription: "status -1", payload: "", status: -1),
    BadAnswer(
      testDescription: "ibb shorter than Content-Length", payload: "<ibb sid='s'/>", length: 4,
      then: [ibbOpen, ibbData, ibbClose]),
    BadAnswer(
      testDescription: "ibb longer than Content-Length", payload: "<ibb sid='s'/>", length: 2, then: [ibbOpen, ibbData]),
    BadAnswer(testDescription: "ibb closed before it was open", payload: "<ibb sid='s'/>", then: [ibbClose]),
    BadAnswer(
      testDescription: "ibb with a gap", payload: "<ibb sid='s'/>",
      then: [ibbOpen, "<data xmlns='http://jabber.org/protocol/ibb' sid='s' seq='1'>YWJj</data>"]),
  ]

  @Test(arguments: badAnswers) func isAnErrorAndNothingElse(_ bad: BadAnswer) async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.outcome(bad.method)
      let (id, _) = try await romeo.takesRequest()
      try await romeo.answers(id, bad.payload, status: bad.status, length: bad.length)
      for (index, element) in bad.then.enumerated() {
        try await romeo.peer.send("<iq type='set' id='t\(index)'>\(element)</iq>")
      }
      let outcome = await answer
      #expect(throws: StreamFailure.self) { try outcome.get() }
      try await romeo.stillServes()
    }
  }

  @Test(arguments: [
    ("chunks shorter than Content-Length", 4, "nr='0' last='true'>YWJj"),
    ("chunks longer than Content-Length", 2, "nr='0'>YWJj"),
    ("a chunk that is no base64", 3, "nr='0'>!!"),
  ]) func badChunksAreAnError(name: String, length: Int, chunk: String) async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.outcome()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.answers(id, "<chunkedBase64 streamId='c'/>", length: length)
      try await romeo.peer.send("<message><chunk xmlns='urn:xmpp:http' streamId='c' \(chunk)</chunk></message>")
      let outcome = await answer
      #expect(throws: StreamFailure.self) { try outcome.get() }
      try await romeo.stillServes()
    }
  }

  @Test func answersWithoutABody() async throws {
    try await Romeo.dialled { romeo in
      for (method, status) in [(HTTPRequest.Method.head, 200), (.get, 204), (.get, 304)] {
        async let answer = romeo.request(method)
        let (id, _) = try await romeo.takesRequest()
        // Rainbow sends a body all the same.
        try await romeo.answers(id, "<text>none</text>", status: status, length: 1000)
        #expect(try await answer.body.readableBytes == 0)
        #expect(try await answer.head.headerFields[.contentLength] == "1000")
      }
      try await romeo.juliet.idle()
    }
  }

  @Test func errorsOfThePeerArriveAsTheyAre() async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.peer.send(
        "<iq type='error' id='\(id)'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
      )
      do {
        _ = try await answer
        Issue.record("an error was taken for an answer")
      } catch StreamFailure.stanza(let error) {
        #expect(error.condition == .forbidden)
      }
      // Rainbow, when it is disabled.
      async let empty = romeo.outcome()
      let (next, _) = try await romeo.takesRequest()
      try await romeo.peer.send("<iq type='result' id='\(next)'/>")
      let outcome = await empty
      #expect(throws: StreamFailure.self) { try outcome.get() }
      try await romeo.stillServes()
    }
  }

  @Test func aSecondAnswerIsNobodys() async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.answers(id, "<text>one</text>")
      try await romeo.answers(id, "<text>two</text>")
      #expect(try await answer.body == ByteBuffer(string: "one"))
      try await romeo.stillServes()
    }
  }

  /// xmpp-httpx over servers, and every stranger: the open may come before the response.
  @Test func anOpenBeforeTheResponseIsParked() async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.peer.send(
        "<iq type='set' id='o1'>\(Self.ibbOpen)</iq><iq type='set' id='o2'>\(Self.ibbOpen)</iq>")
      try await eventually("the opens are not held") { await romeo.juliet.load.earlyOpens == 2 }
      try await romeo.answers(id, "<ibb sid='s'/>", length: 3)
      try await romeo.peer.expect("type='result' id='o1'/>")
      try await romeo.peer.expect("type='error' id='o2'><error type='modify'><not-acceptable")
      try await romeo.peer.send("<iq type='set' id='d'>\(Self.ibbData)</iq><iq type='set' id='c'>\(Self.ibbClose)</iq>")
      #expect(try await answer.body == ByteBuffer(string: "abc"))
      try await romeo.juliet.idle()
    }
  }

  @Test func uploadsGoByChunksToStrangersAndByIBBToFriends() async throws {
    let bytes = ByteBuffer(repeating: 7, count: 200_000)
    // No limit is told: 4096 bytes a chunk, and no stanza of more than 10,000 bytes.
    try await Romeo.dialled(greeting: Romeo.header + Romeo.features([], limit: nil)) { romeo in
      async let answer = romeo.request(.put, body: Body(bytes))
      let (id, request) = try await romeo.takesRequest()
      #expect(request.contains("<chunkedBase64 streamId='"))
      try await romeo.peer.expect("nr='0'>")
      let first = try await romeo.peer.expect("<")
      #expect(first.utf8.count - 1 == (4096 + 2) / 3 * 4)
      try await romeo.peer.expect("last='true'")
      try await romeo.answers(id, "<text>done</text>")
      #expect(try await answer.body == ByteBuffer(string: "done"))
      try await romeo.juliet.idle()
    }
    try await Romeo.dialled { romeo in
      async let answer = romeo.request(.put, body: Body(bytes))
      let (id, request) = try await romeo.takesRequest()
      #expect(request.contains("<ibb sid='"))
      try await romeo.peer.expect("block-size='49152'")
      // Answered before the upload: it stops.
      try await romeo.answers(id, "<text>no, thanks</text>")
      #expect(try await answer.body == ByteBuffer(string: "no, thanks"))
      try await romeo.juliet.idle()
    }
  }

  @Test func aHeadThatIsTooLargeForThePeerFailsAlone() async throws {
    try await Romeo.dialled { romeo in
      var fields = HTTPFields()
      for _ in 1...30 { fields.append(HTTPField(name: .cookie, value: String(repeating: "c", count: 10_000))) }
      await #expect(throws: StreamFailure.self) { _ = try await romeo.request(fields: fields) }
      try await romeo.stillServes()
    }
  }

  /// A device that was opened while its name was being probed: what its node said then is over.
  @Test func whoHadNoHTTPIsAskedOnceForAllBeforeRequestsFail() async throws {
    let features = Romeo.features().replacing("urn:xmpp:http", with: "urn:xmpp:ping")
    try await Romeo.dialled(greeting: Romeo.header + features) { romeo in
      async let one = romeo.request()
      let (question, _) = try await romeo.takesIQ(with: "disco#info")
      async let other = romeo.request()
      try await romeo.peer.send(
        "<iq type='result' id='\(question)'><query xmlns='http://jabber.org/protocol/disco#info'>"
          + "<feature var='urn:xmpp:http'/></query></iq>")
      for _ in 1...2 {
        let (id, _) = try await romeo.takesRequest()
        try await romeo.answers(id, "<text>here</text>")
      }
      #expect(try await one.body == ByteBuffer(string: "here"))
      #expect(try await other.body == ByteBuffer(string: "here"))
      try await romeo.juliet.idle()
    }
  }

  @Test func whoAnswersNoQueriesIsNoHTTPDevice() async throws {
    // Pidgin: no version, no features, and silence to every IQ.
    let header =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    try await Romeo.dialled(greeting: header) { romeo in
      async let answer = romeo.request()
      let (id, _) = try await romeo.takesIQ(with: "disco#info")
      try await romeo.peer.send(
        "<iq type='error' id='\(id)'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
      )
      do {
        _ = try await answer
        Issue.record("a chat program answered")
      } catch StreamFailure.notHTTP {
      }
      // Known by now: it is not asked again.
      await #expect(throws: StreamFailure.self) { _ = try await romeo.request() }
      try await romeo.juliet.idle()
    }
  }

  /// The stream's end is no statement on what the peer can do.
  @Test func whoHangsUpWhileAskedWhatItCanDoIsNotJudged() async throws {
    let header =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    try await Romeo.dialled(greeting: header) { romeo in
      async let answer = romeo.request()
      _ = try await romeo.takesIQ(with: "disco#info")
      try await romeo.peer.hangUp()
      do {
        _ = try await answer
        Issue.record("nobody answered")
      } catch StreamFailure.closed {
      }
    }
  }

  @Test func whoHangsUpAtOnceIsNoInternalError() async throws {
    let listener = try await ScriptedListener()
    for reset in [true, false] {
      async let accepted = listener.accept()
      async let dialled = Romeo.outcome { try await Romeo.dial(listener.port) }
      let peer = try await accepted
      if reset { try await peer.reset() } else { try await peer.hangUp() }
      guard case .failure(let error) = await dialled else {
        Issue.record("nobody was there")
        continue
      }
      // The second where the reset is quicker than we are.
      #expect(error is StreamFailure || error is NIOConnectionError, "\(error)")
    }
    try await listener.close()
  }

  @Test func aDialThatIsCancelledEndsAtOnce() async throws {
    let listener = try await ScriptedListener()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = try await Romeo.dial(listener.port) }
      // Connected, and waiting for a header that never comes, for 10 s.
      let peer = try await listener.accept()
      try await peer.expect("version='1.0'>")
      let start = ContinuousClock.now
      group.cancelAll()
      await #expect(throws: CancellationError.self) { try await group.waitForAll() }
      try await peer.expectClose()
      #expect(ContinuousClock.now - start < .seconds(5))
    }
    try await listener.close()
  }
}
