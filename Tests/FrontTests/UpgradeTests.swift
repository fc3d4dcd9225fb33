import Codecs
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import Synchronization
import TestKit
import Testing
import Trust
import XMPP

/// WebSockets, from a client that speaks bytes to a device that does: what is inside is theirs.
@Suite(.timeLimit(.minutes(1))) struct UpgradeTests {
  private static let agreed = HTTPResponse(
    status: .switchingProtocols,
    headerFields: [.upgrade: "websocket", .secWebSocketAccept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])

  /// Sends back what comes.
  private static let echo: TestHandler.Respond = { request, _, send in
    try await send(HTTPXResponse(agreed, body: request.body))
  }

  private static func fields(_ rig: Rig) -> [String] {
    [
      "Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Origin: http://\(rig.host())",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: chat",
    ]
  }

  /// A client with a WebSocket at `app@pi`.
  private static func opened(_ rig: Rig, _ body: (RawConnection) async throws -> Void) async throws {
    try await rig.connected { client in
      try await client.begin("GET /ws", host: rig.host(), fields(rig))
      let head = try await client.head()
      #expect(head.status == 101)
      #expect(head["Connection"] == "Upgrade" && head["Upgrade"] == "websocket")
      #expect(head["Sec-WebSocket-Accept"] != nil)
      #expect(head["Transfer-Encoding"] == nil && head["Content-Length"] == nil)
      try await body(client)
    }
  }

  @Test func bytesPassBothWays() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.echo)
      try await Self.opened(rig) { client in
        for text in ["hello", "again"] {
          try await client.write(text)
          #expect(try await client.read(bytes: text.utf8.count) == Array(text.utf8))
        }
        // More than all buffers on the way hold, so that both directions have to move at once.
        let large = (0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let socket = client.outbound
        async let written: Void = {
          for start in stride(from: 0, to: large.count, by: 100_000) {
            try await socket.write(ByteBuffer(bytes: large[start..<min(start + 100_000, large.count)]))
          }
        }()
        let isEqual = try await client.read(bytes: large.count) == large
        try await written
        #expect(isEqual)
        client.halfClose()
        #expect(try await client.readToEnd() == "")
      }
      // Nothing is left on the stream, which others use.
      #expect(try await rig.connected { try await $0.ask("GET /", host: rig.host()) }.status == 502)
    }
  }

  @Test func theDeviceHearsWhatIsAskedForAndNoBody() async throws {
    let heard = Mutex<HTTPRequest?>(nil)
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        heard.withLock { $0 = request.head }
        try await send(HTTPXResponse(Self.agreed, body: request.body))
      }
      try await Self.opened(rig) { $0.halfClose() }
      let fields = try #require(heard.withLock { $0?.headerFields })
      #expect(fields[.upgrade] == "websocket" && fields[.connection] == nil)
      #expect(fields[.secWebSocketKey] == "dGhlIHNhbXBsZSBub25jZQ==" && fields[.secWebSocketProtocol] == "chat")
      #expect(fields[.transferEncoding] == nil && fields[.contentLength] == nil)
    }
  }

  @Test func manySmallMessagesArriveInOrder() async throws {
    let count = 10_000
    try await Rig.run { rig in
      try await rig.serve(answer: Self.echo)
      try await Self.opened(rig) { client in
        let socket = client.outbound
        async let written: Void = {
          for number in 0..<count { try await socket.write(ByteBuffer(string: "\(number)\n")) }
        }()
        for number in 0..<count { #expect(try await client.read(to: "\n") == "\(number)\n") }
        try await written
      }
    }
  }

  @Test func whatComesBehindTheHeadBelongsToIt() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.echo)
      try await rig.connected { client in
        let head = (["GET /ws HTTP/1.1", "Host: \(rig.host())"] + Self.fields(rig)).joined(separator: "\r\n")
        try await client.write(head + "\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        #expect(try await client.head().status == 101)
        #expect(try await client.read(to: "\r\n\r\n") == "GET / HTTP/1.1\r\n\r\n")
      }
    }
  }

  @Test func theClientMayEndFirst() async throws {
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        let body = AsyncThrowingStream<ByteBuffer, any Error> {
          var text = ""
          for try await part in request.body { text += String(buffer: part) }
          return text.isEmpty ? nil : ByteBuffer(string: "heard \(text)")
        }
        try await send(HTTPXResponse(Self.agreed, body: Body(body)))
      }
      try await Self.opened(rig) { client in
        try await client.write("all of it")
        client.halfClose()
        #expect(try await client.readToEnd() == "heard all of it")
      }
    }
  }

  @Test func theDeviceMayEndFirst() async throws {
    let ended = Event()
    let heard = Mutex("")
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        defer { ended.happen() }
        try await send(HTTPXResponse(Self.agreed, body: Body("bye")))
        for try await part in request.body { heard.withLock { $0 += String(buffer: part) } }
      }
      try await Self.opened(rig) { client in
        #expect(try await client.readToEnd() == "bye")
        try await client.write("bye to you")
        client.halfClose()
        await ended.wait()
        #expect(heard.withLock { $0 } == "bye to you")
      }
    }
  }

  private static let large = 16 << 20

  @Test func whatTheDeviceSaidLastArrivesAtASlowReader() async throws {
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        try await send(HTTPXResponse(Self.agreed, body: Body(ByteBuffer(repeating: 0x61, count: Self.large))))
        for try await _ in request.body {}
      }
      try await Self.opened(rig) { client in
        client.halfClose()
        let count = try await client.read(bytes: Self.large + 1).count
        #expect(count == Self.large)
      }
    }
  }

  @Test func whatTheClientSaidLastArrivesAtADeviceThatHasEnded() async throws {
    let ended = Event()
    let heard = Mutex(0)
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        defer { ended.happen() }
        try await send(HTTPXResponse(Self.agreed, body: Body("bye")))
        for try await part in request.body { heard.withLock { $0 += part.readableBytes } }
      }
      try await Self.opened(rig) { client in
        let (socket, channel) = (client.outbound, client.channel)
        async let written: Void = {
          for _ in 0..<(Self.large >> 16) { try await socket.write(ByteBuffer(repeating: 0x61, count: 1 << 16)) }
          // A channel whose input has ended closes at once when its output does, with what has not left yet.
          try await channel.writeAndFlush(ByteBuffer()).get()
          socket.finish()
        }()
        #expect(try await client.readToEnd() == "bye")
        try await written
        await ended.wait()
        #expect(heard.withLock { $0 } == Self.large)
      }
    }
  }

  @Test func aLengthOfNothingIsNoBody() async throws {
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        #expect(request.head.headerFields[.contentLength] == nil)
        try await send(HTTPXResponse(Self.agreed, body: request.body))
      }
      try await rig.connected { client in
        try await client.begin("GET /ws", host: rig.host(), Self.fields(rig) + ["Content-Length: 0"])
        #expect(try await client.head().status == 101)
      }
    }
  }

  @Test(arguments: [true, false])
  func aClientThatIsGoneEndsItAtTheDevice(byReset: Bool) async throws {
    let ended = Event()
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        defer { ended.happen() }
        try await send(HTTPXResponse(Self.agreed, body: request.body))
      }
      try await Self.opened(rig) { client in
        try await client.write("hello")
        _ = try await client.read(bytes: 5)
        if byReset { try await client.reset() }
      }
      await ended.wait()
    }
  }

  @Test func aDeviceThatBreaksOffIsNoOrderlyEnd() async throws {
    struct Broken: Error {}
    try await Rig.run { rig in
      try await rig.serve { _, _, send in
        let body = AsyncThrowingStream<ByteBuffer, any Error> { $0.finish(throwing: Broken()) }
        try await send(HTTPXResponse(Self.agreed, body: Body(body)))
      }
      try await Self.opened(rig) { client in
        _ = try? await client.readToEnd()
        // Not only its output: what this side sends is refused.
        await #expect(throws: (any Error).self) { while true { try await client.write("hello?") } }
      }
    }
  }

  @Test func aRefusalIsAnOrdinaryAnswer() async throws {
    try await Rig.run { rig in
      try await rig.serve { _, _, send in
        try await send(HTTPXResponse(HTTPResponse(status: .unauthorized), body: Body("who are you?")))
      }
      try await rig.connected { client in
        let answer = try await client.ask("GET /ws", host: rig.host(), Self.fields(rig))
        #expect(answer.status == 401 && answer.text == "who are you?")
        #expect(answer["Connection"] == "close" && answer["Upgrade"] == nil)
      }
    }
  }

  @Test func nobodyChangesTheProtocolUnasked() async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.echo)
      for fields in [
        [], ["Upgrade: websocket"], ["Connection: Upgrade", "Upgrade: h2c"],
        ["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 1", "Origin: http://\(rig.host())"],
      ] {
        let answer = try await rig.ask("GET /ws", fields, body: fields.count == 4 ? "x" : "")
        #expect(answer.status == 502, "\(fields)")
      }
    }
  }

  @Test(arguments: ["http://evil.example", nil])
  func onlyTheDevicesOwnPageMay(origin: String?) async throws {
    try await Rig.run { rig in
      try await rig.serve(answer: Self.echo)
      let fields = Self.fields(rig).filter { !$0.hasPrefix("Origin") } + (origin.map { ["Origin: \($0)"] } ?? [])
      #expect(try await rig.ask("GET /ws", fields).status == 403)
    }
  }

  @Test(arguments: [(["GET"], 403), (["CONNECT"], 403), (["GET", "CONNECT"], 101)])
  func whereMethodsAreListedItNeedsTwo(_ methods: [String], _ status: Int) async throws {
    try await Rig.run { rig in
      let policy = try AccessPolicy(access: .public, methods: methods, plaintext: true)
      rig.pi.serve(HostedService(name: "app", target: "test", policy: policy, handler: TestHandler(Self.echo)))
      #expect(await rig.laptop.awaitOnline("app@pi") != nil)
      try await rig.connected { client in
        try await client.begin("GET /ws", host: rig.host(), Self.fields(rig))
        #expect(try await client.head().status == status)
      }
    }
  }

  @Test func aDeviceOfThisNodeNeedsNoStream() async throws {
    try await Rig.run { rig in
      rig.laptop.serve(HostedService(name: "own", target: "test", plaintext: true, handler: TestHandler(Self.echo)))
      #expect(await rig.laptop.awaitOnline("own@laptop") != nil)
      let host = rig.host("own@laptop")
      try await rig.connected { client in
        let fields = Self.fields(rig).filter { !$0.hasPrefix("Origin") } + ["Origin: http://\(host)"]
        try await client.begin("GET /ws", host: host, fields)
        #expect(try await client.head().status == 101)
        try await client.write("hello")
        #expect(try await client.read(bytes: 5) == Array("hello".utf8))
        client.halfClose()
        #expect(try await client.readToEnd() == "")
      }
    }
  }
}
