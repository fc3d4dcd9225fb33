import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Streams
import TestKit
import Testing
import XMPP

/// What Juliet answers peers of other kinds with: what they have said that they take, and can read.
@Suite(.timeLimit(.minutes(1))) struct ForeignRequesterTests {
  /// COMPAT(IoTGateway): says that it takes SOCKS5 streams, of which XEP-0332 knows nothing, and has the last word on the rest.
  private static func gateway(ibb: Bool = true, sipub: Bool = false, jingle: Bool = false) -> String {
    "maxChunkSize='50000' sipub='\(sipub)' ibb='\(ibb)' s5='true' jingle='\(jingle)' post='https://forza/'"
  }

  private static func host(_ preference: [BodyMechanism], _ type: String, _ body: ByteBuffer) -> StreamHost {
    .juliet(preference: preference) { incoming, send in
      if incoming.request.head.method == .put { return try await StreamHost.echo(incoming, send) }
      try await send(
        HTTPXResponse(HTTPResponse(status: .ok, headerFields: [.contentType: type]), body: Body(body), prefersXML: true)
      )
    }
  }

  private func asks(_ romeo: any Speaker, _ type: String, _ attributes: String) async throws {
    try await romeo.greet()
    try await romeo.send(
      "<iq type='\(type)' id='r'><req xmlns='urn:xmpp:http' method='GET' resource='/' version='1.1' \(attributes)>"
        + "<headers xmlns='http://jabber.org/protocol/shim'><header name='host'>pi</header></headers></req></iq>")
    try await romeo.transcript.expect("type='result' id='r'>")
  }

  /// By which element, where the owner prefers sipub, then jingle, and the service `<xml>`.
  @Test(
    arguments: [
      ("get", gateway(), false, "<base64>"), ("get", gateway(), true, "<ibb "),
      ("get", gateway(ibb: false), true, "<chunkedBase64 "),
      ("get", gateway(ibb: false, sipub: true), true, "<chunkedBase64 "),
      // xmpp-httpx says only what it does not take.
      ("set", "maxChunkSize='65536'", false, "<xml><a xmlns=''>b</a></xml>"),
      ("set", "maxChunkSize='65536'", true, "<sipub "), ("set", "maxChunkSize='65536' sipub='false'", true, "<jingle "),
      ("set", "maxChunkSize='65536' sipub='false' jingle='false'", true, "<ibb "),
      ("set", "maxChunkSize='65536' ibb='false'", true, "<chunkedBase64 "),
    ] as [(String, String, Bool, String)])
  func eachGetsWhatItReads(type: String, attributes: String, isLarge: Bool, element: String) async throws {
    let body = isLarge ? everyByte(100_000) : ByteBuffer(string: "<a>b</a>")
    let host = Self.host([.sipub, .jingle], isLarge ? "image/png" : "text/xml", body)
    try await Performance.run(on: .sockets, host: host) { performance in
      let romeo = try await performance.connect()
      try await asks(romeo, type, attributes)
      // What is there for SOCKS5 only gets a document as text: it would take the text alone of it.
      let isText = element == "<base64>"
      try await romeo.transcript.expect(isText ? "<data><text>&lt;a&gt;b&lt;/a&gt;</text>" : "<data>\(element)")
      try await romeo.hangUp()
      try await performance.first().idle()
    }
  }

  /// COMPAT(IoTGateway): nothing of a body may come before its response, and a block waits for the answer to the one before
  /// where the peer answers one after the other.
  @Test(arguments: [true, false]) func aGatewayTakesALargeBody(allowsIBB: Bool) async throws {
    let body = everyByte(300_000)
    try await Performance.run(on: .sockets, host: Self.host([.sipub], "image/png", body)) { performance in
      let romeo = try await performance.connect()
      try await asks(romeo, "get", Self.gateway(ibb: allowsIBB))
      var received = ByteBuffer()
      func take() async throws {
        let base64 = try await romeo.transcript.expect("<").dropLast()
        received.writeImmutableBuffer(try #require(Base64.decode(String(base64))))
      }
      if allowsIBB {
        let sid = try await romeo.takesOpen()
        for _ in 0..<(300_000 + 49_151) / 49_152 {
          try await romeo.transcript.expect("type='set' id='")
          let iq = try await romeo.transcript.expect("'").dropLast()
          try await romeo.transcript.expect("sid='\(sid)'>")
          try await take()
          try await romeo.send("<iq type='result' id='\(iq)'/>")
        }
        try await romeo.transcript.expect("<close xmlns='http://jabber.org/protocol/ibb' sid='\(sid)'/>")
      } else {
        try await romeo.transcript.expect("<chunkedBase64 streamId='")
        let streamId = try await romeo.transcript.expect("'").dropLast()
        var isLast = false
        while !isLast {
          try await romeo.transcript.expect("<chunk xmlns='urn:xmpp:http' streamId='\(streamId)'")
          isLast = try await romeo.transcript.expect(">").contains("last='true'")
          try await take()
        }
      }
      #expect(received == body)
      try await performance.first().idle()
    }
  }
}

/// Bodies of peers of other kinds, whom Juliet has asked.
@Suite(.timeLimit(.minutes(1))) struct ForeignResponderTests {
  private static let shim = "http://jabber.org/protocol/shim"
  private static let ibb = "http://jabber.org/protocol/ibb"

  private static func response(_ fields: [(String, String)], _ data: String) -> String {
    let headers = fields.map { "<header name='\($0.0)'>\($0.1)</header>" }.joined()
    return "<resp xmlns='urn:xmpp:http' version='1.1' statusCode='200' statusMessage='OK'>"
      + "<headers xmlns='\(shim)'>\(headers)</headers><data>\(data)</data></resp>"
  }

  /// Of a stream `s`, in one block after the other, each when the one before was answered.
  private static func sends(_ romeo: Romeo, _ body: ByteBuffer, blockSize: Int) async throws {
    try await romeo.peer.expect("type='result' id='o'/>")
    var (rest, seq) = (body, 0)
    while let part = rest.readSlice(length: min(blockSize, rest.readableBytes)), part.readableBytes > 0 {
      try await romeo.peer.send(
        "<iq type='set' id='b\(seq)'><data xmlns='\(ibb)' sid='s' seq='\(seq)'>\(Base64.encode(part))</data></iq>")
      try await romeo.peer.expect("type='result' id='b\(seq)'/>")
      seq += 1
    }
    try await romeo.peer.send("<iq type='set' id='c'><close xmlns='\(ibb)' sid='s'/></iq>")
    try await romeo.peer.expect("type='result' id='c'/>")
  }

  /// COMPAT(IoTGateway): opens behind the response at once, with the block size that it was asked for, has one block in flight, and
  /// streams what has no length, however small. Numbers that never wrap are read as well.
  @Test(arguments: [0, 1, 255, 200_000]) func aGatewayStreams(size: Int) async throws {
    let body = everyByte(size)
    try await Romeo.dialled { romeo in
      async let answer = romeo.request()
      let (id, request) = try await romeo.takesRequest()
      // Else it would answer by SOCKS5, or by what it does not write.
      #expect(
        request.contains(" s5='false'") && request.contains(" sipub='false'") && request.contains(" jingle='false'"))
      try await romeo.peer.send(
        "<iq type='result' id='\(id)'>"
          + Self.response([("Content-Type", "image/png"), ("Connection", "close")], "<ibb sid='s'/>") + "</iq>"
          + "<iq type='set' id='o'><open xmlns='\(Self.ibb)' block-size='50000' sid='s' stanza='iq'/></iq>")
      try await Self.sends(romeo, body, blockSize: 50_000)
      #expect(try await answer.body == body)
      try await romeo.stillServes()
    }
  }

  /// Fields in lower case; a document; an empty body that is one empty chunk; SOCKS5, which nobody has asked for.
  @Test func whatIsInsideIsReadOrRefused() async throws {
    for (data, body) in [
      ("<xml><a xmlns='urn:a'>b &amp; ]]&gt;</a></xml>", "<a xmlns='urn:a'>b &amp; ]]&gt;</a>"),
      ("<text>a &amp; ]]&gt;</text>", "a & ]]>"), ("<base64>YQ==</base64>", "a"), ("<xml>text</xml>", nil),
      ("<s5 sid='s' e2e='false'/>", nil),
    ] as [(String, String?)] {
      try await Romeo.dialled { romeo in
        async let outcome = romeo.outcome()
        let (id, _) = try await romeo.takesRequest()
        let response = Self.response([("content-type", "text/xml"), ("x-a", "1")], data)
        try await romeo.peer.send("<iq type='result' id='\(id)'>\(response)</iq>")
        let answer = await outcome
        if let body {
          let (head, bytes) = try answer.get()
          #expect(bytes == ByteBuffer(string: body) && head.headerFields[.contentType]?.hasPrefix("text/xml") == true)
        } else {
          #expect(throws: StreamFailure.self) { try answer.get() }
        }
        try await romeo.stillServes()
      }
    }
  }
}
