import Codecs
import HTTPTypes
import HTTPX
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing
import XMPP

@testable import Streams

/// Romeo's node, which asks, and Juliet's: a stream between two that know each other, and one in the middle who hears by which way
/// each body goes.
struct NodePair {
  let romeo: PeerStream
  /// Whether Romeo reads where what comes is put down, as a node mostly does; else he does so on other threads.
  var readsHere = true
  private let tap: Interceptor
  private let juliet: Accepted

  /// By which element a body is announced, in responses and in requests, where both nodes prefer this mechanism. One more
  /// mechanism is one more line.
  static let mechanisms: [(BodyMechanism, response: String, request: String)] = [
    (.ibb, "ibb", "ibb"), (.chunkedBase64, "chunkedBase64", "chunkedBase64"),
    // Requests are never published.
    (.sipub, "sipub", "ibb"), (.jingle, "jingle", "ibb"),
    // Beside the stream nothing goes between nodes without keys, as these are: `DirectTests` has others.
    (.direct, "ibb", "ibb"),
  ]

  /// Nodes of ours ask nobody for these, though they understand them: so it is said for them.
  private static func allowing(_ mechanism: BodyMechanism) -> Interceptor.Edit {
    let (own, all) = ("sipub='false' ibb='true' jingle='false'", "sipub='true' ibb='true' jingle='true'")
    guard [.sipub, .jingle].contains(mechanism) else { return { $1 } }
    return { $0 == .there && $1.readableBytes < 4096 ? $1.replacing(own, with: all) : $1 }
  }

  /// Runs `body` with both; ends them afterwards. `answer` is Juliet's.
  static func run(
    prefer mechanism: BodyMechanism, remembers: Bool = true, answer: @escaping StreamHost.Answer,
    _ body: (NodePair) async throws -> Void
  ) async throws {
    let host = StreamHost.juliet(as: .known, preference: [mechanism], answer: answer)
    let group = MultiThreadedEventLoopGroup.singleton
    let listener = try await StreamListener(port: nil, host: host, eventLoopGroup: group, logger: .silent)
    let tap = try await Interceptor(before: listener.port, isHeard: remembers, edit: allowing(mechanism))
    let accepted = Accepted()
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      defer { tasks.cancelAll() }
      tasks.addTask {
        for await stream in listener.streams {
          accepted.stream.withLock { $0 = stream }
          await stream.run()
        }
      }
      let romeo = try await PeerStream.dial(
        [SocketAddress(ipAddress: "127.0.0.1", port: tap.port)], from: .romeo, to: .juliet, host: host,
        eventLoop: group.next(), logger: .silent)
      tasks.addTask { await romeo.run() }
      try await body(NodePair(romeo: romeo, tap: tap, juliet: accepted))
      listener.close()
      romeo.close()
      try await tap.close()
    }
  }

  /// Romeo asks, and takes the whole answer.
  func ask(
    _ path: String, _ method: HTTPRequest.Method = .get, fields: HTTPFields = [:], body: Body = .empty
  ) async throws -> (head: HTTPResponse, body: ByteBuffer) {
    var answer: (HTTPResponse, ByteBuffer)?
    try await ask(path, method, fields: fields, body: body) { response in
      var bytes = ByteBuffer()
      for try await part in response.body { bytes.writeImmutableBuffer(part) }
      answer = (response.head, bytes)
    }
    return try #require(answer)
  }

  func ask(
    _ path: String, _ method: HTTPRequest.Method = .get, fields: HTTPFields = [:], body: Body = .empty,
    receive: (HTTPXResponse) async throws -> Void
  ) async throws {
    let head = HTTPRequest(method: method, scheme: nil, authority: nil, path: path, headerFields: fields)
    try await withTaskExecutorPreference(readsHere ? romeo.executor : nil) {
      try await romeo.send(HTTPXRequest(head, body: body), receive: receive)
    }
  }

  /// Nothing is left of any body, here or there.
  func idle() async throws {
    try await romeo.idle()
    try await juliet.stream.withLock { $0 }?.idle()
  }

  /// Names of the elements that bodies were, or were announced by, so far: of requests, and of responses.
  func announced(_ direction: Interceptor.Direction) -> Set<String> {
    let start = Array("<data><".utf8)
    var names: Set<String> = []
    var rest = tap.heard(direction).utf8.split(separator: start[0])[...]
    while let tag = rest.popFirst() {
      guard tag.elementsEqual(start.dropFirst().dropLast()), let next = rest.first else { continue }
      names.insert(String(decoding: next.prefix { $0 > 0x2F && $0 != UInt8(ascii: ">") }, as: UTF8.self))
    }
    return names
  }
}

/// The stream at Juliet's end, once it is there.
private final class Accepted: Sendable {
  let stream = Mutex<PeerStream?>(nil)
}

extension Body {
  /// In parts of no size that anything else has.
  init(_ bytes: ByteBuffer, inPartsOf size: Int, isKnown: Bool) {
    let (stream, parts) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
    var rest = bytes
    while let part = rest.readSlice(length: Swift.min(size, rest.readableBytes)), part.readableBytes > 0 {
      parts.yield(part)
    }
    parts.finish()
    self.init(stream, length: isKnown ? bytes.readableBytes : nil)
  }
}
