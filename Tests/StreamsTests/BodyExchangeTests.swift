import Codecs
import Foundation
import HTTPTypes
import HTTPX
import NIOCore
import Streams
import Synchronization
import TestKit
import Testing
import XMPP

/// Bodies between two nodes, by every mechanism that they may prefer, both ways.
@Suite(.timeLimit(.minutes(2))) struct BodyExchangeTests {
  @Test func everyMechanismIsInTheTable() {
    #expect(Set(NodePair.mechanisms.map(\.0)) == Set(BodyMechanism.allCases))
  }

  // MARK: Bytes

  /// Juliet has bodies by number: GET gives one, and PUT says whether it is the same.
  private static func keeping(_ bodies: [ByteBuffer], prefersXML: Bool = false) -> StreamHost.Answer {
    { incoming, send in
      let head = incoming.request.head
      let words = (head.path ?? "").dropFirst().split(separator: "/")
      let body = bodies[Int(words[0])!]
      if head.method == .put {
        var whole = ByteBuffer()
        for try await part in incoming.request.body { whole.writeImmutableBuffer(part) }
        return try await send(HTTPXResponse(HTTPResponse(status: whole == body ? .noContent : .conflict)))
      }
      var fields: HTTPFields = [:]
      if words.count > 2 { fields[.contentType] = words[2].split(separator: "+").joined(separator: "/") }
      if words[1] == "known" { fields[.contentLength] = "\(body.readableBytes)" }
      try await send(
        HTTPXResponse(
          HTTPResponse(status: .ok, headerFields: fields),
          body: Body(body, inPartsOf: 10_007, isKnown: words[1] == "known"), prefersXML: prefersXML))
    }
  }

  private static func check(
    _ bodies: [ByteBuffer], types: [String?], _ pair: NodePair, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    for (number, body) in bodies.enumerated() {
      for isKnown in [true, false] {
        for type in types {
          let what: Comment = "\(number), \(isKnown ? "known" : "unknown"), \(type ?? "no type")"
          let suffix = type.map { "/" + $0.split(separator: "/").joined(separator: "+") } ?? ""
          let answer = try await pair.ask("/\(number)/\(isKnown ? "known" : "unknown")\(suffix)")
          #expect(answer.head.status == .ok && answer.body == body, what, sourceLocation: sourceLocation)
          var fields: HTTPFields = type.map { [.contentType: $0] } ?? [:]
          if isKnown { fields[.contentLength] = "\(body.readableBytes)" }
          let put = try await pair.ask(
            "/\(number)", .put, fields: fields, body: Body(body, inPartsOf: 10_007, isKnown: isKnown))
          #expect(put.head.status == .noContent, what, sourceLocation: sourceLocation)
        }
      }
    }
    try await pair.idle()
  }

  @Test(arguments: NodePair.mechanisms.indices) func everySizeArrivesAsItWas(index: Int) async throws {
    let (mechanism, response, request) = NodePair.mechanisms[index]
    let bodies = bodySizes.map(everyByte)
    try await NodePair.run(prefer: mechanism, answer: Self.keeping(bodies)) { pair in
      try await Self.check(bodies, types: [nil], pair)
      // What is known to be small goes inside of the stanza, and all else so, not by another way that did as well.
      #expect(pair.announced(.back) == ["base64", response])
      #expect(pair.announced(.there) == ["base64", request])
    }
  }

  private static let contents =
    [
      Array(UInt8.min...UInt8.max), Array("a\r\nb\rc\n\r\n".utf8), Array("]]>".utf8),
      Array("<![CDATA[x]]>&&amp;&#0;".utf8),
      Array("<a>]]&gt;&amp;".utf8), Array(" \t both ends \n".utf8), [0], [0xFF, 0xFE], [0xC3], [0xC0, 0x80],
      // A lone surrogate, U+FFFE, U+FFFF, a byte order mark, what is beyond the first plane, and what is beyond all.
      [0xED, 0xA0, 0x80], Array("\u{FFFE}".utf8), Array("\u{FFFF}".utf8), Array("\u{FEFF}x".utf8), Array("👩‍🚀".utf8),
      [0xF4, 0x90, 0x80, 0x80],
    ].map { ByteBuffer(bytes: $0 as [UInt8]) }

  /// Whatever its type promises.
  @Test(arguments: NodePair.mechanisms.indices, [true, false])
  func everyContentArrivesAsItWas(index: Int, prefersXML: Bool) async throws {
    let answer = Self.keeping(Self.contents, prefersXML: prefersXML)
    try await NodePair.run(prefer: NodePair.mechanisms[index].0, answer: answer) { pair in
      try await Self.check(Self.contents, types: [nil, "text/plain", "application/xml"], pair)
      #expect(pair.announced(.back) == ["text", "base64", NodePair.mechanisms[index].response])
      #expect(pair.announced(.there) == ["text", "base64", NodePair.mechanisms[index].request])
    }
  }

  /// 206 is a body like any other, and the others have none, whatever their fields say.
  @Test(arguments: NodePair.mechanisms.indices) func statusesHaveTheBodiesThatTheyHave(index: Int) async throws {
    let part = everyByte(100_000)
    let answer: StreamHost.Answer = { incoming, send in
      let status = HTTPResponse.Status(code: Int(incoming.request.head.path!.dropFirst())!)
      let hasBody = status == .partialContent || status == .ok
      var fields: HTTPFields = [.eTag: "\"a\""]
      if status != .noContent { fields[.contentLength] = status == .resetContent ? "0" : "100000" }
      if status == .partialContent { fields[.contentRange] = "bytes 0-99999/100001" }
      try await send(
        HTTPXResponse(
          HTTPResponse(status: status, headerFields: fields),
          body: hasBody ? Body(part, inPartsOf: 10_007, isKnown: true) : .empty))
    }
    try await NodePair.run(prefer: NodePair.mechanisms[index].0, answer: answer) { pair in
      for (method, status, length) in [
        (.get, 200, 100_000), (.head, 200, 0), (.get, 204, 0), (.get, 205, 0), (.get, 206, 100_000), (.head, 206, 0),
        (.get, 304, 0), (.head, 304, 0),
      ] as [(HTTPRequest.Method, Int, Int)] {
        let (head, body) = try await pair.ask("/\(status)", method)
        let fields = head.headerFields
        #expect(head.status.code == status && fields[.eTag] == "\"a\"")
        #expect(fields[.contentLength] == (status == 204 ? nil : status == 205 ? "0" : "100000"))
        #expect((fields[.contentRange] != nil) == (status == 206))
        #expect(body == part.getSlice(at: 0, length: length), "\(method) \(status)")
      }
      try await pair.idle()
    }
  }

  // MARK: One beside the other

  @Test(arguments: NodePair.mechanisms.indices) func manyPassOneThatIsPaused(index: Int) async throws {
    let body = everyByte(1 << 20)
    let answer: StreamHost.Answer = { _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(body, inPartsOf: 50_021, isKnown: false)))
    }
    try await NodePair.run(prefer: NodePair.mechanisms[index].0, remembers: false, answer: answer) { pair in
      try await pair.ask("/paused") { paused in
        var parts = paused.body.makeAsyncIterator()
        var received = try await parts.next() ?? ByteBuffer()
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 1...29 {
            group.addTask {
              let answer = try await pair.ask("/\(number)")
              #expect(answer.body == body)
            }
          }
          try await group.waitForAll()
        }
        while let part = try await parts.next() { received.writeImmutableBuffer(part) }
        #expect(received == body)
      }
      try await pair.idle()
    }
  }

  // MARK: No end, or a sudden one

  @Test(arguments: NodePair.mechanisms.indices) func oneWithoutEndEndsWithItsReader(index: Int) async throws {
    let endless = Endless(part: 32_768)
    let answer: StreamHost.Answer = { _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body(endless)))
    }
    try await NodePair.run(prefer: NodePair.mechanisms[index].0, remembers: false, answer: answer) { pair in
      await #expect(throws: Broken.self) {
        try await pair.ask("/") { response in
          var count = 0
          for try await part in response.body {
            count += part.readableBytes
            if count > 2 << 20 { throw Broken() }
          }
        }
      }
      try await pair.idle()
      let taken = endless.taken
      // Nobody takes any more of it, and the stream is good for the next.
      await #expect(throws: Broken.self) {
        try await pair.ask("/") { _ in
          throw Broken()
        }
      }
      try await pair.idle()
      #expect(taken > 2 << 20)
    }
  }

  /// 413 to a body that is under way, of which the reader wanted none.
  @Test(arguments: NodePair.mechanisms.indices) func anUploadThatIsRefusedStops(index: Int) async throws {
    let answer: StreamHost.Answer = { _, send in
      try await send(HTTPXResponse(HTTPResponse(status: .contentTooLarge), body: Body("too much")))
    }
    let (mechanism, _, request) = NodePair.mechanisms[index]
    try await NodePair.run(prefer: mechanism, answer: answer) { pair in
      for isKnown in [true, false] {
        let endless = Endless(part: 32_768)
        let body = Body(endless, length: isKnown ? 1 << 40 : nil)
        let answer = try await pair.ask("/", .put, body: body)
        #expect(answer.head.status == .contentTooLarge && answer.body == ByteBuffer(string: "too much"))
        try await pair.idle()
        // No more than a window of ibb; chunks stop when they hear of it.
        if request == "ibb" { #expect(endless.taken <= 10 * 49_152 + 65_536) }
      }
      #expect(pair.announced(.there) == [request])
    }
  }
}

/// Bodies that take a while: one after the other.
@Suite(
  .serialized,
  .enabled(
    if: ProcessInfo.processInfo.environment["HEARTH_MEMORY_TESTS"] != nil,
    "takes long: scripts/test runs it apart"))
struct BodyHeavyTests {
  private static let size = 64 << 20
  /// Of a length that nothing else has a multiple of.
  private static let pattern = everyByte(1_000_003)

  private struct Repeated: AsyncSequence, Sendable {
    struct AsyncIterator: AsyncIteratorProtocol {
      var sent = 0

      mutating func next() async throws -> ByteBuffer? {
        guard sent < size else { return nil }
        let start = sent % pattern.readableBytes
        let part = pattern.getSlice(at: start, length: Swift.min(65_536, pattern.readableBytes - start, size - sent))!
        sent += part.readableBytes
        return part
      }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
    typealias Failure = any Error
  }

  /// Throws where it is another; gives how many bytes came.
  private static func compare(_ body: Body) async throws -> Int {
    var count = 0
    for try await part in body {
      var part = part
      while part.readableBytes > 0 {
        let start = count % pattern.readableBytes
        let length = Swift.min(part.readableBytes, pattern.readableBytes - start)
        guard part.readSlice(length: length) == pattern.getSlice(at: start, length: length) else { throw Broken() }
        count += length
      }
    }
    return count
  }

  @Test(arguments: NodePair.mechanisms.indices, [true, false])
  func sixtyFourMebibytesArriveAsTheyWere(index: Int, isKnown: Bool) async throws {
    let body = Body(Repeated(), length: isKnown ? Self.size : nil)
    let fields: HTTPFields = isKnown ? [.contentLength: "\(Self.size)"] : [:]
    let answer: StreamHost.Answer = { incoming, send in
      guard incoming.request.head.method == .get else {
        let count = try await Self.compare(incoming.request.body)
        return try await send(HTTPXResponse(HTTPResponse(status: .ok), body: Body("\(count)")))
      }
      try await send(HTTPXResponse(HTTPResponse(status: .ok, headerFields: fields), body: body))
    }
    try await NodePair.run(prefer: NodePair.mechanisms[index].0, remembers: false, answer: answer) { pair in
      var pair = pair
      pair.readsHere = isKnown
      try await pair.ask("/") { response in
        let count = try await Self.compare(response.body)
        #expect(count == Self.size)
      }
      let put = try await pair.ask("/", .put, fields: fields, body: body)
      #expect(put.body == ByteBuffer(string: "\(Self.size)"))
      try await pair.idle()
    }
  }
}
