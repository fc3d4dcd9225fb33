import Codecs
import HTTPX
import NIOCore
import Streams
import Synchronization
import TestKit

/// A body that a test feeds, and that tells when its taker takes no more.
struct Source: Sendable {
  let body: Body
  let parts: AsyncThrowingStream<ByteBuffer, any Error>.Continuation
  let ended: AsyncStream<Void>

  init(length: Int? = nil) {
    let (stream, parts) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    parts.onTermination = { _ in end.finish() }
    body = Body(stream, length: length)
    self.parts = parts
    self.ended = ended
  }

  func waitUntilEnded() async {
    for await _ in ended {}
  }
}

struct Broken: Error {}

/// Every value of a byte, in no pattern of 64 KiB.
func everyByte(_ count: Int) -> ByteBuffer {
  ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8 &+ $0 >> 16) })
}

/// Around the bounds of what goes inside a stanza as text or as base64, of a block, and larger than all windows' first blocks.
let bodySizes = [0, 1, 255, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 1 << 20]

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
  /// A ping, and its answer.
  func pings(_ id: String) async throws {
    try await send("<iq type='get' id='\(id)'><ping xmlns='urn:xmpp:ping'/></iq>")
    try await transcript.expect("type='result' id='\(id)'/>")
  }

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

  func sendsUpload(sid: String, path: String = "/", blockSize: Int = 4096) async throws {
    try await send(
      "<iq type='set' id='r\(sid)'><req xmlns='urn:xmpp:http' method='PUT' resource='\(path)' version='1.1'>"
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
