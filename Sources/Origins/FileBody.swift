import NIOCore
import NIOPosix

/// A range of a file, read as its parts are taken: that is the back-pressure, and all the memory it needs.
struct FileBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  typealias Failure = any Error

  let file: OpenFile
  let range: Range<Int>
  let threads: NIOThreadPool

  struct AsyncIterator: AsyncIteratorProtocol {
    let file: OpenFile
    let threads: NIOThreadPool
    var left: Range<Int>
    var read = ByteBuffer()

    mutating func next() async throws -> ByteBuffer? {
      try await next(isolation: #isolation)
    }

    mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
      if read.readableBytes == 0 {
        guard !left.isEmpty else { return nil }
        let block = left.prefix(OriginLimits.fileBlock)
        read = try await threads.runIfActive { [file] in try file.read(block.count, at: block.startIndex) }
        left = block.endIndex..<left.upperBound
      }
      return read.readSlice(length: Swift.min(read.readableBytes, OriginLimits.filePart))
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(file: file, threads: threads, left: range)
  }
}
