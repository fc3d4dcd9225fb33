import Codecs
import NIOCore
import Synchronization

/// Writes the body of a request while its response may already come.
final class Upload: Sendable {
  private let connection: ClientConnection
  private let exchange: Int
  private let length: Int?
  /// As HTTP frames a body; not in another protocol.
  private let isFramed: Bool
  private let address: HTTPAddress
  private let failed = Mutex<(any Error)?>(nil)

  init(connection: ClientConnection, exchange: Int, length: Int?, isFramed: Bool = true, address: HTTPAddress) {
    self.connection = connection
    self.exchange = exchange
    self.length = length
    self.isFramed = isFramed
    self.address = address
  }

  /// What the body threw, or that its length was wrong; it outranks what the response then says.
  var failure: (any Error)? { failed.withLock { $0 } }

  /// Returns when all is written, or when there is no use in writing more: the response tells why.
  func run(_ body: Body) async {
    var iterator = body.makeAsyncIterator()
    var count = 0
    while true {
      do {
        let part = try await iterator.next(isolation: #isolation)
        count += part?.readableBytes ?? 0
        if let length, count > length || part == nil && count < length {
          throw HTTPClientError(wrongLength: length, to: address)
        }
        guard let part else { break }
        guard await written({ try await connection.write(framed(part), of: exchange) }) else { return }
      } catch {
        return await fail(error)
      }
    }
    if length == nil, isFramed, await !written({ try await connection.write(ByteBuffer.lastChunk, of: exchange) }) {
      return
    }
    _ = await written { try await connection.finish(exchange) }
  }

  /// As a chunk, where the length was not announced (RFC 9112 §7.1).
  private func framed(_ part: ByteBuffer) -> ByteBuffer {
    guard isFramed, length == nil, part.readableBytes > 0 else { return part }
    var chunk = ByteBufferAllocator().buffer(capacity: part.readableBytes + PartSize.chunkMarkup)
    chunk.writeChunkStart(part.readableBytes)
    chunk.writeImmutableBuffer(part)
    chunk.writeChunkEnd()
    return chunk
  }

  private func written(_ write: () async throws -> Void) async -> Bool {
    do {
      try await write()
      return true
    } catch {
      return false
    }
  }

  private func fail(_ error: any Error) async {
    failed.withLock { $0 = error }
    await connection.fail(HTTPClientError(.invalidRequest, address, "the request's body ended early"))
  }
}
