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
private let socks5 = "http://jabber.org/protocol/bytestreams"
private let fileTransfer = "http://jabber.org/protocol/si/profile/file-transfer"

/// Bodies that peers publish (XEP-0137), and Juliet asks for, as xmpp-httpx has it: one name from `<starting/>` to `<close/>`.
@Suite(.timeLimit(.minutes(2))) struct PublishedToUsTests {
  private static func sipub(_ id: String = "file-1", size: Int = 0) -> String {
    "<sipub xmlns='http://jabber.org/protocol/sipub' from='romeo@forza' id='\(id)' mime-type='image/png' "
      + "profile='\(fileTransfer)'><file xmlns='\(fileTransfer)' name='Kermit.png' size='\(size)'/></sipub>"
  }

  private static func offer(_ sid: String = "s", size: Int = 0, methods: [String] = [socks5, ibb]) -> String {
    let options = methods.map { "<option><value>\($0)</value></option>" }.joined()
    return "<iq type='set' id='si'><si xmlns='http://jabber.org/protocol/si' id='\(sid)' mime-type='image/png' "
      + "profile='\(fileTransfer)'><file xmlns='\(fileTransfer)' name='Kermit.png' size='\(size)'/>"
      + "<feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='form'>"
      + "<field var='stream-method' type='list-single'>\(options)</field></x></feature></si></iq>"
  }

  private static let starting = "<starting xmlns='http://jabber.org/protocol/sipub' sid='s'/>"
  private static let open = "<open xmlns='\(ibb)' block-size='49152' sid='s' stanza='iq'/>"
  private static let close = "<close xmlns='\(ibb)' sid='s'/>"

  /// Answers Juliet's request, and gives the id of her question for what is published.
  private func publishes(_ romeo: Romeo, size: Int = 0, length: Int? = nil) async throws -> String {
    let (id, _) = try await romeo.takesRequest()
    try await romeo.answers(id, Self.sipub(size: size), length: length)
    let (start, tag) = try await romeo.takesIQ(with: "<start ")
    #expect(tag == "<start xmlns='http://jabber.org/protocol/sipub' id='file-1'/>")
    return start
  }

  /// Up to the accepted offer.
  private func offers(_ romeo: Romeo, size: Int = 0, length: Int? = nil) async throws {
    let start = try await publishes(romeo, size: size, length: length)
    try await romeo.peer.send("<iq type='result' id='\(start)'>\(Self.starting)</iq>\(Self.offer(size: size))")
    try await romeo.peer.expect("type='result' id='si'><si xmlns='http://jabber.org/protocol/si'>")
    try await romeo.peer.expect("type='submit'>")
    try await romeo.peer.expect("<value>\(ibb)</value>")
  }

  private func sends(_ romeo: Romeo, _ elements: String...) async throws {
    for (index, element) in elements.enumerated() {
      try await romeo.peer.send("<iq type='set' id='t\(index)'>\(element)</iq>")
    }
  }

  private static func block(_ seq: Int, _ bytes: ByteBuffer) -> String {
    "<data xmlns='\(ibb)' sid='s' seq='\(seq)'>\(Base64.encode(bytes))</data>"
  }

  @Test(arguments: bodySizes, [true, false]) func arrivesAsItWas(size: Int, saysSize: Bool) async throws {
    let body = everyByte(size)
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      try await offers(romeo, size: saysSize ? size : 0)
      try await romeo.peer.send("<iq type='set' id='o'>\(Self.open)</iq>")
      try await romeo.peer.expect("type='result' id='o'/>")
      var rest = body
      var seq = 0
      while let part = rest.readSlice(length: min(49152, rest.readableBytes)), part.readableBytes > 0 {
        try await romeo.peer.send("<iq type='set' id='b\(seq)'>\(Self.block(seq, part))</iq>")
        try await romeo.peer.expect("type='result' id='b\(seq)'/>")
        seq += 1
      }
      try await romeo.peer.send("<iq type='set' id='c'>\(Self.close)</iq>")
      try await romeo.peer.expect("type='result' id='c'/>")
      #expect(try await answer.body == body)
      try await romeo.stillServes()
    }
  }

  @Test func anOpenMayComeWithItsOffer() async throws {
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      let start = try await publishes(romeo)
      try await romeo.peer.send("<iq type='result' id='\(start)'>\(Self.starting)</iq>\(Self.offer())")
      try await sends(romeo, Self.open, Self.block(0, ByteBuffer(string: "abc")), Self.close)
      #expect(try await answer.body == ByteBuffer(string: "abc"))
      try await romeo.stillServes()
    }
  }

  @Test func whatCannotBeHadIsAnError() async throws {
    let starts = [
      "type='error'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
      "type='result'/>", "type='result'><starting xmlns='http://jabber.org/protocol/sipub'/></iq>",
    ]
    for answer in starts {
      try await Romeo.dialled { romeo in
        async let outcome = romeo.outcome()
        let start = try await publishes(romeo)
        try await romeo.peer.send("<iq id='\(start)' \(answer)")
        let result = await outcome
        #expect(throws: StreamFailure.self) { try result.get() }
        try await romeo.stillServes()
      }
    }
  }

  @Test func anOfferOfOtherWaysIsRefused() async throws {
    try await Romeo.dialled { romeo in
      async let outcome = romeo.outcome()
      let start = try await publishes(romeo)
      // Somebody else's, and nobody waits for it.
      try await romeo.peer.send("<iq type='result' id='\(start)'>\(Self.starting)</iq>\(Self.offer("other"))")
      try await romeo.peer.expect("type='error' id='si'>")
      try await romeo.peer.send(Self.offer(methods: [socks5]))
      try await romeo.peer.expect("type='error' id='si'><error type='cancel'><bad-request ")
      try await romeo.peer.expect("<no-valid-streams xmlns='http://jabber.org/protocol/si'/>")
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await romeo.stillServes()
    }
  }

  @Test(
    arguments: [
      ("shorter than the file", 4, nil, [open, block(0, ByteBuffer(string: "abc")), close]),
      ("longer than the file", 2, nil, [open, block(0, ByteBuffer(string: "abc"))]),
      ("shorter than Content-Length", 0, 4, [open, block(0, ByteBuffer(string: "abc")), close]),
      ("a block left out", 0, nil, [open, block(1, ByteBuffer(string: "abc"))]),
      ("closed before it is open", 0, nil, [close]),
    ] as [(String, Int, Int?, [String])])
  func isNoShortBody(name: String, size: Int, length: Int?, then: [String]) async throws {
    try await Romeo.dialled { romeo in
      async let outcome = romeo.outcome()
      try await offers(romeo, size: size, length: length)
      for (index, element) in then.enumerated() {
        try await romeo.peer.send("<iq type='set' id='t\(index)'>\(element)</iq>")
      }
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await romeo.stillServes()
    }
  }

  @Test func twoLengthsThatDifferAreAnError() async throws {
    try await Romeo.dialled { romeo in
      async let outcome = romeo.outcome()
      let (id, _) = try await romeo.takesRequest()
      try await romeo.answers(id, Self.sipub(size: 3), length: 4)
      let result = await outcome
      #expect(throws: StreamFailure.self) { try result.get() }
      try await romeo.stillServes()
    }
  }

  @Test func whoVanishesInTheMiddleLeavesAnError() async throws {
    for isOpen in [false, true] {
      try await Romeo.dialled { romeo in
        async let outcome = romeo.outcome()
        try await offers(romeo, size: 6)
        if isOpen {
          try await sends(romeo, Self.open, Self.block(0, ByteBuffer(string: "abc")))
          try await romeo.peer.expect("type='result' id='t1'/>")
        }
        try await romeo.peer.hangUp()
        let result = await outcome
        #expect(throws: StreamFailure.self) { try result.get() }
        try await romeo.juliet.idle()
      }
    }
  }

  @Test func aReaderThatGoesAwayEndsIt() async throws {
    for isOffered in [false, true] {
      try await Romeo.dialled { romeo in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { _ = try await romeo.request() }
          if isOffered { try await offers(romeo) } else { _ = try await publishes(romeo) }
          group.cancelAll()
          await #expect(throws: (any Error).self) { try await group.waitForAll() }
        }
        try await romeo.juliet.idle()
        if isOffered {
          try await romeo.peer.send("<iq type='set' id='o'>\(Self.open)</iq>")
          try await romeo.peer.expect("type='error' id='o'>")
        }
        try await romeo.stillServes()
      }
    }
  }
}

/// Bodies that Juliet publishes, to peers who let her.
@Suite(.timeLimit(.minutes(2))) struct PublishedByUsTests {
  private static func host(
    _ body: Body, length: Int? = nil, _ preference: [BodyMechanism] = [.sipub, .ibb]
  ) -> StreamHost {
    .juliet(preference: preference) { incoming, send in
      if incoming.request.head.method == .put { return try await StreamHost.echo(incoming, send) }
      var head = HTTPResponse(status: .ok, headerFields: [.contentType: "image/png"])
      if let length { head.headerFields[.contentLength] = "\(length)" }
      try await send(HTTPXResponse(head, body: body))
    }
  }

  private static let get =
    "<req xmlns='urn:xmpp:http' method='GET' resource='/a/Kermit.png?b/c' version='1.1' maxChunkSize='49152'"

  private static func start(_ id: String, iq: String = "s", type: String = "get") -> String {
    "<iq type='\(type)' id='\(iq)'><start xmlns='http://jabber.org/protocol/sipub' id='\(id)'/></iq>"
  }

  private static func accepts(_ iq: String, _ method: String = ibb) -> String {
    "<iq type='result' id='\(iq)'><si xmlns='http://jabber.org/protocol/si'>"
      + "<feature xmlns='http://jabber.org/protocol/feature-neg'><x xmlns='jabber:x:data' type='submit'>"
      + "<field var='stream-method'><value>\(method)</value></field></x></feature></si></iq>"
  }

  /// The id of the publication in the response.
  private func asks(_ romeo: any Speaker, size: Int = 0) async throws -> String {
    try await romeo.send("<iq type='set' id='r'>\(Self.get)/></iq>")
    try await romeo.transcript.expect("type='result' id='r'>")
    try await romeo.transcript.expect("<data><sipub xmlns='http://jabber.org/protocol/sipub'")
    try await romeo.transcript.expect(" id='")
    let id = String(try await romeo.transcript.expect("'").dropLast())
    try await romeo.transcript.expect("mime-type='image/png' profile='\(fileTransfer)'>")
    try await romeo.transcript.expect("<file xmlns='\(fileTransfer)' name='Kermit.png' size='\(size)'/></sipub></data>")
    return id
  }

  /// The name of the offer, and its IQ.
  private func starts(_ romeo: any Speaker, _ id: String) async throws -> (sid: String, iq: String) {
    try await romeo.send(Self.start(id))
    try await romeo.transcript.expect("type='result' id='s'><starting xmlns='http://jabber.org/protocol/sipub' sid='")
    let sid = String(try await romeo.transcript.expect("'").dropLast())
    #expect(sid != id)
    try await romeo.transcript.expect("type='set' id='")
    let iq = String(try await romeo.transcript.expect("'").dropLast())
    try await romeo.transcript.expect("<si xmlns='http://jabber.org/protocol/si' id='\(sid)'")
    try await romeo.transcript.expect("<option><value>\(ibb)</value></option>")
    try await romeo.transcript.expect("</si></iq>")
    return (sid, iq)
  }

  private func opens(_ romeo: any Speaker, _ sid: String) async throws {
    try await romeo.transcript.expect("type='set' id='")
    let iq = try await romeo.transcript.expect("'").dropLast()
    try await romeo.transcript.expect("sid='\(sid)' stanza='iq'/></iq>")
    try await romeo.send("<iq type='result' id='\(iq)'/>")
  }

  /// All up to `<close/>`.
  private func takes(_ romeo: any Speaker) async throws -> ByteBuffer {
    var body = ByteBuffer()
    while true {
      try await romeo.transcript.expect("<iq ")
      try await romeo.transcript.expect("id='")
      let iq = try await romeo.transcript.expect("'").dropLast()
      try await romeo.transcript.expect(">")
      let tag = try await romeo.transcript.expect(">")
      if tag.hasPrefix("<close ") {
        try await romeo.send("<iq type='result' id='\(iq)'/>")
        return body
      }
      let bytes = Base64.decode(String(try await romeo.transcript.expect("<").dropLast()))
      body.writeImmutableBuffer(try #require(bytes))
      try await romeo.send("<iq type='result' id='\(iq)'/>")
    }
  }

  @Test(arguments: bodySizes, [true, false]) func arrivesAsItWas(size: Int, isKnown: Bool) async throws {
    // What is known to be small goes inside the stanza.
    guard !isKnown || size > 65_536 else { return }
    let body = everyByte(size)
    let source = Source(length: isKnown ? size : nil)
    try await Performance.run(
      on: .sockets, host: Self.host(source.body, length: isKnown ? size : nil)
    ) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      source.parts.yield(body)
      source.parts.finish()
      let id = try await asks(romeo, size: isKnown ? size : 0)
      let (sid, iq) = try await starts(romeo, id)
      try await romeo.send(Self.accepts(iq))
      try await opens(romeo, sid)
      #expect(try await takes(romeo) == body)
      try await performance.first().idle()
      // Once is enough.
      try await romeo.send(Self.start(id, iq: "again", type: "set"))
      try await romeo.transcript.expect("type='error' id='again'><error type='modify'><not-acceptable ")
    }
  }

  @Test(
    arguments: [
      ("", [.sipub, .ibb], "<sipub "), (" sipub='true'", [.sipub], "<sipub "),
      (" sipub='false'", [.sipub, .ibb], "<ibb "),
      (" ibb='false'", [.sipub, .ibb], "<chunkedBase64 "), ("", [.ibb, .sipub], "<ibb "),
      ("", [.ibb, .chunkedBase64], "<ibb "),
      ("", [.chunkedBase64], "<chunkedBase64 "), (" sipub='false'", [.sipub], "<ibb "),
      (" ibb='false' sipub='false'", [.sipub], "<chunkedBase64 "),
    ] as [(String, [BodyMechanism], String)])
  func theFlagsOfThePeerComeFirst(flags: String, preference: [BodyMechanism], mechanism: String) async throws {
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.host(source.body, preference)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send("<iq type='set' id='r'>\(Self.get)\(flags)/></iq>")
      try await romeo.transcript.expect("<data>\(mechanism)")
      try await romeo.hangUp()
      await source.waitUntilEnded()
      try await performance.first().idle()
    }
  }

  @Test func whatIsNotPublishedIsNotStarted() async throws {
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      let id = try await asks(romeo)
      try await romeo.send(Self.start("\(id)x", iq: "1"))
      try await romeo.transcript.expect("type='error' id='1'><error type='modify'><not-acceptable ")
      try await romeo.send("<iq type='get' id='2'><start xmlns='http://jabber.org/protocol/sipub'/></iq>")
      try await romeo.transcript.expect("type='error' id='2'>")
      // Another stream's are its own.
      let paris = try await performance.connect()
      try await paris.greet(as: "paris")
      try await paris.send(Self.start(id, iq: "3"))
      try await paris.transcript.expect("type='error' id='3'><error type='modify'><not-acceptable ")
      try await paris.hangUp()
      _ = try await starts(romeo, id)
      try await romeo.send(Self.start(id, iq: "4"))
      try await romeo.transcript.expect("type='error' id='4'><error type='modify'><not-acceptable ")
      try await romeo.hangUp()
      await source.waitUntilEnded()
      try await performance.first().idle()
    }
  }

  @Test func anOfferThatIsRefusedEndsTheSender() async throws {
    for answer in ["error", socks5] {
      let source = Source()
      try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
        let romeo = try await performance.connect()
        try await romeo.greet()
        let (_, iq) = try await starts(romeo, try await asks(romeo))
        if answer == "error" {
          try await romeo.send(
            "<iq type='error' id='\(iq)'><error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
          )
        } else {
          try await romeo.send(Self.accepts(iq, answer))
        }
        await source.waitUntilEnded()
        try await performance.first().idle()
        try await romeo.pings("still")
      }
    }
  }

  @Test func whoNeverAsksOrNeverAnswersIsNotWaitedForForEver() async throws {
    for isStarted in [false, true] {
      let source = Source()
      try await Performance.run(on: .memory, host: Self.host(source.body)) { performance in
        let romeo = try await performance.connect()
        try await romeo.greet()
        let id = try await asks(romeo)
        if isStarted { _ = try await starts(romeo, id) }
        // It is there, and answers pings.
        for _ in 1...3 {
          try await performance.pass(.seconds(10))
          try await romeo.transcript.expect("type='get' id='")
          let ping = try await romeo.transcript.expect("'").dropLast()
          try await romeo.send("<iq type='result' id='\(ping)'/>")
        }
        try await performance.pass(.milliseconds(100))
        await source.waitUntilEnded()
        try await performance.first().idle()
        try await romeo.send(Self.start(id, iq: "late"))
        try await romeo.transcript.expect("type='error' id='late'><error type='modify'><not-acceptable ")
      }
    }
  }

  @Test func whoVanishesInTheMiddleEndsTheSender() async throws {
    let source = Source()
    try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      source.parts.yield(ByteBuffer(string: "tick"))
      let (sid, iq) = try await starts(romeo, try await asks(romeo))
      try await romeo.send(Self.accepts(iq))
      try await opens(romeo, sid)
      try await romeo.transcript.expect("dGljaw==")
      try await romeo.hangUp()
      await source.waitUntilEnded()
      try await performance.first().idle()
    }
  }

  @Test func aSourceThatBreaksIsNoShortBody() async throws {
    for isStarted in [false, true] {
      let source = Source()
      try await Performance.run(on: .sockets, host: Self.host(source.body)) { performance in
        let romeo = try await performance.connect()
        try await romeo.greet()
        source.parts.yield(ByteBuffer(string: "tick"))
        let id = try await asks(romeo)
        if isStarted {
          let (sid, iq) = try await starts(romeo, id)
          try await romeo.send(Self.accepts(iq))
          try await opens(romeo, sid)
          try await romeo.transcript.expect("seq='0'")
          source.parts.finish(throwing: Broken())
          try await romeo.transcript.expect("seq='2'")
          try await romeo.transcript.expect("<close ")
        } else {
          source.parts.finish(throwing: Broken())
          try await performance.first().idle()
          try await romeo.send(Self.start(id))
          try await romeo.transcript.expect("type='error' id='s'><error type='modify'><not-acceptable ")
        }
        try await performance.first().idle()
      }
    }
  }

  /// XEP-0332 does not speak of it, and it costs nothing.
  @Test func aRequestMayBePublished() async throws {
    try await Performance.run(on: .sockets, host: Self.host(.empty)) { performance in
      let romeo = try await performance.connect()
      try await romeo.greet()
      try await romeo.send(
        "<iq type='set' id='r'><req xmlns='urn:xmpp:http' method='PUT' resource='/' version='1.1'><data>"
          + "<sipub xmlns='http://jabber.org/protocol/sipub' id='p' profile='\(fileTransfer)'>"
          + "<file xmlns='\(fileTransfer)' name='a' size='3'/></sipub></data></req></iq>")
      try await romeo.transcript.expect("type='get' id='")
      let iq = try await romeo.transcript.expect("'").dropLast()
      try await romeo.transcript.expect("<start xmlns='http://jabber.org/protocol/sipub' id='p'/>")
      try await romeo.send(
        "<iq type='result' id='\(iq)'><starting xmlns='http://jabber.org/protocol/sipub' sid='s'/></iq>"
          + "<iq type='set' id='o'><open xmlns='\(ibb)' block-size='4096' sid='s'/></iq>"
          + "<iq type='set' id='b'><data xmlns='\(ibb)' sid='s' seq='0'>YWJj</data></iq>"
          + "<iq type='set' id='c'><close xmlns='\(ibb)' sid='s'/></iq>")
      try await romeo.transcript.expect("type='result' id='r'>")
      try await romeo.transcript.expect("<base64>YWJj</base64>")
    }
  }
}
