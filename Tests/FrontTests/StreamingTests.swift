import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import Synchronization
import TestKit
import Testing

/// Bodies on their way, and clients that do not wait for their end.
@Suite(.timeLimit(.minutes(1))) struct StreamingTests {
  private static let events = HTTPResponse(status: .ok, headerFields: [.contentType: "text/event-stream"])

  @Test func eventsArriveOneByOne() async throws {
    try await Rig.run { rig in
      let (source, feed) = AsyncThrowingStream.makeStream(of: ByteBuffer.self, throwing: (any Error).self)
      try await rig.serve { _, _, send in
        try await send(HTTPXResponse(Self.events, body: Body(source)))
      }
      try await rig.connected { client in
        try await client.begin("GET /events", host: rig.host())
        #expect(try await client.head()["Content-Type"] == "text/event-stream")
        // The next event is only made once the last one has been seen: nothing may be held back.
        for number in 0..<20 {
          feed.yield(ByteBuffer(string: "data: \(number)\n\n"))
          #expect(try await client.chunk() == Array("data: \(number)\n\n".utf8))
        }
        feed.finish()
        #expect(try await client.chunk() == nil)
      }
    }
  }

  @Test(arguments: [true, false])
  func aClientThatLeavesAmidABodyEndsItAtTheDevice(byReset: Bool) async throws {
    let ended = Event()
    try await Rig.run { rig in
      try await rig.serve { _, _, send in
        defer { ended.happen() }
        try await send(HTTPXResponse(Self.events, body: Body(Endless())))
      }
      try await rig.connected { client in
        try await client.begin("GET /", host: rig.host())
        _ = try await client.head()
        _ = try await client.chunk()
        if byReset { try await client.reset() }
      }
      await ended.wait()
    }
  }

  /// XEP-0332 has no word for "never mind": the device learns it when it begins to answer.
  @Test func aClientThatLeavesBeforeTheAnswerLeavesNothingBehind() async throws {
    let (begun, gone, ended) = (Event(), Event(), Event())
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        guard request.head.path == "/slow" else {
          return try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("quick")))
        }
        defer { ended.happen() }
        begun.happen()
        await gone.wait()
        try await send(HTTPXResponse(Self.events, body: Body(Endless())))
      }
      try await rig.connected { client in
        try await client.begin("GET /slow", host: rig.host())
        await begun.wait()
        try await client.reset()
      }
      // Others on the same stream do not notice.
      #expect(try await rig.ask("GET /").text == "quick")
      gone.happen()
      await ended.wait()
      #expect(try await rig.ask("GET /").text == "quick")
    }
  }

  @Test func anAnswerThatBreaksOffIsNoShortAnswer() async throws {
    struct Broken: Error {}
    try await Rig.run { rig in
      try await rig.serve { _, _, send in
        let body = AsyncThrowingStream<ByteBuffer, any Error> { feed in
          feed.yield(ByteBuffer(string: "half"))
          feed.finish(throwing: Broken())
        }
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(body)))
      }
      try await rig.connected { client in
        try await client.begin("GET /", host: rig.host())
        _ = try? await client.head()
        let rest = (try? await client.readToEnd()) ?? ""
        #expect(!rest.hasSuffix("0\r\n\r\n"))
      }
    }
  }

  @Test func largeUploadsArriveAndComeBack() async throws {
    let size = 8 << 20
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: request.body))
      }
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
      for isChunked in [false, true] {
        let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(size)"
        let answer = try await rig.connected { client in
          try await client.begin("PUT /", host: rig.host(), [framing])
          // Reading meanwhile, since nobody holds 8 MiB for a client that does not.
          let socket = client.outbound
          async let written: Void = Self.upload(bytes, isChunked: isChunked, to: socket)
          let response = try await client.response(to: "PUT /")
          try await written
          return response
        }
        let isWhole = answer.body == bytes
        #expect(answer.status == 200 && isWhole)
      }
    }
  }

  private static func upload(
    _ bytes: [UInt8], isChunked: Bool, to socket: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async throws {
    for start in stride(from: 0, to: bytes.count, by: 50_000) {
      let part = bytes[start..<min(start + 50_000, bytes.count)]
      var buffer = ByteBuffer()
      if isChunked { buffer.writeString(String(part.count, radix: 16) + "\r\n") }
      buffer.writeBytes(part)
      if isChunked { buffer.writeString("\r\n") }
      try await socket.write(buffer)
    }
    if isChunked { try await socket.write(ByteBuffer(string: "0\r\n\r\n")) }
  }

  @Test func aSlowReaderHoldsTheDeviceBackAndNobodyElse() async throws {
    let sent = Mutex(0)
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        guard request.head.path == "/large" else {
          return try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("small")))
        }
        let body = Endless(size: 65_536) { sent.withLock { $0 += 65_536 } }
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(body)))
      }
      try await rig.connected { client in
        try await client.begin("GET /large", host: rig.host())
        _ = try await client.head()
        for _ in 0..<50 { #expect(try await rig.ask("GET /small").text == "small") }
        // What sockets on loopback and the windows of the stream take; an unbounded buffer would have taken hundreds.
        #expect(sent.withLock { $0 } < 64 << 20)
      }
    }
  }

  @Test func expectationsAreAnsweredHere() async throws {
    try await Rig.run { rig in
      try await rig.serve { request, _, send in
        let hasExpect = request.head.headerFields.contains(.expect)
        var text = ""
        for try await part in request.body { text += String(buffer: part) }
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("\(hasExpect) \(text)")))
      }
      try await rig.connected { client in
        try await client.begin("PUT /", host: rig.host(), ["Expect: 100-continue", "Content-Length: 5"])
        #expect(try await client.head().status == 100)
        try await client.write("hello")
        #expect(try await client.response(to: "PUT /").text == "false hello")
      }
    }
  }
}

/// A body without end.
private struct Endless: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  var size = 1000
  var told: @Sendable () -> Void = {}

  struct AsyncIterator: AsyncIteratorProtocol {
    let part: ByteBuffer
    let told: @Sendable () -> Void

    mutating func next() async throws -> ByteBuffer? {
      try Task.checkCancellation()
      told()
      return part
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(part: ByteBuffer(repeating: 0x78, count: size), told: told)
  }
}
